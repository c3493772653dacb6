//! The cases for [`S3Client`](artifact_s3::S3Client), by topic.

mod context;
pub use context::{CaseResult, Context};
mod table;
pub use table::{Capability, Case, cases};

pub mod bodies;
pub mod buckets;
pub mod conditions;
pub mod copies;
pub mod descriptions;
pub mod keys;
pub mod listings;
pub mod objects;
pub mod ranges;
