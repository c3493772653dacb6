//! What an S3 client that keeps objects in its own memory decides: the answers of S3 to
//! conditions, ranges, copies and listings, and how much it keeps.
//!
//! It does as `MemoryS3` of the crate `artifact-s3` does, but for what the sandbox does
//! not have: without a clock, an object has no date. All of it is tested natively; the
//! component shell in `main.rs` only carries values across.

pub mod bindings;

mod answers;
pub use answers::{content_error, unknown_settings};
mod blob;
pub use blob::Blob;
mod budget;
pub use budget::Budget;
mod conditions;
mod listing;
mod memory;
pub use memory::{Found, Memory};
mod object;
mod range;
mod settings;
pub use settings::Settings;
