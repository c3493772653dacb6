//! The components that come with the host, as bytes.
//!
//! The build script compiles each from its source in this workspace, so no
//! binary is kept in the repository and none can be older than its source.

/// The default store component, world `artifact-store` of `wit/`.
///
/// It puts the setting `prefix` before each key, keeps the artifact in the
/// bucket of the setting `bucket`, and says what S3's errors mean. Its source is
/// `guest/store`. A component in binary form, under 64 KiB:
///
/// ```
/// assert!(artifact_guests::STORE.starts_with(b"\0asm"));
/// ```
pub const STORE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/store.wasm"));

pub mod filters;
pub mod policies;

/// A component that attacks its host, as its setting `attack` says: for tests.
#[cfg(feature = "hostile")]
pub const HOSTILE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hostile.wasm"));

/// A filter that attacks its host and what it is given, likewise.
#[cfg(feature = "hostile")]
pub const HOSTILE_FILTER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hostile-filter.wasm"));

/// A policy that attacks its host and its neighbours, likewise.
#[cfg(feature = "hostile")]
pub const HOSTILE_POLICY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hostile-policy.wasm"));

/// An S3 client that attacks its host, likewise.
#[cfg(feature = "hostile")]
pub const HOSTILE_S3: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hostile-s3.wasm"));

/// An S3 client that keeps objects in its own memory, world `s3-client` of `wit/`: for
/// tests, and as an example. Its source is `guest/memory-s3`.
///
/// Settings: `buckets` (names with commas between; any bucket, if not set) and `capacity`
/// (bytes that it keeps; 8 MiB, if not set). Some 115 KiB: with MD5, and maps in order.
#[cfg(feature = "memory-s3")]
pub const MEMORY_S3: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/memory-s3.wasm"));
