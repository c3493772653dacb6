use std::fmt;

use bytes::Bytes;

/// What an object holds: bytes that follow from a number that no other put has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    id: u64,
    length: usize,
}

impl Content {
    pub(crate) fn new(id: u64, length: usize) -> Self {
        Self { id, length }
    }

    pub(crate) fn length(self) -> usize {
        self.length
    }

    pub(crate) fn bytes(self) -> Bytes {
        let mut bytes = vec![0; self.length];
        fastrand::Rng::with_seed(self.id).fill(&mut bytes);
        bytes.into()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:x} of {} bytes", self.id, self.length)
    }
}

/// A length as artifacts have them: most are small, some go in parts.
pub(crate) fn length(random: &mut fastrand::Rng) -> usize {
    match random.u8(..100) {
        0..5 => 0,
        5..60 => random.usize(1..64 * 1024),
        60..92 => random.usize(64 * 1024..1024 * 1024),
        _ => random.usize(5 * 1024 * 1024..14 * 1024 * 1024),
    }
}
