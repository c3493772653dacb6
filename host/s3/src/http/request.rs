use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{payload::Payload, response::Reading, retry::Failure};
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
        failure.error.is_retryable() && !(self.conditional_write && failure.may_be_done)
    }
}

/// What a call is on, as errors name it: `bucket/key`.
pub(crate) fn target(bucket: &Bucket, key: Option<&ObjectKey>) -> String {
    key.map_or_else(|| bucket.to_string(), |key| format!("{bucket}/{key}"))
}

/// The headers of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Headers(pub(super) HeaderMap);

impl Headers {
    /// Adds a header; two values of one name are refused, as S3 would join them.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), S3Error> {
        let refuse = |what: &str| {
            S3Error::new(S3ErrorKind::InvalidRequest, format!("header {name:?}: {what}"))
        };
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| refuse("it is no HTTP header name"))?;
        let value = HeaderValue::from_str(value)
            .map_err(|_| refuse("the value must be printable ASCII"))?;
        match self.0.insert(key, value) {
            None => Ok(()),
            Some(_) => Err(refuse("it is given twice")),
        }
    }

    /// Adds a header where there is a value.
    pub(super) fn set_some(&mut self, name: &str, value: Option<&str>) -> Result<(), S3Error> {
        value.map_or(Ok(()), |value| self.set(name, value))
    }
}
