//! What the policy `content-addressed` decides: which key an artifact with a given
//! digest may be put under.
//!
//! Nothing here knows of components, so all of it is tested natively; the
//! component shell in `main.rs` only carries values across.

#![forbid(unsafe_code)]

mod mode;
pub use mode::{InvalidSetting, Mode};

mod place;
pub use place::{PLACEHOLDER, place};
