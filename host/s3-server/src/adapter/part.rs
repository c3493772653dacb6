use artifact_s3::ByteRange;

/// The first and last byte of a range that was read.
pub(super) struct Part {
    first: u64,
    last: u64,
}

impl Part {
    /// The client answered, so the range names at least one byte.
    pub(super) fn of(range: ByteRange, size: u64) -> Self {
        let end = size.saturating_sub(1);
        match range {
            ByteRange::Closed(first, last) => Self { first, last: last.min(end) },
            ByteRange::From(first) => Self { first, last: end },
            ByteRange::Last(count) => Self { first: size.saturating_sub(count), last: end },
        }
    }

    pub(super) fn length(&self) -> u64 {
        (self.last + 1).saturating_sub(self.first)
    }

    pub(super) fn header(&self, size: u64) -> String {
        format!("bytes {}-{}/{size}", self.first, self.last)
    }
}
