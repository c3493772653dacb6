use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
};

/// The parts of an object, each handed out once: from the front to whom reads on, and
/// from the back to whom asks for parts.
#[derive(Debug)]
pub(super) struct Parts {
    size: u64,
    /// Of the object, where it is known.
    end: Option<u64>,
    count: u64,
    left: Mutex<Range<u64>>,
}

impl Parts {
    /// Of this size, but for the last.
    pub(super) fn new(length: u64, size: u64) -> Self {
        let count = length.div_ceil(size);
        Self { size, end: Some(length), count, left: Mutex::new(0..count) }
    }

    /// All bytes, however many.
    pub(super) fn one(length: Option<u64>) -> Self {
        Self { size: u64::MAX, end: length, count: 1, left: Mutex::new(0..1) }
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// How many could be read beside the first, as far as one can count.
    pub(super) fn others(&self) -> usize {
        usize::try_from(self.count.saturating_sub(1)).unwrap_or(usize::MAX)
    }

    /// Where the object ends.
    pub(super) fn end(&self) -> Option<u64> {
        self.end
    }

    pub(super) fn take_front(&self) -> Option<Range<u64>> {
        self.hand_out(Range::next)
    }

    pub(super) fn take_back(&self) -> Option<Range<u64>> {
        self.hand_out(Range::next_back)
    }

    fn hand_out(&self, take: impl FnOnce(&mut Range<u64>) -> Option<u64>) -> Option<Range<u64>> {
        let number = take(&mut self.left.lock().unwrap_or_else(PoisonError::into_inner))?;
        let start = number * self.size;
        let end = start.saturating_add(self.size);
        Some(start..self.end.map_or(end, |length| end.min(length)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_in_one_part() {
        for (length, size) in [(1, 1), (9, 10), (10, 10), (11, 10), (100, 7), (5, u64::MAX)] {
            let parts = Parts::new(length, size);
            let mut all = vec![parts.take_front().unwrap()];
            while let Some(part) = parts.take_back() {
                all.push(part);
                all.extend(parts.take_front());
            }
            all.sort_by_key(|part| part.start);
            assert_eq!(all.len() as u64, parts.count());
            assert_eq!((all[0].start, all[all.len() - 1].end), (0, length));
            assert!(all.windows(2).all(|two| two[0].end == two[1].start), "{all:?}");
        }
        assert_eq!(Parts::new(0, 10).take_front(), None);
        assert_eq!(Parts::one(None).take_front(), Some(0..u64::MAX));
        assert_eq!(Parts::one(Some(7)).take_back(), Some(0..7));
    }
}
