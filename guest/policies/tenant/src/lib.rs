//! What the policy `tenant` decides: where a tenant's artifacts are kept, which of
//! them a listing shows, and how errors from beneath are told.
//!
//! Nothing here knows of components, so all of it is tested natively; the
//! component shell in `main.rs` only carries values across.

#![forbid(unsafe_code)]

mod tenant;
pub use tenant::{InvalidKey, InvalidTenant, MAX_NAME_BYTES, Tenant};

mod message;
pub use message::{not_found, told};
