use std::ops::Range;

use super::answers;
use crate::{ByteRange, S3Error};

/// Which bytes of an object of this size a range names.
///
/// A range may end past the end, and the last so many bytes may be more than there
/// are; a range that begins past the end names nothing, and is an error.
pub(super) fn resolve(range: Option<ByteRange>, size: usize) -> Result<Range<usize>, S3Error> {
    let Some(range) = range else {
        return Ok(0..size);
    };
    let bytes = range.within(size as u64).ok_or_else(answers::invalid_range)?;
    // Both lie within the size.
    let position = |at: u64| usize::try_from(at).unwrap_or(size);
    Ok(position(bytes.start)..position(bytes.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_clipped_at_the_end() {
        let range = |range| resolve(Some(range), 10).ok();
        assert_eq!(range(ByteRange::Closed(0, 0)), Some(0..1));
        assert_eq!(range(ByteRange::Closed(2, 4)), Some(2..5));
        assert_eq!(range(ByteRange::Closed(8, u64::MAX)), Some(8..10));
        assert_eq!(range(ByteRange::From(9)), Some(9..10));
        assert_eq!(range(ByteRange::Last(3)), Some(7..10));
        assert_eq!(range(ByteRange::Last(u64::MAX)), Some(0..10));
        assert_eq!(resolve(None, 10).ok(), Some(0..10));
        assert_eq!(resolve(None, 0).ok(), Some(0..0));
    }

    #[test]
    fn a_range_that_begins_past_the_end_is_refused() {
        for range in [ByteRange::Closed(10, 12), ByteRange::From(10), ByteRange::From(u64::MAX)] {
            let error = resolve(Some(range), 10).unwrap_err();
            assert_eq!((error.status(), error.code()), (Some(416), Some("InvalidRange")));
        }
        assert!(resolve(Some(ByteRange::Last(1)), 0).is_err());
        assert!(resolve(Some(ByteRange::From(0)), 0).is_err());
    }
}
