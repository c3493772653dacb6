//! The cases for [`S3Client`](artifact_s3::S3Client), by topic.

#![expect(clippy::missing_panics_doc, reason = "a case that is not passed panics")]

mod context;
pub use context::{CaseResult, Context, noise};
mod table;
pub use table::{Capability, Case, cases};

pub mod bodies;
pub mod buckets;
pub mod conditions;
pub mod copies;
pub mod descriptions;
pub mod keys;
pub mod large_bodies;
pub mod listings;
pub mod objects;
pub mod ranges;
