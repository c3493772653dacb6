//! What `wit-bindgen` makes of the world `content-filter`, and nothing else.

#![expect(unsafe_code, reason = "the calling convention of components is written in it")]
#![expect(clippy::pedantic, reason = "generated")]

use super::Gzip;

wit_bindgen::generate!({ path: "../../../wit", world: "content-filter", generate_all });

export!(Gzip with_types_in self);
