//! Policies that come with the host: components of the world `policy` of `wit/`, to
//! stand in front of a store.
//!
//! Their sources, and what each does and needs to be granted, are in
//! `guest/policies`. Each is under 64 KiB:
//!
//! ```
//! use artifact_guests::policies::{
//!     AUDIT, CONTENT_ADDRESSED, KEY_RULES, READ_ONLY, RETENTION, TENANT,
//! };
//!
//! for policy in [READ_ONLY, TENANT, KEY_RULES, CONTENT_ADDRESSED, RETENTION, AUDIT] {
//!     assert!(policy.starts_with(b"\0asm"));
//! }
//! ```

/// Refuses put and delete, and passes on everything else.
///
/// It has no settings. Grant: get, head and list.
pub const READ_ONLY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/read-only.wasm"));

/// Keeps the artifacts of one tenant under `{tenant}/`, and shows nothing else.
///
/// Setting: `tenant` (required), 1 to 64 letters, digits, `-` and `_`. Grant: all
/// five operations on the keys under `{tenant}/`.
pub const TENANT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/tenant.wasm"));

/// Refuses what its settings do not allow, and leaves it out of listings.
///
/// Settings, none of them required: `allow` and `deny` (patterns of keys),
/// `max-bytes`, `require-metadata`, `content-types`. Grant: the operations that it
/// shall let through.
pub const KEY_RULES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/key-rules.wasm"));

/// Artifacts are called after the SHA-256 of their bytes, so that none is ever
/// replaced by another.
///
/// Setting: `mode`, `require` (default) or `assign`. Grant: the operations that it
/// shall let through, and `digest`.
pub const CONTENT_ADDRESSED: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/content-addressed.wasm"));

/// Neither overwrites nor deletes an artifact before a date.
///
/// Settings, one of them required: `keep-for` (a duration, from when it was written)
/// and `keep-until` (a date). Grant: the operations that it shall let through, head
/// among them, and `clock`.
pub const RETENTION: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/retention.wasm"));

/// Passes everything on, and writes one record of every call.
///
/// It has no settings. Grant: the operations that it shall let through, and `log`.
pub const AUDIT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/audit.wasm"));
