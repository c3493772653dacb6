//! What wasmtime makes of the world `s3-client`. Its plain types are those of the other
//! worlds, so that `convert.rs` serves this one too; its handles are the component's own.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "s3-client",
    imports: { default: async | trappable },
    exports: { default: async },
    with: { "agent:artifacts/types": crate::bindings::agent::artifacts::types },
});
