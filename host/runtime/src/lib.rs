//! Stores artifacts in S3 through a sandboxed WebAssembly component.
//!
//! An application calls put, get, head, list and delete on an [`ArtifactStore`].
//! A component in a sandbox decides what the object is called and what an error
//! means; the host makes the S3 calls, and confines them to the store's bucket
//! and prefix whatever the component says. The bytes of an artifact never enter
//! the component.
//!
//! # Example: store an artifact and read it back
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), artifact_store::Error> {
//! use artifact_store::{ArtifactStore, ErrorKind, s3::MemoryS3};
//!
//! let store = ArtifactStore::builder()
//!     .bucket("my-artifacts")
//!     .prefix("asm/artifacts/")
//!     .client(MemoryS3::new()) // or HttpS3::from_env().await?, or your own S3Client
//!     .start()
//!     .await?;
//!
//! store.put("patch-abc123", "--- a/file\n+++ b/file\n").await?;
//! let patch = store.get("patch-abc123").await?.bytes().await?;
//! assert_eq!(patch, "--- a/file\n+++ b/file\n");
//!
//! store.delete("patch-abc123").await?;
//! store.delete("patch-abc123").await?; // a second time is fine too
//! let error = store.get("patch-abc123").await.unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::NotFound);
//! # Ok(())
//! # }
//! ```

/// The S3 side: the [`S3Client`](s3::S3Client) trait, its clients and its types.
pub use artifact_s3 as s3;
pub use artifact_s3::{
    Body, ByteRange, ChecksumAlgorithm, ContentHeaders, DeleteOptions, Encryption, GetOptions,
    ListOptions, ListedObject, Listing, ObjectInfo, PutOptions, WriteCondition,
};

// In the order in which a put travels.
mod port;
pub use port::Store;
mod artifact_store;
pub use artifact_store::ArtifactStore;
mod artifact;
pub use artifact::Artifact;
mod to_file;
pub use artifact_s3::{DownloadError, ParallelDownload};
mod builder;
pub use builder::StoreBuilder;
mod call;
mod link;
mod outside;
mod plan;
mod supervisor;
pub use supervisor::Supervision;
mod health;
pub use health::{Health, PolicyHealth, PolicyState};
mod layer;
mod policy;
mod spare;
pub use policy::{OnFailure, Policy};
mod policy_grant;
pub use policy_grant::PolicyGrant;
mod filter;
pub use filter::{Filter, FilterGrant};
mod coded_body;
mod coder;
mod filter_layer;
mod instance;
mod instances;
pub use instances::Instances;
mod names;
mod sandbox;
pub use artifact_compiled::{CodeCache, CompileLimits, Compiler};
pub use sandbox::{Sandbox, compile_if_asked};
mod limits;
pub use limits::Limits;
mod component;
pub use component::StoreComponent;
mod component_s3;
pub use component_s3::{ComponentS3, ComponentS3Builder};
mod inspection;
pub use inspection::{FileKind, Inspection, Interface};
mod world;
pub use world::{Import, World};
mod bindings;
mod clock_import;
mod convert;
mod digest_import;
mod empty_wasi;
mod error;
mod grant;
mod guest;
mod handles;
mod log_import;
mod s3_import;
mod settings;
mod store_import;
mod trap;
mod turns;
pub use error::{Blame, Error, ErrorKind, Operation};

/// Compiles what the README shows.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
