use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header};
use quick_xml::{Reader, events::Event};
use serde::Deserialize;

use super::{places::Place, retry::Failure, transport::PROXY_PASSWORD};
use crate::{Bucket, Operation, Redirect, S3Error, S3ErrorKind};

/// Most characters that are kept of what a service says of an error.
pub(super) const MAX_MESSAGE: usize = 1024;

/// Most characters that are kept of a code, a request id, a region, an endpoint.
const MAX_NAME: usize = 256;

/// The code of a write that was refused since another one to the key was under way.
pub(super) const CONFLICT: &str = "ConditionalRequestConflict";

/// An error as S3 writes it.
///
/// Source: [error responses](https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct ErrorXml {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) request_id: String,
    pub(super) region: String,
    pub(super) endpoint: String,
}

/// An answer that is an error.
pub(super) struct Answered<'a> {
    pub(super) operation: Operation,
    pub(super) bucket: &'a Bucket,
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    /// Where it was sent.
    pub(super) place: &'a Place,
}

impl Answered<'_> {
    /// What went wrong, told by the code, and where there is none by the status.
    pub(super) fn into_failure(self, body: &[u8]) -> Failure {
        self.into_failure_of(&parse(body))
    }

    pub(super) fn into_failure_of(self, xml: &ErrorXml) -> Failure {
        let code = Some(clean(&xml.code, MAX_NAME)).filter(|code| !code.is_empty());
        let id = request_id(self.headers)
            .or_else(|| Some(clean(&xml.request_id, MAX_NAME)).filter(|id| !id.is_empty()));
        let redirect = self.redirect(xml);
        let (kind, retryable) = match (&redirect, code.as_deref()) {
            (Some(_), _) => (S3ErrorKind::Service, false),
            (None, Some(code)) => self.of_code(code),
            (None, None) => self.of_status(),
        };
        let mut message = clean(&xml.message, MAX_MESSAGE);
        if let Some(redirect) = &redirect {
            message = self.misdirected(redirect);
        } else if message.is_empty() {
            message = self.in_words(kind, code.is_some());
        }
        let mut error = S3Error::new(kind, message)
            .answered(self.status.as_u16(), code, id)
            .retryable(retryable);
        if let Some(advice) = advice(kind, error.code()) {
            error = error.advised(advice);
        }
        if let Some(redirect) = redirect {
            error = error.redirected(redirect);
        }
        Failure {
            // What was refused has not happened; what failed within the service may have. So may
            // what it began to do under a 200.
            may_be_done: (self.status.is_server_error() || self.status.is_success())
                && kind != S3ErrorKind::PreconditionFailed
                && !error.code().is_some_and(is_throttling),
            retry_after: retry_after(self.headers),
            error,
        }
    }

    /// Kind, and whether the same call may succeed later.
    ///
    /// Source: [list of error codes][codes], and codes of compatible services.
    ///
    /// [codes]: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
    fn of_code(&self, code: &str) -> (S3ErrorKind, bool) {
        use S3ErrorKind as Kind;
        match code {
            "NoSuchKey" | "NoSuchVersion" => (Kind::NoSuchKey, false),
            "NoSuchBucket" => (Kind::NoSuchBucket, false),
            "PreconditionFailed" => (Kind::PreconditionFailed, false),
            // Another write to the key was under way; nobody knows yet who is first.
            CONFLICT => (Kind::PreconditionFailed, true),
            "NotModified" => (Kind::NotModified, false),
            "InvalidRange" => (Kind::InvalidRange, false),
            // 403, but about the object's state (archived), and not about who asks; 404,
            // but what is missing is an upload, and no object.
            "InvalidObjectState" | "NoSuchUpload" => (Kind::Service, false),
            "BadDigest"
            | "XAmzContentChecksumMismatch"
            | "XAmzContentSHA256Mismatch"
            | "InvalidDigest" => (Kind::Integrity, false),
            _ if is_throttling(code) => (Kind::Throttled, true),
            "RequestTimeout" => (Kind::Timeout, true),
            "IncompleteBody" => (Kind::Unreachable, true),
            "InternalError" | "OperationAborted" => (Kind::Service, true),
            "AccessDenied"
            | "AccountProblem"
            | "AllAccessDisabled"
            | "AuthorizationHeaderMalformed"
            | "ExpiredToken"
            | "InvalidAccessKeyId"
            | "InvalidPayer"
            | "InvalidSecurity"
            | "InvalidToken"
            | "NotSignedUp"
            | "RequestExpired"
            | "RequestTimeTooSkewed"
            | "SignatureDoesNotMatch"
            | "TokenRefreshRequired"
            | "UnauthorizedAccess" => (Kind::AccessDenied, false),
            _ if code.starts_with("KMS.") => (Kind::AccessDenied, false),
            _ => self.of_status(),
        }
    }

    fn of_status(&self) -> (S3ErrorKind, bool) {
        use S3ErrorKind as Kind;
        match self.status.as_u16() {
            304 => (Kind::NotModified, false),
            // 407 is a proxy's.
            401 | 403 | 407 => (Kind::AccessDenied, false),
            404 if matches!(
                self.operation,
                Operation::ListObjectsV2 | Operation::ListMultipartUploads
            ) =>
            {
                (Kind::NoSuchBucket, false)
            }
            // What is missing may be the upload.
            404 if matches!(
                self.operation,
                Operation::UploadPart
                    | Operation::CompleteMultipartUpload
                    | Operation::AbortMultipartUpload
            ) =>
            {
                (Kind::Service, false)
            }
            404 => (Kind::NoSuchKey, false),
            408 => (Kind::Timeout, true),
            412 => (Kind::PreconditionFailed, false),
            416 => (Kind::InvalidRange, false),
            429 | 503 => (Kind::Throttled, true),
            // 501: it will not be implemented by the next try.
            500 | 502 | 504..=599 => (Kind::Service, true),
            _ => (Kind::Service, false),
        }
    }

    /// Where the service points to, if that is what it says.
    fn redirect(&self, xml: &ErrorXml) -> Option<Redirect> {
        let header = |name: &str| {
            let value = self.headers.get(name)?.to_str().ok()?;
            Some(clean(value, MAX_NAME)).filter(|value| !value.is_empty())
        };
        let given = |text: &str| Some(clean(text, MAX_NAME)).filter(|text| !text.is_empty());
        let region = header("x-amz-bucket-region").or_else(|| given(&xml.region));
        let moved = matches!(self.status.as_u16(), 301 | 302 | 307 | 308);
        if moved {
            let endpoint =
                given(&xml.endpoint).or_else(|| header("location").as_deref().and_then(authority));
            return Some(Redirect { region, endpoint });
        }
        let wrong_region = matches!(
            xml.code.as_str(),
            "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException"
        ) || (self.status == 400 && xml.code.is_empty());
        match region {
            Some(region) if wrong_region && region != self.place.region => {
                Some(Redirect { region: Some(region), endpoint: None })
            }
            _ => None,
        }
    }

    fn misdirected(&self, redirect: &Redirect) -> String {
        let Self { bucket, place: Place { region: ours, endpoint, .. }, .. } = self;
        match redirect {
            Redirect { region: Some(region), .. } if region != ours => format!(
                "bucket {bucket:?} is in region {region:?}, and this client is set to {ours:?}; \
                 set its region to {region:?}",
                bucket = bucket.as_str()
            ),
            Redirect { endpoint: Some(other), .. } => format!(
                "bucket {bucket:?} is at {other:?}, and this client is set to {endpoint}; set its \
                 endpoint to that",
                bucket = bucket.as_str()
            ),
            _ => format!(
                "{endpoint} sends bucket {bucket:?} elsewhere and does not say where; check the \
                 endpoint and the region",
                bucket = bucket.as_str()
            ),
        }
    }

    /// For answers without a message.
    fn in_words(&self, kind: S3ErrorKind, has_code: bool) -> String {
        match kind {
            S3ErrorKind::NoSuchKey => "there is no object of this key".to_owned(),
            S3ErrorKind::NoSuchBucket => "there is no bucket of this name".to_owned(),
            S3ErrorKind::NotModified => "the object is as the condition describes it".to_owned(),
            S3ErrorKind::PreconditionFailed => "the condition does not hold".to_owned(),
            S3ErrorKind::InvalidRange => "the range lies outside the object".to_owned(),
            S3ErrorKind::AccessDenied if self.status == 407 => PROXY_PASSWORD.to_owned(),
            S3ErrorKind::AccessDenied => "the service refused the call".to_owned(),
            S3ErrorKind::Throttled => "the service asks to be called less often".to_owned(),
            _ if has_code || self.operation == Operation::HeadObject => {
                "the service gave no reason".to_owned()
            }
            _ => {
                format!(
                    "the answer is no S3 error; check that {} is an S3 endpoint",
                    self.place.endpoint
                )
            }
        }
    }
}

/// What to do where the service says only what was wrong.
fn advice(kind: S3ErrorKind, code: Option<&str>) -> Option<&'static str> {
    match kind {
        S3ErrorKind::InvalidRange => Some("ask `head` for the size, and read within it"),
        S3ErrorKind::PreconditionFailed if code == Some(CONFLICT) => {
            Some("another write to the key was under way: try it again")
        }
        S3ErrorKind::PreconditionFailed => Some("read the object again, and decide anew"),
        _ => None,
    }
}

/// Whether this code says that the service did nothing, as it has too much to do.
///
/// A 503 alone does not: what stands before a service says it too, when the service has
/// done its work and the answer was lost.
pub(crate) fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "SlowDown"
            | "SlowDownRead"
            | "SlowDownWrite"
            | "ServiceUnavailable"
            | "Throttling"
            | "ThrottlingException"
            | "TooManyRequests"
            | "RequestLimitExceeded"
            | "BandwidthLimitExceeded"
            | "Busy"
    )
}

/// The service's name for a request.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-amz-request-id")?.to_str().ok()?;
    Some(clean(id, MAX_NAME)).filter(|id| !id.is_empty())
}

/// Whether XML that came with a success is an error all the same.
///
/// S3 answers a long copy with 200 before it knows how that ends.
pub(super) fn is_error(body: &[u8]) -> bool {
    has_root(body, "Error")
}

/// Whether a body is XML with this root, whatever its namespace.
pub(super) fn has_root(body: &[u8], name: &str) -> bool {
    let mut reader = Reader::from_reader(body);
    loop {
        match reader.read_event() {
            Ok(Event::Start(root) | Event::Empty(root)) => {
                return root.local_name().as_ref() == name;
            }
            Ok(Event::Eof) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}

fn parse(body: &[u8]) -> ErrorXml {
    if !is_error(body) {
        return ErrorXml::default();
    }
    quick_xml::de::from_reader(body).unwrap_or_default()
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).ok()
}

/// Scheme, host and port of a URL; none of a mere path, which names no other service.
fn authority(location: &str) -> Option<String> {
    let origin = url::Url::parse(location).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

/// What a service says is shown to people and written to logs: on one line, of
/// bounded length, without control characters.
pub(super) fn clean(text: &str, limit: usize) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    one_line.chars().filter(|c| !c.is_control()).take(limit).collect()
}
