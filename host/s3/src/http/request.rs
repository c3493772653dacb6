use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{error_response, payload::Payload, response::Reading, retry::Failure};
use crate::{Bucket, ObjectKey, Operation, S3Error, S3ErrorKind};

/// One S3 call, ready to be sent as often as it takes.
pub(super) struct Request<'a> {
    pub(super) operation: Operation,
    pub(super) method: Method,
    pub(super) bucket: &'a Bucket,
    pub(super) key: Option<&'a ObjectKey>,
    /// Encoded, without the `?`.
    pub(super) query: String,
    pub(super) headers: Headers,
    pub(super) payload: Payload,
    /// Whether it writes on a condition, so that a second try could meet the first one's work.
    pub(super) conditional_write: bool,
    pub(super) reading: Reading,
}

impl<'a> Request<'a> {
    /// A call without query, headers, payload and condition.
    pub(super) fn new(
        operation: Operation,
        method: Method,
        bucket: &'a Bucket,
        key: Option<&'a ObjectKey>,
        reading: Reading,
    ) -> Self {
        Self {
            operation,
            method,
            bucket,
            key,
            query: String::new(),
            headers: Headers::default(),
            payload: Payload::none(),
            conditional_write: false,
            reading,
        }
    }

    /// Whether the same call can be made again after this, and safely.
    pub(super) fn may_repeat(&self, failure: &Failure) -> bool {
        // S3 does not take its parts any more: they are to be sent anew, as another upload.
        let upload_is_lost = self.operation == Operation::CompleteMultipartUpload
            && failure.error.code() == Some(error_response::CONFLICT);
        failure.error.is_retryable()
            && !upload_is_lost
            && !(self.conditional_write && failure.may_be_done)
    }
}

/// What a call is on, as errors name it: `bucket/key`.
pub(crate) fn target(bucket: &Bucket, key: Option<&ObjectKey>) -> String {
    key.map_or_else(|| bucket.to_string(), |key| format!("{bucket}/{key}"))
}

/// Headers that a client adds to those of a call: length, hash, time, signature, host
/// and the like.
const ADDED: usize = 8;

/// The headers of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Headers(pub(super) HeaderMap);

impl Headers {
    /// Adds a header; two values of one name are refused, as S3 would join them.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), S3Error> {
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| refused(name, "it is no HTTP header name"))?;
        self.insert(key, value).map_err(|what| refused(name, what))
    }

    /// Adds a header whose name is known to be one.
    pub(super) fn set_named(&mut self, name: &HeaderName, value: &str) -> Result<(), S3Error> {
        self.insert(name.clone(), value).map_err(|what| refused(name.as_str(), what))
    }

    fn insert(&mut self, name: HeaderName, value: &str) -> Result<(), &'static str> {
        let value = HeaderValue::from_str(value);
        let value = value.map_err(|_| "the value must be printable ASCII")?;
        self.0.insert(name, value).map_or(Ok(()), |_| Err("it is given twice"))
    }

    /// A copy that takes what is added to every request without growing.
    pub(super) fn with_room(&self) -> Self {
        let mut headers = HeaderMap::with_capacity(self.0.len() + ADDED);
        headers.extend(self.0.iter().map(|(name, value)| (name.clone(), value.clone())));
        Self(headers)
    }

    /// Adds a header where there is a value.
    pub(super) fn set_some(&mut self, name: &str, value: Option<&str>) -> Result<(), S3Error> {
        value.map_or(Ok(()), |value| self.set(name, value))
    }
}

fn refused(name: &str, what: &str) -> S3Error {
    S3Error::new(S3ErrorKind::InvalidRequest, format!("header {name:?}: {what}"))
}
