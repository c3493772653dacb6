//! What `wit-bindgen` makes of the world `s3-client`, and nothing else.

#![expect(unsafe_code, reason = "the calling convention of components is written in it")]
#![expect(clippy::pedantic, reason = "generated")]

use super::Hostile;

wit_bindgen::generate!({ path: "../../wit", world: "s3-client", generate_all });

export!(Hostile with_types_in self);
