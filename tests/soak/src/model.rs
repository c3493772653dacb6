use std::{
    fmt,
    time::{Duration, Instant},
};

use artifact_s3::ObjectKey;

use crate::{content::Content, report::Violation};

/// After so long nothing of an operation that failed can still happen: the connection
/// is gone, and with it the request, and what the server does by itself takes less.
const SETTLES_AFTER: Duration = Duration::from_secs(5);

/// Lines that are kept of what was done to a key.
const MOST_LINES: usize = 60;

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Absent,
    Holds(Content),
}

/// A key, and all that it may hold.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: ObjectKey,
    /// One, where every operation on it said what it did.
    states: Vec<State>,
    /// The etag that the last write said, if it was acknowledged.
    pub(crate) etag: Option<String>,
    unsettled: Option<Instant>,
    log: Vec<String>,
    begun: Instant,
}

impl Key {
    /// A key that was never written to.
    pub(crate) fn new(name: ObjectKey, begun: Instant) -> Self {
        Self {
            name,
            states: vec![State::Absent],
            etag: None,
            unsettled: None,
            log: Vec::new(),
            begun,
        }
    }

    /// What it holds, where that is certain.
    pub(crate) fn settled(&self) -> Option<State> {
        match self.states[..] {
            [state] => Some(state),
            _ => None,
        }
    }

    /// What it holds, where that is certain, and something.
    pub(crate) fn present(&self) -> Option<Content> {
        match self.settled()? {
            State::Holds(content) => Some(content),
            State::Absent => None,
        }
    }

    pub(crate) fn may_hold(&self, state: State) -> bool {
        self.states.contains(&state)
    }

    /// What it may hold, apart from nothing.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = Content> {
        self.states.iter().filter_map(|state| match state {
            State::Holds(content) => Some(*content),
            State::Absent => None,
        })
    }

    /// Whether what a look at it shows is what it holds from now on.
    pub(crate) fn can_settle(&self) -> bool {
        self.unsettled.is_some_and(|since| since.elapsed() > SETTLES_AFTER)
    }

    /// An operation was acknowledged, or seen to have happened.
    pub(crate) fn is(&mut self, state: State, etag: Option<String>) {
        self.states = vec![state];
        (self.etag, self.unsettled) = (etag, None);
    }

    /// An operation failed, and may have happened nevertheless, or still happen.
    pub(crate) fn may_be(&mut self, state: State) {
        if !self.may_hold(state) {
            self.states.push(state);
        }
        (self.etag, self.unsettled) = (None, Some(Instant::now()));
    }

    pub(crate) fn log(&mut self, line: impl fmt::Display) {
        if self.log.len() == MOST_LINES {
            self.log.remove(0);
        }
        let at = self.begun.elapsed().as_secs_f64();
        self.log.push(format!("{at:9.3} s  {line}"));
    }

    pub(crate) fn violated(&self, what: impl fmt::Display) -> Violation {
        let states = &self.states;
        Violation {
            key: self.name.to_string(),
            what: format!("{what}; the model has {states:?}"),
            log: self.log.clone(),
        }
    }
}
