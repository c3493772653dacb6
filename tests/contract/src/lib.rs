//! What every S3 client must do, as cases that run against any of them.
//!
//! [`clients::cases`] is the table; `tests/clients.rs` runs it on each client and
//! server. A case that a server cannot pass, for a reason of the server's, names the
//! [`Capability`](clients::Capability) that it needs, and is shown as ignored.

pub mod clients;
pub mod stores;
