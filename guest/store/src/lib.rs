//! What the default store component decides: where an artifact is kept, what a
//! failure means, and what a listing shows.
//!
//! Nothing here knows of components, so all of it is tested natively; the
//! component shell in `main.rs` only carries values across.

#![forbid(unsafe_code)]

mod key;
pub use key::{InvalidKey, MAX_KEY_BYTES, object_key};

mod error;
pub use error::{ErrorCode, Operation, S3ErrorKind, code, message};

mod listing;
pub use listing::{InvalidListing, artifact_key, object_prefix};
