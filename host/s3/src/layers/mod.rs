//! Layers: each wraps a client, adds one thing, and is a client again.
//!
//! | layer | adds |
//! |---|---|
//! | [`Retry`] | further tries, for a client that has none of its own |
//! | [`ConcurrencyLimit`] | at most so many calls at a time |
//! | [`Deadline`] | an end to calls that take too long |
//! | [`Traced`] | a span and metrics for each call, in OpenTelemetry's names |
//! | [`ReadCache`] | objects that were read before, from a folder |
//! | [`Faults`] | failures, for tests |
//!
//! They wrap any [`S3Client`](crate::S3Client), one behind `Arc<dyn S3Client>` too, and
//! stand in any order. The outermost meets a call first, so the order says what counts:
//! a [`Deadline`] in front of [`Retry`] bounds all tries together, one behind it each
//! try; a [`ConcurrencyLimit`] behind [`Retry`] lets others in during the pauses;
//! [`Traced`] sees what the layers behind it make of a call, retries as one.
//!
//! `Display` shows the nesting, where the client inside shows itself; one behind `dyn`
//! does not. A layer of your own that does the same around each call is a [`Layer`].
//!
//! # Example: all of them
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use artifact_s3::layers::{ConcurrencyLimit, Deadline, Faults, ReadCache, Retry, Traced};
//! use artifact_s3::layers::FaultRates;
//! use artifact_s3::{Bucket, MemoryS3, ObjectKey, RetryPolicy, S3Client};
//!
//! # let temporary = tempfile::tempdir()?;
//! # let folder = temporary.path().join("objects");
//! let s3 = MemoryS3::new(); // or HttpS3, which retries on its own, or a ComponentS3
//! let s3 = Faults::random(42, |_| FaultRates { before: 0.2, ..Default::default() }, s3);
//! let s3 = ConcurrencyLimit::new(16, s3);
//! let s3 = Deadline::new(Duration::from_secs(10), s3);
//! let s3 = Retry::new(RetryPolicy::default(), s3);
//! let s3 = ReadCache::open(folder, 1 << 30, s3).await?;
//! let s3 = Traced::new(s3);
//! assert_eq!(
//!     s3.to_string(),
//!     "Traced(ReadCache(1073741824, Retry(4, Deadline(10s, \
//!      ConcurrencyLimit(16, Faults(seed 42, MemoryS3))))))"
//! );
//!
//! let (bucket, key) = (Bucket::parse("artifacts")?, ObjectKey::parse("asm/patch-1")?);
//! s3.put_object(&bucket, &key, "diff".into(), &Default::default()).await?;
//! let object = s3.get_object(&bucket, &key, &Default::default()).await?;
//! assert_eq!(object.body.bytes().await?, "diff");
//! # Ok(())
//! # }
//! ```

mod layer;
pub use layer::{Answer, Attempt, Call, Layer};
// From the outside in, as one would nest them.
mod traced;
pub use traced::Traced;
mod read_cache;
pub use read_cache::ReadCache;
mod retry;
pub use retry::Retry;
mod deadline;
pub use deadline::Deadline;
mod concurrency_limit;
pub use concurrency_limit::ConcurrencyLimit;
mod fault_rates;
pub use fault_rates::FaultRates;
mod faults;
pub use faults::{Fault, Faults};
