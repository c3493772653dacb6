//! What the policy `retention` decides: until when an artifact is kept.
//!
//! Nothing here knows of components, so all of it is tested natively; the
//! component shell in `main.rs` looks, asks here, and acts on a condition.

#![forbid(unsafe_code)]

mod retention;
pub use retention::{InvalidSetting, Retention};

mod time;
