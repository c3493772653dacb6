//! What it takes to read an object in parts.

use std::ops::Range;

use crate::{ByteRange, GetOptions, ObjectInfo};

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

impl GetOptions {
    /// The same read of some bytes only, and only if the object still has this etag.
    ///
    /// The other conditions held when the read began.
    pub(crate) fn of_part(&self, bytes: &Range<u64>, etag: &str) -> Self {
        let mut options = self.clone();
        options.range = Some(ByteRange::Closed(bytes.start, bytes.end - 1));
        options.if_match = Some(etag.to_owned());
        options.if_none_match = None;
        options.if_modified_since = None;
        options.if_unmodified_since = None;
        options
    }
}

impl ObjectInfo {
    /// The etag, where it tells whether an object is still the same to the byte.
    pub(crate) fn strong_etag(&self) -> Option<&str> {
        self.etag.as_deref().filter(|etag| !etag.starts_with("W/"))
    }
}
