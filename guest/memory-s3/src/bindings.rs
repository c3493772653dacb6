//! What `wit-bindgen` makes of the world `s3-client`, and nothing else. The logic uses
//! its types as they are: an S3 client has most of the contract's.

// Which of them are needed depends on the target.
#![allow(unsafe_code, reason = "the calling convention of components is written in it")]
#![allow(missing_docs, missing_debug_implementations, clippy::pedantic, reason = "generated")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "s3-client",
    generate_all,
    pub_export_macro: true,
    default_bindings_module: "artifact_guest_memory_s3::bindings",
});
