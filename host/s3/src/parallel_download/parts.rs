use std::{
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::{self, Notify},
    time::timeout,
};

use crate::patience::PATIENCE;

/// The parts of an object, each handed out once: from the front to whom reads on, and
/// from the back to whom asks for parts.
#[derive(Debug)]
pub(super) struct Parts {
    size: u64,
    /// Of the object, where it is known.
    end: Option<u64>,
    count: u64,
    left: Mutex<Left>,
    handed_out: Notify,
    /// Whose turn it is to ask for parts from the back.
    turn: sync::Mutex<FromBack>,
}

#[derive(Debug)]
struct Left {
    parts: Range<u64>,
    /// The last part, while nobody knows whether it is given.
    asked_for: Option<u64>,
}

/// Whether parts are given. Not every service, and not every policy, gives parts on a
/// condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum FromBack {
    #[default]
    Unknown,
    Given,
    Refused,
}

impl Parts {
    /// Of this size, but for the last.
    pub(super) fn new(length: u64, size: u64) -> Self {
        Self::of(size, Some(length), length.div_ceil(size))
    }

    /// All bytes, however many.
    pub(super) fn one(length: Option<u64>) -> Self {
        Self::of(u64::MAX, length, 1)
    }

    fn of(size: u64, end: Option<u64>, count: u64) -> Self {
        let left = Mutex::new(Left { parts: 0..count, asked_for: None });
        Self { size, end, count, left, handed_out: Notify::new(), turn: sync::Mutex::default() }
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

    /// The next one; at last the one that is asked for and not given yet. It might never be,
    /// as where only so many requests are let through.
    pub(super) fn take_front(&self) -> Option<Range<u64>> {
        self.hand_out(|left| left.parts.next().or_else(|| left.asked_for.take()))
    }

    /// The turn of one who would take parts from the back, when it is worth while to have
    /// another request: when no part was taken for a while, and some are left.
    pub(super) async fn turn(&self) -> Option<sync::MutexGuard<'_, FromBack>> {
        let turn = self.turn.lock().await;
        loop {
            let next = self.handed_out.notified();
            if *turn == FromBack::Refused || self.left().parts.is_empty() {
                return None;
            }
            if timeout(PATIENCE, next).await.is_err() {
                return Some(turn);
            }
        }
    }

    pub(super) fn take_back(&self) -> Option<Range<u64>> {
        self.hand_out(|left| left.parts.next_back())
    }

    /// The last part, to ask whether it is given.
    pub(super) fn ask_back(&self) -> Option<Range<u64>> {
        self.hand_out(|left| {
            left.asked_for = left.parts.next_back();
            left.asked_for
        })
    }

    /// Waits until the part that is asked for was read from the front.
    pub(super) async fn taken_over(&self) {
        loop {
            let next = self.handed_out.notified();
            if self.left().asked_for.is_none() {
                return;
            }
            next.await;
        }
    }

    /// The part that was asked for is given; false if it was read from the front meanwhile.
    pub(super) fn given(&self, mut turn: sync::MutexGuard<'_, FromBack>) -> bool {
        *turn = FromBack::Given;
        self.left().asked_for.take().is_some()
    }

    /// The part that was asked for is left to who reads on, as are all others.
    pub(super) fn refused(&self, mut turn: sync::MutexGuard<'_, FromBack>) {
        *turn = FromBack::Refused;
        let mut left = self.left();
        if left.asked_for.take().is_some() {
            left.parts.end += 1;
        }
    }

    fn hand_out(&self, take: impl FnOnce(&mut Left) -> Option<u64>) -> Option<Range<u64>> {
        let number = take(&mut self.left())?;
        self.handed_out.notify_waiters();
        let start = number * self.size;
        let end = start.saturating_add(self.size);
        Some(start..self.end.map_or(end, |length| end.min(length)))
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
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

    #[tokio::test(start_paused = true)]
    async fn others_come_where_no_part_ends_for_a_while() {
        let parts = Parts::new(100, 10);
        parts.take_front().unwrap();
        let quick = async {
            for _ in 0..5 {
                tokio::time::sleep(PATIENCE / 2).await;
                parts.take_front().unwrap();
            }
            tokio::time::Instant::now()
        };
        let (last, came) = tokio::join!(quick, async {
            let turn = parts.turn().await;
            (turn.is_some(), tokio::time::Instant::now())
        });
        assert_eq!(came, (true, last + PATIENCE));
        while parts.take_back().is_some() {}
        assert!(parts.turn().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_part_that_is_asked_for_is_read_from_the_front_where_it_is_not_given() {
        let asked = async || {
            let parts = Parts::new(30, 10);
            assert_eq!(parts.take_front(), Some(0..10));
            assert_eq!(parts.turn().await.as_deref(), Some(&FromBack::Unknown));
            assert_eq!(parts.ask_back(), Some(20..30));
            assert_eq!(parts.take_front(), Some(10..20));
            parts
        };
        let parts = asked().await;
        parts.refused(parts.turn.lock().await);
        assert_eq!(parts.take_front(), Some(20..30));
        assert!(parts.turn().await.is_none());

        let parts = asked().await;
        let (last, ()) = tokio::join!(async { parts.take_front() }, parts.taken_over());
        assert_eq!((last, parts.take_front()), (Some(20..30), None));
        assert!(!parts.given(parts.turn.lock().await));

        let parts = asked().await;
        assert!(parts.given(parts.turn.lock().await));
        assert_eq!(parts.take_front(), None);
    }
}
