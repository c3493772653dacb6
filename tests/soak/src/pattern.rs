//! Bytes of any length that need neither memory nor disk: one block, over and over.

use std::{ops::Range, sync::OnceLock};

use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest};
use futures::{Stream, stream};

const BLOCK: u64 = 1 << 20;

/// The CRC64NVME of what comes by.
#[derive(Debug)]
pub struct Crc(Digest);

impl Crc {
    /// Of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Digest::new(CrcAlgorithm::Crc64Nvme))
    }

    /// Takes more.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Of all that came.
    #[must_use]
    pub fn finalize(&self) -> u64 {
        self.0.finalize()
    }
}

impl Default for Crc {
    fn default() -> Self {
        Self::new()
    }
}

/// The CRC64NVME of two sequences of bytes, one behind the other, the second of `length`.
#[must_use]
pub fn joined(first: u64, second: u64, length: u64) -> u64 {
    crc_fast::checksum_combine(CrcAlgorithm::Crc64Nvme, first, second, length)
}

/// The CRC64NVME of the first so many bytes.
#[must_use]
pub fn crc(length: u64) -> u64 {
    let mut crc = Crc::new();
    let mut position = 0;
    while let Some(piece) = piece(position, length) {
        crc.update(&piece);
        position += piece.len() as u64;
    }
    crc.finalize()
}

/// The bytes from one position to another, piece by piece.
pub fn stream(range: Range<u64>) -> impl Stream<Item = Bytes> + Send {
    stream::unfold(range.start, move |position| async move {
        let piece = piece(position, range.end)?;
        let next = position + piece.len() as u64;
        Some((piece, next))
    })
}

/// The bytes from a position up to `end` or that of the block; none at the end.
#[must_use]
pub fn piece(position: u64, end: u64) -> Option<Bytes> {
    static ALL: OnceLock<Bytes> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let mut block = vec![0; 1 << 20];
        fastrand::Rng::with_seed(7).fill(&mut block);
        block.into()
    });
    let first = position % BLOCK;
    let length = end.checked_sub(position)?.min(BLOCK - first);
    let place = |at: u64| usize::try_from(at).unwrap_or_default();
    (length > 0).then(|| all.slice(place(first)..place(first + length)))
}
