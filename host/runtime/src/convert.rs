//! The trust line: everything that a component hands over becomes our own types
//! here, and nowhere else. How much it may hand over is bounded before
//! ([`Limits::hostcall_bytes`](crate::Limits)), what it may say is checked after
//! (`check` of the options, [`Grant`](crate::grant::Grant)).

use artifact_s3 as s3;

use crate::{
    bindings::agent::artifacts::types as wit,
    error::{Blame, Error, ErrorKind, blame_of},
};

/// Longest message of a component that is passed on, in bytes.
const MAX_MESSAGE: usize = 1024;

impl wit::Error {
    /// A component's error, as the caller sees it.
    ///
    /// `seen` are the S3 errors that the host saw in this call: a cause is taken
    /// only from there, so that a component cannot make one up, and it comes with
    /// what the contract does not carry (source, operation, redirect). What a
    /// component says without one is its own doing, unless it is `trusted`.
    pub(crate) fn into_error(self, seen: &[s3::S3Error], trusted: bool) -> Error {
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
        let cause = cause.and_then(|cause| seen.iter().rev().find(|s3| cause.describes(s3)));
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

impl wit::S3Error {
    fn describes(&self, seen: &s3::S3Error) -> bool {
        s3::S3ErrorKind::from(self.kind) == seen.kind()
            && self.status == seen.status()
            && self.code.as_deref() == seen.code()
            && self.request_id.as_deref() == seen.request_id()
    }
}

/// Cuts a component's text, and takes out what could steer a terminal or a log.
fn printable(mut text: String) -> String {
    if text.len() > MAX_MESSAGE {
        let end = (0..=MAX_MESSAGE).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    if text.chars().any(char::is_control) {
        text = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    }
    text
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

    #[test]
    fn a_cause_is_taken_only_from_what_the_host_saw() {
        let seen = [s3::S3Error::new(s3::S3ErrorKind::Throttled, "slow down")
            .answered(503, Some("SlowDown".to_owned()), Some("R".to_owned()))
            .caused_by("inner")];
        let error = said(Some((&seen[0]).into())).into_error(&seen, false);
        assert_eq!(error.blame(), Blame::Storage);
        assert_eq!(error.s3().unwrap().request_id(), Some("R"));
        assert!(std::error::Error::source(error.s3().unwrap()).is_some());

        let forged = wit::S3Error { request_id: None, ..(&seen[0]).into() };
        let error = said(Some(forged)).into_error(&seen, false);
        assert_eq!(error.blame(), Blame::Policy);
        assert!(error.s3().is_none());
    }

    #[test]
    fn a_components_text_is_cut_and_cannot_steer_a_terminal() {
        assert_eq!(said(None).into_error(&[], false).to_string(), "it broke\u{fffd}[2J");
        let long = printable("ü".repeat(10_000));
        assert!(long.len() < MAX_MESSAGE + 8 && long.ends_with('…'));
    }
}
