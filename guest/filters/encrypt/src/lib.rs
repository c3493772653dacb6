//! What the filter `encrypt` does: ChaCha20-Poly1305 in the STREAM construction, with a
//! key for each artifact.
//!
//! The format is in the README. Nothing here knows of components, so all of it is
//! tested natively; the component shell in `main.rs` only carries values across.
//!
//! STREAM: Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its
//! Nonce-Reuse Misuse-Resistance, 2015, <https://eprint.iacr.org/2015/189>.

#![forbid(unsafe_code)]

mod decoder;
pub use decoder::Decoder;

mod encoder;
pub use encoder::Encoder;

mod fault;
pub use fault::Fault;

mod format;

mod keys;
pub use keys::{InvalidSetting, Keys};

mod stream;

pub use artifact_filter_pieces::Ready;

/// What the stored object says of itself, so that nobody takes it for something that
/// they can read: behind `gzip`, for instance, it would else pass for plain gzip. It
/// is registered nowhere.
pub const CONTENT_ENCODING: &str = "x-artifact-encrypt";

/// The most segments in one answer: as many as a chunk of 256 KiB fills.
const ANSWER_SEGMENTS: usize = 4;
