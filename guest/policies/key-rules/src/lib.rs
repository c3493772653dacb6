//! What the policy `key-rules` decides: which keys may be named, and what an artifact
//! must be like to be put.
//!
//! Nothing here knows of components, so all of it is tested natively; the
//! component shell in `main.rs` only carries values across.

#![forbid(unsafe_code)]

mod glob;
pub use glob::{Glob, MAX_PATTERN_CHARS};

mod media_range;
pub use media_range::MediaRange;

mod settings;
pub use settings::InvalidSetting;

mod rules;
pub use rules::{Put, Rules};
