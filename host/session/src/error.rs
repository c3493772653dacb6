use std::error::Error;

/// Why a call to a session store failed.
///
/// `Display` is one sentence without the source.
///
/// ```
/// use artifact_session::{SessionError, SessionErrorKind};
///
/// // What a store over a database might say.
/// let error = SessionError::new(SessionErrorKind::Storage, "failed to save run run_1f…")
///     .retryable(true)
///     .caused_by(std::io::Error::other("the connection was lost"));
/// assert_eq!(error.to_string(), "failed to save run run_1f…");
/// assert!(error.is_retryable());
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SessionError {
    kind: SessionErrorKind,
    message: String,
    retryable: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What went wrong, in kinds that a program can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionErrorKind {
    /// There is no such session.
    SessionNotFound,
    /// There is no such run.
    RunNotFound,
    /// The session cannot be stored as it is.
    InvalidSession,
    /// The run cannot be stored as it is.
    InvalidRun,
    /// The event cannot be stored as it is; no event of the call was stored.
    InvalidEvent,
    /// What is behind the store failed: a database, a disk.
    Storage,
}

impl SessionError {
    /// An error of this kind, which is not retryable.
    pub fn new(kind: SessionErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retryable: false, source: None }
    }

    /// Says whether the same call may succeed later.
    #[must_use]
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }

    /// Adds what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> SessionErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }
}

/// A text that is no id, status or event type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, not {given:?}")]
pub struct ParseError {
    expected: &'static str,
    given: String,
}

impl ParseError {
    pub(crate) fn new(expected: &'static str, given: &str) -> Self {
        Self { expected, given: given.to_owned() }
    }
}
