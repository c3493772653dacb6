use std::ops::Range;

use crate::ByteRange;

impl ByteRange {
    /// Which bytes of an object of this size the range names; the end is excluded.
    ///
    /// A range may end past the end, and the last so many bytes may be more than there
    /// are; one that begins past the end names nothing.
    pub(crate) fn within(self, size: u64) -> Option<Range<u64>> {
        let (start, end) = match self {
            Self::Closed(first, last) => (first, last.saturating_add(1)),
            Self::From(first) => (first, size),
            Self::Last(count) => (size.saturating_sub(count), size),
        };
        (start < size).then(|| start..end.min(size))
    }
}
