//! S3 behind a small, object-safe trait.
//!
//! [`S3Client`] is the port: six calls, named as S3 names them. Behind it are
//! [`HttpS3`] (signed HTTP to any S3-compatible service), [`MemoryS3`] (a test
//! double that behaves as S3 does) and, with the feature `mock`, `MockS3`
//! (expectations that are checked when it is dropped). Anything else that
//! implements the trait serves as well. [`layers`] go around any of them.
//!
//! This crate knows nothing of WebAssembly, and nothing of a command line.
//!
//! # Example: a round trip through the test double
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use artifact_s3::{Bucket, MemoryS3, ObjectKey, S3Client};
//!
//! let s3 = MemoryS3::with_buckets(["artifacts"])?;
//! let (bucket, key) = (Bucket::parse("artifacts")?, ObjectKey::parse("asm/patch-1")?);
//! s3.put_object(&bucket, &key, "diff".into(), &Default::default()).await?;
//!
//! let object = s3.get_object(&bucket, &key, &Default::default()).await?;
//! assert_eq!(object.body.bytes().await?, "diff");
//! # Ok(())
//! # }
//! ```

// In the order in which a put travels.
mod client;
pub use client::S3Client;
mod bucket;
pub mod layers;
pub use bucket::{Bucket, InvalidBucket};
mod object_key;
pub use object_key::{InvalidKey, ObjectKey};
mod body;
mod body_error;
mod file_chunks;
mod patience;
mod positioned;
mod spool;
pub use body::{Body, ByteStream};
mod options;
pub use options::{
    ByteRange, ChecksumAlgorithm, ContentHeaders, DeleteOptions, Encryption, GetOptions,
    ListOptions, PutOptions, WriteCondition,
};
mod object;
mod range;
pub use object::{DeleteOutcome, ListedObject, Listing, Object, ObjectInfo};
mod pages;
pub use pages::{list_all, list_pages};
mod error;
pub use error::{Operation, Redirect, S3Error, S3ErrorKind};
mod parallel_download;
pub use parallel_download::{DownloadError, ParallelDownload, ReadError};
mod memory;
pub use memory::{MemoryObject, MemoryS3};
#[cfg(feature = "mock")]
mod mock;
#[cfg(feature = "mock")]
pub use mock::MockS3;
mod capabilities;
pub use capabilities::{Capabilities, Feature, Finding};
mod http;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub use http::fuzzing;
pub use http::{
    AccessKey, Addressing, Check, ConfigError, Credentials, CredentialsProvider, CredentialsSource,
    CustomerKey, HttpS3, HttpS3Builder, Multipart, PresignedUrl, Probe, RetryPolicy,
    UnfinishedUpload, UploadChecksum,
};
