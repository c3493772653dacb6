use crate::{S3Error, S3ErrorKind};

/// What S3 answers when a call fails: kind, status, code and message as the service
/// words them. The request id and the call are added where the call is known.
fn answer(kind: S3ErrorKind, status: u16, code: &str, message: &str) -> S3Error {
    S3Error::new(kind, message).answered(status, Some(code.to_owned()), None)
}

pub(super) fn no_such_key() -> S3Error {
    answer(S3ErrorKind::NoSuchKey, 404, "NoSuchKey", "The specified key does not exist.")
}

pub(super) fn no_such_bucket() -> S3Error {
    answer(S3ErrorKind::NoSuchBucket, 404, "NoSuchBucket", "The specified bucket does not exist")
}

pub(super) fn precondition_failed() -> S3Error {
    answer(
        S3ErrorKind::PreconditionFailed,
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
}

pub(super) fn not_modified() -> S3Error {
    // The answer has no body, so no code.
    S3Error::new(S3ErrorKind::NotModified, "Not Modified").answered(304, None, None)
}

pub(super) fn invalid_range() -> S3Error {
    answer(S3ErrorKind::InvalidRange, 416, "InvalidRange", "The requested range is not satisfiable")
}

pub(super) fn invalid_argument(message: &str) -> S3Error {
    answer(S3ErrorKind::Service, 400, "InvalidArgument", message)
}

pub(super) fn copy_changes_nothing() -> S3Error {
    answer(
        S3ErrorKind::Service,
        400,
        "InvalidRequest",
        "This copy request is illegal because it is trying to copy an object to itself without \
         changing the object's metadata, storage class, website redirect location or encryption \
         attributes.",
    )
}

/// An option that only a real service can honour.
pub(super) fn refuse(message: &str) -> S3Error {
    S3Error::new(S3ErrorKind::InvalidRequest, message)
}
