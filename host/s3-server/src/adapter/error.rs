use artifact_s3::{S3Error, S3ErrorKind};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use s3s::S3ErrorCode;

/// The client's error as S3 puts it: code, message, status and request id are passed
/// on where the client has them, and follow from the kind where it has not.
pub(super) fn to_s3s(error: S3Error) -> s3s::S3Error {
    if error.kind() == S3ErrorKind::BodyFailed && is_not_as_signed(&error) {
        return not_as_signed();
    }
    let (code, usual_status) = usual(error.kind());
    let code = error.code().map_or(code, |code| {
        S3ErrorCode::from_bytes(code.as_bytes())
            .unwrap_or_else(|| S3ErrorCode::Custom(code.to_owned().into()))
    });
    let mut answer = s3s::S3Error::with_message(code, error.message().to_owned());
    let status = error.status().and_then(|status| StatusCode::from_u16(status).ok());
    answer.set_status_code(status.unwrap_or(usual_status));
    if let Some(id) = error.request_id() {
        answer.set_request_id(id);
        if let Ok(id) = HeaderValue::try_from(id) {
            // These headers take the place of those that s3s would send.
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
            headers.insert("x-amz-request-id", id);
            answer.set_headers(headers);
        }
    }
    answer.set_source(Box::new(error));
    answer
}

/// Whether a body failed because it is not the one that was signed. s3s keeps the type
/// of that error to itself.
pub(crate) fn is_not_as_signed(error: &dyn std::error::Error) -> bool {
    error.to_string().contains("Sha256Mismatch")
}

pub(crate) fn not_as_signed() -> s3s::S3Error {
    let code = S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into());
    let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
    let mut answer = s3s::S3Error::with_message(code, message);
    answer.set_status_code(StatusCode::BAD_REQUEST);
    answer
}

/// Code and status of each kind, where the client names none.
fn usual(kind: S3ErrorKind) -> (S3ErrorCode, StatusCode) {
    match kind {
        S3ErrorKind::NoSuchKey => (S3ErrorCode::NoSuchKey, StatusCode::NOT_FOUND),
        S3ErrorKind::NoSuchBucket => (S3ErrorCode::NoSuchBucket, StatusCode::NOT_FOUND),
        S3ErrorKind::PreconditionFailed => {
            (S3ErrorCode::PreconditionFailed, StatusCode::PRECONDITION_FAILED)
        }
        S3ErrorKind::NotModified => (S3ErrorCode::NotModified, StatusCode::NOT_MODIFIED),
        S3ErrorKind::InvalidRange => (S3ErrorCode::InvalidRange, StatusCode::RANGE_NOT_SATISFIABLE),
        S3ErrorKind::AccessDenied | S3ErrorKind::NotGranted => {
            (S3ErrorCode::AccessDenied, StatusCode::FORBIDDEN)
        }
        S3ErrorKind::InvalidRequest => (S3ErrorCode::InvalidRequest, StatusCode::BAD_REQUEST),
        S3ErrorKind::BodyFailed => (S3ErrorCode::IncompleteBody, StatusCode::BAD_REQUEST),
        S3ErrorKind::Integrity => (S3ErrorCode::BadDigest, StatusCode::BAD_REQUEST),
        S3ErrorKind::Throttled => (S3ErrorCode::SlowDown, StatusCode::SERVICE_UNAVAILABLE),
        S3ErrorKind::Timeout | S3ErrorKind::Unreachable => {
            (S3ErrorCode::ServiceUnavailable, StatusCode::SERVICE_UNAVAILABLE)
        }
        S3ErrorKind::Service => (S3ErrorCode::InternalError, StatusCode::INTERNAL_SERVER_ERROR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_knows_of_its_error_is_passed_on() {
        let error = S3Error::new(S3ErrorKind::Service, "Try later").answered(
            507,
            Some("VerySpecial".to_owned()),
            Some("R1".to_owned()),
        );
        let answer = to_s3s(error);
        assert_eq!(answer.code().as_str(), "VerySpecial");
        assert_eq!(answer.status_code().unwrap().as_u16(), 507);
        assert_eq!((answer.message(), answer.request_id()), (Some("Try later"), Some("R1")));
        assert_eq!(answer.headers().unwrap()["x-amz-request-id"], "R1");
    }

    #[test]
    fn what_it_does_not_know_follows_from_the_kind() {
        let answer = to_s3s(S3Error::new(S3ErrorKind::Throttled, "slow down"));
        assert_eq!(answer.code().as_str(), "SlowDown");
        assert_eq!(answer.status_code().unwrap().as_u16(), 503);
    }
}
