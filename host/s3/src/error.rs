use std::{error::Error, fmt, io, sync::Arc, time::Duration};

/// Why an S3 call failed: everything that is known of it.
///
/// Cheap to clone. `Display` is one sentence without the source; the source is
/// given by [`Error::source`]. No secret is ever part of it.
#[derive(Clone)]
pub struct S3Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: S3ErrorKind,
    operation: Option<Operation>,
    target: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    message: String,
    request_id: Option<String>,
    retryable: bool,
    redirect: Option<Redirect>,
    attempts: u32,
    elapsed: Option<Duration>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What went wrong, in kinds that a program can act on.
///
/// Source: `s3-error-kind` in `wit/types.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum S3ErrorKind {
    /// No object has this key (or no such version).
    NoSuchKey,
    /// The bucket does not exist.
    NoSuchBucket,
    /// A condition of the call did not hold.
    PreconditionFailed,
    /// A read condition said that the caller's copy is current.
    NotModified,
    /// The range lies outside the object.
    InvalidRange,
    /// The credentials are missing, wrong, expired, or not allowed to do this.
    AccessDenied,
    /// The request cannot be sent as it is; nothing was sent.
    InvalidRequest,
    /// The body to be stored failed, or was shorter or longer than it said.
    BodyFailed,
    /// The bytes that arrived are not the bytes that were sent.
    Integrity,
    /// The service asks to be called less often.
    Throttled,
    /// No answer in time.
    Timeout,
    /// The service could not be reached, or the connection broke.
    Unreachable,
    /// The host does not grant this call to this component.
    NotGranted,
    /// Any other answer of the service.
    Service,
}

impl S3ErrorKind {
    /// Whether the same call may succeed later, as far as the kind tells.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Throttled | Self::Timeout | Self::Unreachable)
    }
}

impl fmt::Display for S3ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchKey => "no such key",
            Self::NoSuchBucket => "no such bucket",
            Self::PreconditionFailed => "precondition failed",
            Self::NotModified => "not modified",
            Self::InvalidRange => "invalid range",
            Self::AccessDenied => "access denied",
            Self::InvalidRequest => "invalid request",
            Self::BodyFailed => "body failed",
            Self::Integrity => "integrity",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::NotGranted => "not granted",
            Self::Service => "service error",
        })
    }
}

/// The S3 call that failed, by its name in the S3 API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are S3's")]
pub enum Operation {
    PutObject,
    GetObject,
    HeadObject,
    DeleteObject,
    CopyObject,
    ListObjectsV2,
    CreateMultipartUpload,
    UploadPart,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    ListMultipartUploads,
    DeleteObjects,
    GetObjectTagging,
    HeadBucket,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Where the service says that a bucket is to be found instead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redirect {
    /// The bucket's region (`x-amz-bucket-region`).
    pub region: Option<String>,
    /// The endpoint that the service names.
    pub endpoint: Option<String>,
}

impl S3Error {
    /// An error of this kind. Whether it is retryable follows from the kind.
    pub fn new(kind: S3ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            operation: None,
            target: None,
            status: None,
            code: None,
            message: message.into(),
            request_id: None,
            retryable: kind.is_transient(),
            redirect: None,
            attempts: 1,
            elapsed: None,
            source: None,
        }))
    }

    /// Says which call it was, and on what (`bucket/key`).
    #[must_use]
    pub fn on(mut self, operation: Operation, target: impl Into<String>) -> Self {
        self.0.operation = Some(operation);
        self.0.target = Some(target.into());
        self
    }

    /// Says what the service answered: HTTP status, S3 code, request id.
    #[must_use]
    pub fn answered(
        mut self,
        status: u16,
        code: Option<String>,
        request_id: Option<String>,
    ) -> Self {
        self.0.status = Some(status);
        self.0.code = code;
        self.0.request_id = request_id;
        self
    }

    /// Says whether the same call may succeed later.
    #[must_use]
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// Says where the service points to instead.
    #[must_use]
    pub fn redirected(mut self, redirect: Redirect) -> Self {
        self.0.redirect = Some(redirect);
        self
    }

    /// Says how often the call was tried, and for how long in all, pauses included.
    #[must_use]
    pub fn after_attempts(mut self, attempts: u32, elapsed: Duration) -> Self {
        self.0.attempts = attempts;
        self.0.elapsed = Some(elapsed);
        self
    }

    /// Adds a sentence to the message.
    #[must_use]
    pub(crate) fn noting(mut self, note: Option<String>) -> Self {
        if let Some(note) = note {
            let message = &mut self.0.message;
            if !message.is_empty() {
                message.push_str("; ");
            }
            message.push_str(&note);
        }
        self
    }

    /// Adds what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Adds to the message what to do.
    #[must_use]
    pub(crate) fn advised(mut self, advice: &str) -> Self {
        let message = self.0.message.trim_end_matches('.');
        self.0.message =
            if message.is_empty() { advice.to_owned() } else { format!("{message}; {advice}") };
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> S3ErrorKind {
        self.0.kind
    }

    /// Which S3 call it was.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        self.0.operation
    }

    /// The bucket and key that the call named, as `bucket/key`.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.0.target.as_deref()
    }

    /// The HTTP status, where the service answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The S3 error code, such as `SlowDown`, where the service gave one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// What the service, or the client, says of it.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The service's name for the request: what its support will ask for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Where the service points to instead.
    #[must_use]
    pub fn redirect(&self) -> Option<&Redirect> {
        self.0.redirect.as_ref()
    }

    /// How often the call was tried.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long the call took in all, pauses included, where anything was sent.
    #[must_use]
    pub fn elapsed(&self) -> Option<Duration> {
        self.0.elapsed
    }
}

impl fmt::Display for S3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            operation, target, status, code, message, request_id, attempts, elapsed, ..
        } = &*self.0;
        if let (Some(operation), Some(target)) = (operation, target) {
            write!(f, "{operation} of {target:?}: ")?;
        }
        write!(f, "{}", self.0.kind)?;
        if !message.is_empty() {
            write!(f, ": {message}")?;
        }
        let details: Vec<String> = [
            status.map(|status| format!("HTTP {status}")),
            code.clone(),
            request_id.as_ref().map(|id| format!("request id {id}")),
            (*attempts > 1).then(|| match elapsed {
                Some(elapsed) => format!("{attempts} attempts in {}", rounded(*elapsed)),
                None => format!("{attempts} attempts"),
            }),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !details.is_empty() {
            write!(f, " ({})", details.join(", "))?;
        }
        Ok(())
    }
}

/// A duration as people say it: `120 ms`, `3.4 s`.
fn rounded(elapsed: Duration) -> String {
    if elapsed < Duration::from_secs(1) {
        format!("{} ms", elapsed.as_millis())
    } else {
        format!("{:.1} s", elapsed.as_secs_f64())
    }
}

impl fmt::Debug for S3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            kind,
            operation,
            target,
            status,
            code,
            message,
            request_id,
            retryable,
            redirect,
            attempts,
            elapsed,
            source,
        } = &*self.0;
        f.debug_struct("S3Error")
            .field("kind", kind)
            .field("operation", operation)
            .field("target", target)
            .field("status", status)
            .field("code", code)
            .field("message", message)
            .field("request_id", request_id)
            .field("retryable", retryable)
            .field("redirect", redirect)
            .field("attempts", attempts)
            .field("elapsed", elapsed)
            .field("source", source)
            .finish()
    }
}

impl Error for S3Error {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Lets a download's failure travel in a [`Body`](crate::Body).
impl From<S3Error> for io::Error {
    fn from(error: S3Error) -> Self {
        let kind = match error.kind() {
            S3ErrorKind::Timeout => io::ErrorKind::TimedOut,
            S3ErrorKind::Unreachable => io::ErrorKind::ConnectionAborted,
            S3ErrorKind::Integrity => io::ErrorKind::InvalidData,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// Takes a download's failure out of a [`Body`](crate::Body) again; any other
/// `io::Error` is a body that failed to give its bytes.
impl From<io::Error> for S3Error {
    fn from(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(inner) => inner,
            Err(error) => Self::new(S3ErrorKind::BodyFailed, error.to_string()).caused_by(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_tells_everything_but_the_source() {
        let error = S3Error::new(S3ErrorKind::AccessDenied, "Access Denied")
            .on(Operation::PutObject, "b/k")
            .answered(403, Some("AccessDenied".into()), Some("R1".into()))
            .caused_by("inner");
        assert_eq!(
            error.to_string(),
            "PutObject of \"b/k\": access denied: Access Denied (HTTP 403, AccessDenied, request id R1)"
        );
        assert_eq!(error.source().unwrap().to_string(), "inner");
    }

    #[test]
    fn an_s3_error_survives_the_way_through_io() {
        let io = io::Error::from(S3Error::new(S3ErrorKind::Timeout, "slow"));
        assert_eq!(io.kind(), io::ErrorKind::TimedOut);
        assert_eq!(S3Error::from(io).kind(), S3ErrorKind::Timeout);
        let other = S3Error::from(io::Error::other("disk"));
        assert_eq!(other.kind(), S3ErrorKind::BodyFailed);
    }
}
