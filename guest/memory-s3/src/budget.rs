use std::{cell::Cell, rc::Rc};

use crate::{answers, bindings::agent::artifacts::types::S3Error};

/// How many bytes may be kept in all. A component whose memory ends traps, and takes every
/// object along; so it stops before.
#[derive(Clone, Debug)]
pub struct Budget(Rc<Cell<usize>>);

impl Budget {
    /// One of so many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self(Rc::new(Cell::new(bytes)))
    }

    /// Sets bytes aside until the share is dropped.
    pub fn take(&self, bytes: usize) -> Result<Share, S3Error> {
        let mut share = Share { budget: self.clone(), bytes: 0 };
        share.grow(bytes)?;
        Ok(share)
    }

    /// How many bytes are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.0.get()
    }
}

/// A part of a budget.
#[derive(Debug)]
pub struct Share {
    budget: Budget,
    bytes: usize,
}

impl Share {
    /// Takes more of the same budget.
    pub fn grow(&mut self, bytes: usize) -> Result<(), S3Error> {
        let left = self.budget.left().checked_sub(bytes).ok_or_else(answers::full)?;
        self.budget.0.set(left);
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.set(self.budget.left() + self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_given_back_and_no_more_is_taken_than_there_is() {
        let budget = Budget::new(10);
        let mut share = budget.take(4).unwrap();
        share.grow(6).unwrap();
        assert_eq!(share.grow(1).unwrap_err().status, Some(507));
        assert!(budget.take(1).is_err());
        drop(share);
        assert_eq!(budget.left(), 10);
    }
}
