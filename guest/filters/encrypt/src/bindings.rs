//! What `wit-bindgen` makes of the world `content-filter`, and nothing else.

#![expect(unsafe_code, reason = "the calling convention of components is written in it")]
#![expect(clippy::pedantic, reason = "generated")]

use super::Encrypt;

wit_bindgen::generate!({ path: "../../../wit", world: "content-filter", generate_all });

export!(Encrypt with_types_in self);
