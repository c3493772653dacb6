use std::{error::Error as StdError, fmt};

use artifact_s3::{S3Error, S3ErrorKind};

/// Why a call, or a start, failed: everything that is known of it.
///
/// `Display` is one sentence without the source; walk [`std::error::Error::source`]
/// for the rest. No secret is ever part of it.
///
/// ```
/// # #[tokio::main]
/// # async fn main() {
/// use artifact_store::{ArtifactStore, Blame, ErrorKind};
///
/// let error = ArtifactStore::builder().start().await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidConfig);
/// assert_eq!(error.blame(), Blame::Caller);
/// assert!(!error.is_retryable());
/// # }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    blame: Blame,
    message: String,
    retryable: bool,
    operation: Option<Operation>,
    key: Option<String>,
    s3: Option<S3Error>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What went wrong, in kinds that a program can act on.
///
/// Source: `error-code` in `wit/types.wit`, and what only the host can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no such artifact.
    NotFound,
    /// A read condition said that the caller's copy is current.
    NotModified,
    /// A condition of the call did not hold.
    PreconditionFailed,
    /// The key is empty, too long, or would leave the store's prefix; nothing was sent.
    InvalidKey,
    /// An option that this store or service cannot honour.
    InvalidRequest,
    /// The storage refuses the credentials, or what they ask for.
    AccessDenied,
    /// A policy refused the call, or asked for what it is not granted.
    PolicyDenied,
    /// A component failed: it trapped, or used up what it was granted.
    PolicyFailed,
    /// No answer in time.
    Timeout,
    /// The storage cannot be reached, or asks to be called less often.
    Unavailable,
    /// Everything else that the storage reports.
    StorageError,
    /// The store cannot be started as it was configured.
    InvalidConfig,
    /// Another store in this process has the name.
    NameInUse,
    /// The store was stopped.
    Stopped,
}

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// Who called: the key, the options, the configuration.
    Caller,
    /// The component that decides. What a component says is never blamed on
    /// anybody else, unless the host knows it to be so.
    Policy,
    /// The S3 service, or the way to it.
    Storage,
    /// This library, or the machine that it runs on.
    Host,
}

/// The call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the methods'")]
pub enum Operation {
    Put,
    Get,
    Head,
    Delete,
    List,
}

impl Operation {
    /// The name in lower case: `put`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Get => "get",
            Self::Head => "head",
            Self::Delete => "delete",
            Self::List => "list",
        }
    }
}

impl ErrorKind {
    /// The name in lower case: `not-found`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::NotModified => "not-modified",
            Self::PreconditionFailed => "precondition-failed",
            Self::InvalidKey => "invalid-key",
            Self::InvalidRequest => "invalid-request",
            Self::AccessDenied => "access-denied",
            Self::PolicyDenied => "policy-denied",
            Self::PolicyFailed => "policy-failed",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::StorageError => "storage-error",
            Self::InvalidConfig => "invalid-config",
            Self::NameInUse => "name-in-use",
            Self::Stopped => "stopped",
        }
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, blame: Blame, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            blame,
            message: message.into(),
            retryable: false,
            operation: None,
            key: None,
            s3: None,
            source: None,
        }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidConfig, Blame::Caller, message)
    }

    pub(crate) fn on(mut self, operation: Operation, key: Option<&str>) -> Self {
        self.0.operation = Some(operation);
        self.0.key = key.map(str::to_owned);
        self
    }

    pub(crate) fn retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    pub(crate) fn blamed_on(mut self, blame: Blame) -> Self {
        self.0.blame = blame;
        self
    }

    pub(crate) fn caused_by_s3(mut self, s3: Option<S3Error>) -> Self {
        self.0.s3 = s3;
        self
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// A failure that the host itself saw on the S3 side, while bytes came in.
    pub(crate) fn from_s3(s3: S3Error, message: impl Into<String>) -> Self {
        let kind = match s3.kind() {
            S3ErrorKind::NoSuchKey => ErrorKind::NotFound,
            S3ErrorKind::PreconditionFailed => ErrorKind::PreconditionFailed,
            S3ErrorKind::AccessDenied => ErrorKind::AccessDenied,
            S3ErrorKind::Timeout => ErrorKind::Timeout,
            S3ErrorKind::Throttled | S3ErrorKind::Unreachable => ErrorKind::Unavailable,
            _ => ErrorKind::StorageError,
        };
        Self::new(kind, blame_of(&s3), message).retryable(s3.is_retryable()).caused_by_s3(Some(s3))
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whose fault it is.
    #[must_use]
    pub fn blame(&self) -> Blame {
        self.0.blame
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Which call failed; none at the start of a store.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        self.0.operation
    }

    /// The caller's key, without the store's prefix.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// The S3 error behind it: status, code, request id, and its own source.
    ///
    /// Always the one that the host saw, never one that a component made up.
    #[must_use]
    pub fn s3(&self) -> Option<&S3Error> {
        self.0.s3.as_ref()
    }
}

/// Whose fault an S3 error is, where the host saw it itself.
pub(crate) fn blame_of(s3: &S3Error) -> Blame {
    match s3.kind() {
        S3ErrorKind::NoSuchKey
        | S3ErrorKind::PreconditionFailed
        | S3ErrorKind::NotModified
        | S3ErrorKind::InvalidRange
        | S3ErrorKind::InvalidRequest
        | S3ErrorKind::BodyFailed => Blame::Caller,
        S3ErrorKind::NotGranted => Blame::Policy,
        S3ErrorKind::NoSuchBucket
        | S3ErrorKind::AccessDenied
        | S3ErrorKind::Integrity
        | S3ErrorKind::Throttled
        | S3ErrorKind::Timeout
        | S3ErrorKind::Unreachable
        | S3ErrorKind::Service => Blame::Storage,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, blame, message, retryable, operation, key, s3, source } = &*self.0;
        f.debug_struct("Error")
            .field("kind", kind)
            .field("blame", blame)
            .field("message", message)
            .field("retryable", retryable)
            .field("operation", operation)
            .field("key", key)
            .field("s3", s3)
            .field("source", source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match (&self.0.s3, &self.0.source) {
            (Some(s3), _) => Some(s3),
            (None, Some(source)) => Some(source.as_ref()),
            (None, None) => None,
        }
    }
}
