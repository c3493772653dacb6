//! The trust line: everything that a component hands over becomes our own types
//! here, and nowhere else. How much it may hand over is bounded before
//! ([`Limits::hostcall_bytes`](crate::Limits)), what it may say is checked after
//! (`check` of the options, [`Grant`](crate::grant::Grant)).

use artifact_s3 as s3;

use crate::{
    bindings::agent::artifacts::types as wit,
    error::{Blame, Error, ErrorKind, blame_of},
    instance::Seen,
};

/// Longest message of a component that is passed on, in bytes.
const MAX_MESSAGE: usize = 1024;

impl wit::Error {
    /// A component's error, as the caller sees it.
    ///
    /// `seen` is what failed beneath it in this call. An error that it only passed
    /// on is that error, and a cause is taken only from there: a component cannot
    /// make one up, and what the contract does not carry (source, operation,
    /// redirect) comes with it. What a component says without one is its own doing,
    /// unless it is `trusted`.
    pub(crate) fn into_error(self, seen: Seen, trusted: bool) -> Error {
        let Seen { s3, mut next } = seen;
        if let Some(at) = next.iter().rposition(|error| self.repeats(error)) {
            return next.swap_remove(at);
        }
        let mut seen = s3.iter().chain(next.iter().filter_map(Error::s3)).rev();
        let Self { code, message, retryable, cause } = self;
        let kind = match code {
            wit::ErrorCode::NotFound => ErrorKind::NotFound,
            wit::ErrorCode::NotModified => ErrorKind::NotModified,
            wit::ErrorCode::PreconditionFailed => ErrorKind::PreconditionFailed,
            wit::ErrorCode::InvalidKey => ErrorKind::InvalidKey,
            wit::ErrorCode::InvalidRequest => ErrorKind::InvalidRequest,
            wit::ErrorCode::AccessDenied => ErrorKind::AccessDenied,
            wit::ErrorCode::PolicyDenied => ErrorKind::PolicyDenied,
            wit::ErrorCode::PolicyFailed => ErrorKind::PolicyFailed,
            wit::ErrorCode::Timeout => ErrorKind::Timeout,
            wit::ErrorCode::Unavailable => ErrorKind::Unavailable,
            wit::ErrorCode::StorageError => ErrorKind::StorageError,
        };
        let cause = cause.and_then(|cause| seen.find(|s3| cause.describes(s3)));
        let blame = match (cause, kind) {
            (Some(s3), _) => blame_of(s3),
            (None, ErrorKind::NotFound | ErrorKind::InvalidKey | ErrorKind::InvalidRequest)
                if trusted =>
            {
                Blame::Caller
            }
            (None, _) => Blame::Policy,
        };
        Error::new(kind, blame, printable(message))
            .retryable(retryable)
            .caused_by_s3(cause.cloned())
    }
}

impl wit::Error {
    /// Whether it is what a component was told of `seen`, word for word.
    fn repeats(&self, seen: &Error) -> bool {
        let told = Self::from(seen);
        let same_cause = match (&self.cause, seen.s3()) {
            (Some(cause), Some(s3)) => cause.describes(s3) && cause.message == s3.message(),
            (None, None) => true,
            _ => false,
        };
        same_cause
            && self.code == told.code
            && self.message == told.message
            && self.retryable == told.retryable
    }
}

impl wit::S3Error {
    fn describes(&self, seen: &s3::S3Error) -> bool {
        s3::S3ErrorKind::from(self.kind) == seen.kind()
            && self.status == seen.status()
            && self.code.as_deref() == seen.code()
            && self.request_id.as_deref() == seen.request_id()
    }
}

/// The beginning of a text: at most so many bytes, and whole characters.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// Cuts a component's text, and takes out what could steer a terminal or a log: control
/// characters, ends of lines, and what turns the direction of writing.
pub(crate) fn printable(mut text: String) -> String {
    if text.len() > MAX_MESSAGE {
        text.truncate(cut(&text, MAX_MESSAGE).len());
        text.push('…');
    }
    let steers =
        |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.contains(steers) {
        text = text.replace(steers, "\u{fffd}");
    }
    text
}

/// What a policy is told of a failure beneath it.
impl From<&Error> for wit::Error {
    fn from(error: &Error) -> Self {
        Self {
            code: match error.kind() {
                ErrorKind::NotFound => wit::ErrorCode::NotFound,
                ErrorKind::NotModified => wit::ErrorCode::NotModified,
                ErrorKind::PreconditionFailed => wit::ErrorCode::PreconditionFailed,
                ErrorKind::InvalidKey => wit::ErrorCode::InvalidKey,
                ErrorKind::InvalidRequest => wit::ErrorCode::InvalidRequest,
                ErrorKind::AccessDenied => wit::ErrorCode::AccessDenied,
                ErrorKind::PolicyDenied => wit::ErrorCode::PolicyDenied,
                ErrorKind::PolicyFailed => wit::ErrorCode::PolicyFailed,
                ErrorKind::Timeout => wit::ErrorCode::Timeout,
                ErrorKind::Unavailable => wit::ErrorCode::Unavailable,
                ErrorKind::StorageError
                | ErrorKind::InvalidConfig
                | ErrorKind::NameInUse
                | ErrorKind::Stopped => wit::ErrorCode::StorageError,
            },
            message: error.to_string(),
            retryable: error.is_retryable(),
            cause: error.s3().map(wit::S3Error::from),
        }
    }
}

impl From<&s3::S3Error> for wit::S3Error {
    fn from(error: &s3::S3Error) -> Self {
        Self {
            kind: error.kind().into(),
            status: error.status(),
            code: error.code().map(str::to_owned),
            message: error.message().to_owned(),
            request_id: error.request_id().map(str::to_owned),
            retryable: error.is_retryable(),
        }
    }
}

/// Both directions of an enumeration: the contract's case, then ours.
macro_rules! cases {
    ($wit:ty, $ours:ty { $($theirs:ident = $case:ident),+ $(,)? }) => {
        impl From<$wit> for $ours {
            fn from(value: $wit) -> Self {
                match value { $(<$wit>::$theirs => Self::$case),+ }
            }
        }
        impl From<$ours> for $wit {
            fn from(value: $ours) -> Self {
                match value { $(<$ours>::$case => Self::$theirs),+ }
            }
        }
    };
}

/// Both directions of a record whose fields have the same names; a field is
/// moved as it is, or through the function named after it.
macro_rules! fields {
    ($wit:ty, $ours:ty { $($field:ident $(= $how:ident)?),+ $(,)? }) => {
        impl From<$wit> for $ours {
            fn from(value: $wit) -> Self {
                Self { $($field: fields!(@ value.$field, $($how)?)),+ }
            }
        }
        impl From<$ours> for $wit {
            fn from(value: $ours) -> Self {
                Self { $($field: fields!(@ value.$field, $($how)?)),+ }
            }
        }
    };
    (@ $value:expr,) => { $value };
    (@ $value:expr, $how:ident) => { $how($value) };
}

fn into<T, U: From<T>>(value: T) -> U {
    value.into()
}

fn option<T, U: From<T>>(value: Option<T>) -> Option<U> {
    value.map(U::from)
}

fn list<T, U: From<T>>(values: Vec<T>) -> Vec<U> {
    values.into_iter().map(U::from).collect()
}

cases!(wit::S3ErrorKind, s3::S3ErrorKind {
    NoSuchKey = NoSuchKey,
    NoSuchBucket = NoSuchBucket,
    PreconditionFailed = PreconditionFailed,
    NotModified = NotModified,
    InvalidRange = InvalidRange,
    AccessDenied = AccessDenied,
    InvalidRequest = InvalidRequest,
    BodyFailed = BodyFailed,
    Integrity = Integrity,
    Throttled = Throttled,
    Timeout = Timeout,
    Unreachable = Unreachable,
    NotGranted = NotGranted,
    Service = Service,
});

cases!(wit::ChecksumAlgorithm, s3::ChecksumAlgorithm {
    Crc32 = Crc32,
    Crc32c = Crc32c,
    Crc64nvme = Crc64Nvme,
    Sha256 = Sha256,
});

fields!(
    wit::ContentHeaders,
    s3::ContentHeaders {
        content_type,
        content_encoding,
        content_disposition,
        content_language,
        cache_control,
        expires,
    }
);

fields!(wit::ObjectInfo, s3::ObjectInfo {
    size,
    etag,
    version_id,
    last_modified,
    storage_class,
    content = into,
    metadata,
});

fields!(wit::PutOptions, s3::PutOptions {
    content = into,
    metadata,
    tags,
    condition = into,
    checksum = option,
    storage_class,
    encryption = option,
    acl,
});

fields!(wit::GetOptions, s3::GetOptions {
    range = option,
    version_id,
    if_match,
    if_none_match,
    if_modified_since,
    if_unmodified_since,
});

fields!(wit::DeleteOptions, s3::DeleteOptions { version_id, if_match });

fields!(wit::ListOptions, s3::ListOptions { prefix, delimiter, start_after, continuation, limit });

fields!(wit::Listing, s3::Listing { objects = list, common_prefixes, continuation });

fields!(wit::ListedObject, s3::ListedObject { key, size, etag, last_modified, storage_class });

impl From<wit::WriteCondition> for s3::WriteCondition {
    fn from(condition: wit::WriteCondition) -> Self {
        match condition {
            wit::WriteCondition::Unconditional => Self::Unconditional,
            wit::WriteCondition::IfAbsent => Self::IfAbsent,
            wit::WriteCondition::IfMatch(etag) => Self::IfMatch(etag),
        }
    }
}

impl From<s3::WriteCondition> for wit::WriteCondition {
    fn from(condition: s3::WriteCondition) -> Self {
        match condition {
            s3::WriteCondition::Unconditional => Self::Unconditional,
            s3::WriteCondition::IfAbsent => Self::IfAbsent,
            s3::WriteCondition::IfMatch(etag) => Self::IfMatch(etag),
        }
    }
}

impl From<wit::Encryption> for s3::Encryption {
    fn from(encryption: wit::Encryption) -> Self {
        match encryption {
            wit::Encryption::S3Managed => Self::S3Managed,
            wit::Encryption::Kms(key) => Self::Kms(key),
        }
    }
}

impl From<s3::Encryption> for wit::Encryption {
    fn from(encryption: s3::Encryption) -> Self {
        match encryption {
            s3::Encryption::S3Managed => Self::S3Managed,
            s3::Encryption::Kms(key) => Self::Kms(key),
        }
    }
}

impl From<wit::ByteRange> for s3::ByteRange {
    fn from(range: wit::ByteRange) -> Self {
        match range {
            wit::ByteRange::Closed((first, last)) => Self::Closed(first, last),
            wit::ByteRange::From(first) => Self::From(first),
            wit::ByteRange::Last(count) => Self::Last(count),
        }
    }
}

impl From<s3::ByteRange> for wit::ByteRange {
    fn from(range: s3::ByteRange) -> Self {
        match range {
            s3::ByteRange::Closed(first, last) => Self::Closed((first, last)),
            s3::ByteRange::From(first) => Self::From(first),
            s3::ByteRange::Last(count) => Self::Last(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(cause: Option<wit::S3Error>) -> wit::Error {
        wit::Error {
            code: wit::ErrorCode::StorageError,
            message: "it broke\u{1b}[2J".to_owned(),
            retryable: true,
            cause,
        }
    }

    fn throttled() -> s3::S3Error {
        s3::S3Error::new(s3::S3ErrorKind::Throttled, "slow down")
            .answered(503, Some("SlowDown".to_owned()), Some("R".to_owned()))
            .caused_by("inner")
    }

    #[test]
    fn a_cause_is_taken_only_from_what_the_host_saw() {
        let seen = || Seen { s3: vec![throttled()], next: Vec::new() };
        let error = said(Some((&throttled()).into())).into_error(seen(), false);
        assert_eq!(error.blame(), Blame::Storage);
        assert_eq!(error.s3().unwrap().request_id(), Some("R"));
        assert!(std::error::Error::source(error.s3().unwrap()).is_some());

        let forged = wit::S3Error { request_id: None, ..(&throttled()).into() };
        let error = said(Some(forged)).into_error(seen(), false);
        assert_eq!(error.blame(), Blame::Policy);
        assert!(error.s3().is_none());
    }

    #[test]
    fn an_error_that_is_passed_on_stays_what_it_was() {
        let beneath = || Error::from_s3(throttled(), "failed to put").retryable(true);
        let seen = || Seen { s3: Vec::new(), next: vec![beneath()] };
        let passed_on = wit::Error::from(&beneath()).into_error(seen(), false);
        assert_eq!(passed_on.blame(), Blame::Storage);
        assert_eq!(passed_on.to_string(), "failed to put");

        // A message of its own, with the cause kept.
        let told = wit::Error { message: "sorry".to_owned(), ..(&beneath()).into() };
        let told = told.into_error(seen(), false);
        assert_eq!((told.to_string(), told.blame()), ("sorry".to_owned(), Blame::Storage));
        assert!(told.s3().is_some());
    }

    #[test]
    fn a_components_text_is_cut_and_cannot_steer_a_terminal() {
        assert_eq!(
            said(None).into_error(Seen::default(), false).to_string(),
            "it broke\u{fffd}[2J"
        );
        let long = printable("ü".repeat(10_000));
        assert!(long.len() < MAX_MESSAGE + 8 && long.ends_with('…'));
    }
}
