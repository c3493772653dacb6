use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant, SystemTime},
};

use backon::Retryable;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{
    HttpS3,
    payload::Payload,
    progress::{Progress, Stalled},
    response::{Answer, Reading},
    retry::Failure,
    sign::Signing,
    upload::Upload,
};
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

    fn may_repeat(&self, failure: &Failure) -> bool {
        failure.error.is_retryable()
            && self.payload.is_whole()
            && !(self.conditional_write && failure.may_be_done)
    }
}

/// What a call is on, as errors name it: `bucket/key`.
pub(super) fn target(bucket: &Bucket, key: Option<&ObjectKey>) -> String {
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

impl HttpS3 {
    /// Sends a call, and again where that is safe, until there is an answer.
    pub(super) async fn send(&self, request: Request<'_>) -> Result<Answer, S3Error> {
        let attempts = AtomicU32::new(0);
        let began = Instant::now();
        let attempt = || {
            let number = attempts.fetch_add(1, Ordering::Relaxed) + 1;
            self.attempt(&request, number)
        };
        attempt
            .retry(self.parts().retry.delays())
            .when(|failure: &Failure| request.may_repeat(failure))
            .adjust(Failure::pause)
            .await
            .map_err(|failure| {
                failure
                    .into_error(request.conditional_write)
                    .on(request.operation, target(request.bucket, request.key))
                    .after_attempts(attempts.load(Ordering::Relaxed), began.elapsed())
            })
    }

    async fn attempt(&self, request: &Request<'_>, number: u32) -> Result<Answer, Failure> {
        let began = Instant::now();
        let outcome = self.exchange(request).await;
        let (status, id, error) = match &outcome {
            Ok(answer) => (Some(answer.status.as_u16()), answer.request_id(), None),
            Err(Failure { error, .. }) => {
                (error.status(), error.request_id().map(str::to_owned), Some(error.kind()))
            }
        };
        tracing::debug!(
            operation = %request.operation,
            method = %request.method,
            target = target(request.bucket, request.key),
            attempt = number,
            status,
            request_id = id,
            error = error.map(tracing::field::display),
            elapsed = ?began.elapsed(),
            "S3 request"
        );
        outcome
    }

    async fn exchange(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        let parts = self.parts();
        let progress = Progress::new();
        let head = self.head(request).await.map_err(Failure::before)?;
        let (upload, body) = if request.payload.is_some() {
            let starting = Upload::start(&request.payload, &progress);
            let started = progress.watch(parts.idle_timeout, starting).await;
            let started = started.unwrap_or_else(|stalled| Err(self.stalled(stalled)));
            let (upload, body) = started.map_err(Failure::before)?;
            (Some(upload), body)
        } else {
            (None, reqwest::Body::from(""))
        };
        let message = to_reqwest(head, body).map_err(Failure::before)?;
        let sent = progress.watch(parts.idle_timeout, parts.http.execute(message)).await;
        let response = match sent {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                let failure = upload.as_ref().and_then(Upload::failure);
                return Err(failure.map_or_else(|| self.not_sent(error), Failure::midway));
            }
            Err(stalled) => return Err(Failure::midway(self.stalled(stalled))),
        };
        progress.waits_for_source(false);
        self.read(request, response, &progress).await
    }

    /// Method, URL and headers, signed.
    async fn head(&self, request: &Request<'_>) -> Result<http::request::Parts, S3Error> {
        let parts = self.parts();
        let url = parts.endpoint.url(parts.addressing, request.bucket, request.key, &request.query);
        let (mut head, ()) = http::Request::builder()
            .method(request.method.clone())
            .uri(&url)
            .body(())
            .map_err(|error| {
                S3Error::new(S3ErrorKind::InvalidRequest, "the key or an option cannot be sent")
                    .caused_by(error)
            })?
            .into_parts();
        let mut headers = request.headers.clone();
        if request.payload.is_some() {
            headers.set("content-length", &request.payload.length().to_string())?;
        }
        if parts.keys.is_some() {
            headers.set("x-amz-content-sha256", request.payload.content_sha256())?;
        }
        head.headers = headers.0;
        if let Some(keys) = &parts.keys {
            let credential = keys.current().await?;
            let signing = Signing::new(&credential, &parts.region, SystemTime::now())?;
            signing.sign_headers(&mut head)?;
        }
        Ok(head)
    }

    fn not_sent(&self, error: reqwest::Error) -> Failure {
        // The URL holds the query; the endpoint is named instead.
        let error = error.without_url();
        let cause = root_cause(&error);
        let service = self.parts().endpoint.authority();
        if error.is_connect() {
            // A certificate does not become valid by asking again.
            let certificate = cause.to_lowercase().contains("certificate");
            let message = format!("cannot connect to {service}: {cause}");
            let error = S3Error::new(S3ErrorKind::Unreachable, message).caused_by(error);
            return Failure::before(error.retryable(!certificate));
        }
        if error.is_builder() {
            let message = format!("the request cannot be sent: {cause}");
            return Failure::before(S3Error::new(S3ErrorKind::InvalidRequest, message));
        }
        Failure::midway(
            S3Error::new(
                S3ErrorKind::Unreachable,
                format!("the connection to {service} broke: {cause}"),
            )
            .caused_by(error),
        )
    }

    pub(super) fn stalled(&self, stalled: Stalled) -> S3Error {
        let idle = self.parts().idle_timeout;
        match stalled {
            Stalled::Service => timed_out(self.parts().endpoint.authority(), idle),
            Stalled::Source => S3Error::new(
                S3ErrorKind::BodyFailed,
                format!("the body to be stored gave no bytes for {idle:?}"),
            ),
        }
    }
}

/// The service was silent for too long.
pub(super) fn timed_out(service: &str, idle: Duration) -> S3Error {
    S3Error::new(
        S3ErrorKind::Timeout,
        format!("{service} neither took nor sent a byte for {idle:?}"),
    )
}

/// The innermost cause: what the operating system or the other side said.
pub(super) fn root_cause(error: &reqwest::Error) -> String {
    let mut root: &dyn std::error::Error = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}

/// Hands the signed head to `reqwest`, which keeps the URL as a parsed one.
fn to_reqwest(
    head: http::request::Parts,
    body: reqwest::Body,
) -> Result<reqwest::Request, S3Error> {
    let uri = head.uri.clone();
    let message =
        reqwest::Request::try_from(http::Request::from_parts(head, body)).map_err(|error| {
            S3Error::new(S3ErrorKind::InvalidRequest, "the key or an option cannot be sent")
                .caused_by(error.without_url())
        })?;
    // Parsing must not have led elsewhere: what is sent is what was signed, or nothing.
    let url = message.url();
    if url.path() != uri.path() || url.query() != uri.query() {
        return Err(S3Error::new(
            S3ErrorKind::InvalidRequest,
            "the URL library would alter this key; nothing was sent",
        ));
    }
    Ok(message)
}
