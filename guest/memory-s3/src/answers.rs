use crate::bindings::agent::artifacts::types::{Error, ErrorCode, S3Error, S3ErrorKind};

/// What S3 answers when a call fails: kind, status, code and message as the service words
/// them.
fn answer(kind: S3ErrorKind, status: u16, code: &str, message: &str) -> S3Error {
    S3Error {
        kind,
        status: Some(status),
        code: Some(code.to_owned()),
        message: message.to_owned(),
        request_id: None,
        retryable: false,
    }
}

pub(crate) fn no_such_key() -> S3Error {
    answer(S3ErrorKind::NoSuchKey, 404, "NoSuchKey", "The specified key does not exist.")
}

pub(crate) fn no_such_bucket() -> S3Error {
    answer(S3ErrorKind::NoSuchBucket, 404, "NoSuchBucket", "The specified bucket does not exist")
}

pub(crate) fn precondition_failed() -> S3Error {
    answer(
        S3ErrorKind::PreconditionFailed,
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
}

pub(crate) fn not_modified() -> S3Error {
    // The answer has no body, so no code.
    S3Error { code: None, ..answer(S3ErrorKind::NotModified, 304, "", "Not Modified") }
}

pub(crate) fn invalid_range() -> S3Error {
    answer(S3ErrorKind::InvalidRange, 416, "InvalidRange", "The requested range is not satisfiable")
}

pub(crate) fn invalid_argument(message: &str) -> S3Error {
    answer(S3ErrorKind::Service, 400, "InvalidArgument", message)
}

pub(crate) fn copy_changes_nothing() -> S3Error {
    answer(
        S3ErrorKind::Service,
        400,
        "InvalidRequest",
        "This copy request is illegal because it is trying to copy an object to itself without \
         changing the object's metadata, storage class, website redirect location or encryption \
         attributes.",
    )
}

/// No room is left of the setting `capacity`.
pub(crate) fn full() -> S3Error {
    answer(
        S3ErrorKind::Service,
        507,
        "InsufficientStorage",
        "the client in memory is full: delete objects, or raise its setting `capacity`",
    )
}

/// An option that only a real service can honour.
pub(crate) fn refuse(message: &str) -> S3Error {
    S3Error {
        kind: S3ErrorKind::InvalidRequest,
        status: None,
        code: None,
        message: message.to_owned(),
        request_id: None,
        retryable: false,
    }
}

/// The settings cannot be used, so no call can.
#[must_use]
pub fn unknown_settings(message: &str) -> S3Error {
    S3Error { kind: S3ErrorKind::Service, ..refuse(message) }
}

/// The same failure, where bytes are read or written.
#[must_use]
pub fn content_error(cause: S3Error) -> Error {
    let code = match cause.kind {
        S3ErrorKind::InvalidRequest => ErrorCode::InvalidRequest,
        _ => ErrorCode::StorageError,
    };
    Error { code, message: cause.message.clone(), retryable: false, cause: Some(cause) }
}
