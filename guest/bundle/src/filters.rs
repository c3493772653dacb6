//! Filters that come with the host: components of the world `content-filter` of `wit/`,
//! to change the bytes on their way to a store and back.
//!
//! Their sources, and what each does and needs to be granted, are in
//! `guest/filters`. Each is under 160 KiB:
//!
//! ```
//! use artifact_guests::filters::{ENCRYPT, GZIP};
//!
//! for filter in [ENCRYPT, GZIP] {
//!     assert!(filter.starts_with(b"\0asm"));
//! }
//! ```

/// Stores artifacts compressed, with the content encoding `gzip`.
///
/// Setting: `level` (6, if not set), 0 to 9. Grant: a growth of 1100, since no byte of
/// gzip stands for more than 1,032.
pub const GZIP: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/gzip.wasm"));

/// Stores artifacts encrypted and authenticated, with the content encoding
/// `x-artifact-encrypt`.
///
/// Settings: `key` (required), 64 hexadecimal digits; `old-keys`, such keys between
/// commas, which only decrypt. Grant: the default.
pub const ENCRYPT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/encrypt.wasm"));
