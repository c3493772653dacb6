//! What the filter `gzip` does: compression as RFC 1952 has it, piece by piece.
//!
//! Nothing here knows of components, so all of it is tested natively; the
//! component shell in `main.rs` only carries values across.

#![forbid(unsafe_code)]

mod decoder;
pub use decoder::Decoder;

mod encoder;
pub use encoder::Encoder;

mod fault;
pub use fault::Fault;

mod level;
pub use level::{InvalidSetting, Level};

pub use artifact_filter_pieces::Ready;

/// The most bytes in one answer. It is what bounds the memory for a zip bomb.
pub const ANSWER_BYTES: usize = 256 << 10;

/// The largest window that the format has, as a power of two.
const WINDOW_BITS: u8 = 15;
