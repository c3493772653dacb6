//! What `wit-bindgen` makes of the world `policy`, and nothing else.

#![expect(unsafe_code, reason = "the calling convention of components is written in it")]
#![expect(clippy::pedantic, reason = "generated")]

use super::RetentionPolicy;

wit_bindgen::generate!({ path: "../../../wit", world: "policy", generate_all });

export!(RetentionPolicy with_types_in self);
