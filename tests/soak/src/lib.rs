//! A soak: random operations from many tasks, over connections that break, against the
//! embedded server, with a model beside them.
//!
//! What must hold at the end, and after each operation as far as it can be told:
//! - every put that was acknowledged is there, with its bytes;
//! - nothing that was deleted or written over is back;
//! - of all that race for a key that must not exist, one wins;
//! - no update of a counter by compare-and-swap is lost;
//! - no upload is left unfinished.
//!
//! An operation that ends in an error may have happened or not. Each key has one task
//! that writes to it, so the model knows all that the key may hold.
//!
//! `just soak` runs it for minutes; `tests/short.rs` runs the same code for seconds.

mod settings;
pub use settings::Settings;
mod soak;
pub use soak::run;
mod content;
mod model;
mod races;
mod reads;
mod report;
mod worker;
mod writes;
pub use report::{Counts, Report, Violation};
pub mod pattern;
