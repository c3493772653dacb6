/// The store call that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `put`
    Put,
    /// `get`
    Get,
    /// `head`
    Head,
    /// `delete`
    Delete,
    /// `list`
    List,
}

/// What an S3 call failed of.
///
/// Source: `s3-error-kind` in `wit/types.wit`, case for case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "said in the WIT")]
pub enum S3ErrorKind {
    NoSuchKey,
    NoSuchBucket,
    PreconditionFailed,
    NotModified,
    InvalidRange,
    AccessDenied,
    InvalidRequest,
    BodyFailed,
    Integrity,
    Throttled,
    Timeout,
    Unreachable,
    NotGranted,
    Service,
}

/// What the caller is told.
///
/// Source: `error-code` in `wit/types.wit`, as far as this store uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "said in the WIT")]
pub enum ErrorCode {
    NotFound,
    NotModified,
    PreconditionFailed,
    AccessDenied,
    Timeout,
    Unavailable,
    StorageError,
}

/// What an S3 failure means to the caller of a store.
///
/// A missing bucket is no missing artifact, and neither is anything that a
/// listing reports: those are failures of the storage.
#[must_use]
pub fn code(operation: Operation, kind: S3ErrorKind) -> ErrorCode {
    match kind {
        S3ErrorKind::NoSuchKey if operation != Operation::List => ErrorCode::NotFound,
        S3ErrorKind::PreconditionFailed => ErrorCode::PreconditionFailed,
        S3ErrorKind::NotModified => ErrorCode::NotModified,
        S3ErrorKind::AccessDenied => ErrorCode::AccessDenied,
        S3ErrorKind::Timeout => ErrorCode::Timeout,
        S3ErrorKind::Throttled | S3ErrorKind::Unreachable => ErrorCode::Unavailable,
        S3ErrorKind::NoSuchKey
        | S3ErrorKind::NoSuchBucket
        | S3ErrorKind::InvalidRange
        | S3ErrorKind::InvalidRequest
        | S3ErrorKind::BodyFailed
        | S3ErrorKind::Integrity
        | S3ErrorKind::NotGranted
        | S3ErrorKind::Service => ErrorCode::StorageError,
    }
}

/// The failure in a sentence that holds the caller's key and not the prefix.
///
/// `key` is the key as the caller gave it, and for a listing the prefix that the
/// caller asked for. What the service said is not repeated: it is in the cause.
#[must_use]
pub fn message(operation: Operation, key: &str, kind: S3ErrorKind) -> String {
    match code(operation, kind) {
        ErrorCode::NotFound => return ["artifact not found: ", key].concat(),
        ErrorCode::NotModified => return ["artifact not modified: ", key].concat(),
        _ => {}
    }
    let what = match operation {
        Operation::Put => "failed to put artifact ",
        Operation::Get => "failed to get artifact ",
        Operation::Head => "failed to head artifact ",
        Operation::Delete => "failed to delete artifact ",
        Operation::List if key.is_empty() => "failed to list artifacts",
        Operation::List => "failed to list artifacts under ",
    };
    [what, key, ": ", reason(kind)].concat()
}

fn reason(kind: S3ErrorKind) -> &'static str {
    match kind {
        S3ErrorKind::NoSuchKey => "no such key",
        S3ErrorKind::NoSuchBucket => "the bucket does not exist",
        S3ErrorKind::PreconditionFailed => "precondition failed",
        S3ErrorKind::NotModified => "not modified",
        S3ErrorKind::InvalidRange => "the range lies outside the artifact",
        S3ErrorKind::AccessDenied => "access denied",
        S3ErrorKind::InvalidRequest => "the request is not one that S3 can carry",
        S3ErrorKind::BodyFailed => "the bytes to store could not be read in full",
        S3ErrorKind::Integrity => "the bytes were damaged on their way",
        S3ErrorKind::Throttled => "the service asks for fewer calls",
        S3ErrorKind::Timeout => "no answer in time",
        S3ErrorKind::Unreachable => "the service could not be reached",
        S3ErrorKind::NotGranted => "the host does not grant this call",
        S3ErrorKind::Service => "the service reported an error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATIONS: [Operation; 5] =
        [Operation::Put, Operation::Get, Operation::Head, Operation::Delete, Operation::List];

    const MEANINGS: [(S3ErrorKind, ErrorCode); 14] = [
        (S3ErrorKind::NoSuchKey, ErrorCode::NotFound),
        (S3ErrorKind::NoSuchBucket, ErrorCode::StorageError),
        (S3ErrorKind::PreconditionFailed, ErrorCode::PreconditionFailed),
        (S3ErrorKind::NotModified, ErrorCode::NotModified),
        (S3ErrorKind::InvalidRange, ErrorCode::StorageError),
        (S3ErrorKind::AccessDenied, ErrorCode::AccessDenied),
        (S3ErrorKind::InvalidRequest, ErrorCode::StorageError),
        (S3ErrorKind::BodyFailed, ErrorCode::StorageError),
        (S3ErrorKind::Integrity, ErrorCode::StorageError),
        (S3ErrorKind::Throttled, ErrorCode::Unavailable),
        (S3ErrorKind::Timeout, ErrorCode::Timeout),
        (S3ErrorKind::Unreachable, ErrorCode::Unavailable),
        (S3ErrorKind::NotGranted, ErrorCode::StorageError),
        (S3ErrorKind::Service, ErrorCode::StorageError),
    ];

    #[test]
    fn every_s3_failure_has_its_meaning() {
        for (kind, meaning) in MEANINGS {
            for operation in OPERATIONS {
                let expected = match (operation, kind) {
                    (Operation::List, S3ErrorKind::NoSuchKey) => ErrorCode::StorageError,
                    _ => meaning,
                };
                assert_eq!(code(operation, kind), expected, "{operation:?} {kind:?}");
            }
        }
    }

    #[test]
    fn not_found_names_the_callers_key() {
        assert_eq!(
            message(Operation::Get, "patch-abc123", S3ErrorKind::NoSuchKey),
            "artifact not found: patch-abc123"
        );
    }

    #[test]
    fn other_messages_name_the_call_the_key_and_the_reason() {
        let denied = S3ErrorKind::AccessDenied;
        for (operation, expected) in [
            (Operation::Put, "failed to put artifact k: access denied"),
            (Operation::Get, "failed to get artifact k: access denied"),
            (Operation::Head, "failed to head artifact k: access denied"),
            (Operation::Delete, "failed to delete artifact k: access denied"),
            (Operation::List, "failed to list artifacts under k: access denied"),
        ] {
            assert_eq!(message(operation, "k", denied), expected);
        }
        assert_eq!(message(Operation::List, "", denied), "failed to list artifacts: access denied");
        assert_eq!(
            message(Operation::Get, "k", S3ErrorKind::NoSuchBucket),
            "failed to get artifact k: the bucket does not exist"
        );
    }

    #[test]
    fn no_two_reasons_read_alike() {
        for (at, (kind, _)) in MEANINGS.iter().enumerate() {
            for (other, _) in &MEANINGS[at + 1..] {
                assert_ne!(reason(*kind), reason(*other));
            }
        }
    }
}
