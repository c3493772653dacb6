//! What `wit-bindgen` makes of the world `policy`, and nothing else.

#![expect(unsafe_code, reason = "the calling convention of components is written in it")]
#![expect(clippy::pedantic, reason = "generated")]

use super::ContentAddressed;

wit_bindgen::generate!({ path: "../../../wit", world: "policy", generate_all });

export!(ContentAddressed with_types_in self);
