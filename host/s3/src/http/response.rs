use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, response::Parts};

use super::{
    HttpS3,
    endpoint::Endpoint,
    error_response,
    exchange::stalled_at,
    places::Place,
    request::Request,
    retry::Failure,
    transport::{ResponseBody, TransportError},
};
use crate::{S3Error, S3ErrorKind};

/// Largest page of a listing, with room: 1,000 keys of 1,024 bytes, encoded, are 3 MiB.
pub(super) const MAX_XML: usize = 16 * 1024 * 1024;

/// Most characters that are kept of why an answer cannot be read.
const MAX_CAUSE: usize = 256;

/// Largest error that is read; S3's have a few hundred bytes.
const MAX_ERROR: usize = 64 * 1024;

/// What is done with the body of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// It is read whole, up to [`MAX_XML`]; there may be an error in it.
    Whole,
    /// It is given to the caller as it comes.
    Stream,
}

/// What the service answered; not an error.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// With [`Reading::Whole`]; else empty.
    pub(super) whole: Bytes,
    /// With [`Reading::Stream`].
    pub(super) stream: Option<ResponseBody>,
    /// How many tries it took.
    pub(super) attempts: u32,
    /// When the first of them began.
    pub(super) began: Option<Instant>,
}

impl Answer {
    /// The error, which says what this answer took.
    pub(super) fn tried(&self, error: S3Error) -> S3Error {
        match self.began {
            Some(began) => error.after_attempts(self.attempts, began.elapsed()),
            None => error,
        }
    }

    pub(super) fn request_id(&self) -> Option<String> {
        error_response::request_id(&self.headers)
    }
}

impl HttpS3 {
    /// Sorts an answer into answers and errors.
    pub(super) async fn read(
        &self,
        request: &Request<'_>,
        place: &Place,
        head: Parts,
        body: ResponseBody,
    ) -> Result<Answer, Failure> {
        let Parts { status, headers, .. } = head;
        let error = |body: &[u8]| {
            let error = error_response::Answered {
                operation: request.operation,
                bucket: request.bucket,
                status,
                headers: &headers,
                place,
            };
            error.into_failure(body)
        };
        if !status.is_success() {
            // An error that cannot be read is told by its status. Where the connection broke
            // within it, the next try may tell more: a missing bucket is no missing object.
            let read = self.read_whole(place, body, MAX_ERROR).await;
            let broke_off = read.as_ref().is_err_and(S3Error::is_retryable);
            let mut failure = error(&read.unwrap_or_default());
            let retryable = broke_off || failure.error.is_retryable();
            failure.error = failure.error.retryable(retryable);
            return Err(failure);
        }
        if request.reading == Reading::Stream {
            let stream = Some(body);
            let whole = Bytes::new();
            return Ok(Answer { status, headers, whole, stream, attempts: 1, began: None });
        }
        let whole = self.read_whole(place, body, MAX_XML).await;
        let whole = whole.map_err(Failure::midway)?;
        if error_response::is_error(&whole) {
            return Err(error(&whole));
        }
        Ok(Answer { status, headers, whole, stream: None, attempts: 1, began: None })
    }

    async fn read_whole(
        &self,
        place: &Place,
        mut body: ResponseBody,
        limit: usize,
    ) -> Result<Bytes, S3Error> {
        let service = place.endpoint.authority();
        let idle = self.parts().idle_timeout;
        let mut whole = BytesMut::new();
        loop {
            let chunk = body.chunk().await.map_err(|error| broken_off(service, idle, error))?;
            let Some(chunk) = chunk else {
                return Ok(whole.freeze());
            };
            if whole.len() + chunk.len() > limit {
                return Err(S3Error::new(
                    S3ErrorKind::Service,
                    format!("the answer is longer than {limit} bytes"),
                ));
            }
            whole.extend_from_slice(&chunk);
        }
    }
}

/// The connection broke within an answer, or fell silent.
pub(super) fn broken_off(service: &str, idle: Duration, error: TransportError) -> S3Error {
    if let TransportError::Stalled(side) = error {
        return stalled_at(service, idle, side);
    }
    let cause = error.root_cause();
    S3Error::new(S3ErrorKind::Unreachable, format!("the answer of {service} broke off: {cause}"))
        .caused_by(error)
}

impl Answer {
    /// Reads the XML that the body must be: of this root, whatever else is in it.
    pub(super) fn xml<T: serde::de::DeserializeOwned>(
        &self,
        root: &str,
        endpoint: &Endpoint,
    ) -> Result<T, S3Error> {
        let no_such = || {
            let message =
                format!("the answer is no {root}; check that {endpoint} is an S3 endpoint");
            self.refused(message)
        };
        if !error_response::has_root(&self.whole, root) {
            return Err(no_such());
        }
        quick_xml::de::from_reader(&self.whole[..]).map_err(|error| {
            // It quotes what the service wrote, which can be megabytes of anything.
            no_such().caused_by(error_response::clean(&error.to_string(), MAX_CAUSE))
        })
    }

    /// An error for an answer that claims success and cannot be used.
    pub(super) fn refused(&self, message: impl Into<String>) -> S3Error {
        let error = S3Error::new(S3ErrorKind::Service, message);
        self.tried(error.answered(self.status.as_u16(), None, self.request_id()))
    }
}
