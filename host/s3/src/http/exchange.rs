use std::time::Duration;

use http::header::CONTENT_LENGTH;

use super::{
    HttpS3,
    places::Place,
    progress::{Progress, Stalled},
    request::Request,
    response::Answer,
    retry::Failure,
    sign::{CONTENT_SHA256, Signing},
    transport::advice,
    upload::Upload,
};
use crate::{S3Error, S3ErrorKind, body_error};

impl HttpS3 {
    /// Sends a request once, and reads the answer's head; its body too, if that is to
    /// be read whole.
    pub(super) async fn exchange(
        &self,
        request: &Request<'_>,
        place: &Place,
    ) -> Result<Answer, Failure> {
        let parts = self.parts();
        let service = place.endpoint.authority();
        let progress = Progress::new();
        let stalled = |stalled| stalled_at(service, parts.idle_timeout, stalled);
        let head = self.head(request, place).await.map_err(Failure::before)?;
        let (upload, body) = if request.payload.is_some() {
            let starting = Upload::start(&request.payload, &progress);
            let started = progress.watch(parts.idle_timeout, starting).await;
            let started = started.unwrap_or_else(|side| Err(stalled(side)));
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
                return Err(failure.map_or_else(|| not_sent(service, error), Failure::midway));
            }
            Err(side) => return Err(Failure::midway(stalled(side))),
        };
        progress.waits_for_source(false);
        parts.clock.observe(response.headers());
        self.read(request, place, response, &progress).await
    }

    /// Method, URL and headers, signed.
    async fn head(
        &self,
        request: &Request<'_>,
        place: &Place,
    ) -> Result<http::request::Parts, S3Error> {
        let parts = self.parts();
        let url = place.endpoint.url(place.addressing, request.bucket, request.key, &request.query);
        let (mut head, ()) = http::Request::builder()
            .method(request.method.clone())
            .uri(url)
            .body(())
            .map_err(|error| {
                S3Error::new(S3ErrorKind::InvalidRequest, "the key or an option cannot be sent")
                    .caused_by(error)
            })?
            .into_parts();
        let mut headers = request.headers.with_room();
        let (operation, method) = (request.operation, &request.method);
        parts.client_headers.add_to(operation, method, &place.endpoint, &mut headers)?;
        if request.payload.is_some() {
            headers.0.insert(CONTENT_LENGTH, request.payload.length().into());
        }
        if parts.keys.is_some() {
            headers.set_named(&CONTENT_SHA256, request.payload.content_sha256())?;
        }
        head.headers = headers.0;
        if let Some(keys) = &parts.keys {
            let credential = keys.current().await?;
            let signing = Signing::new(&credential.key, &place.region, parts.clock.now())?;
            signing.sign_headers(&mut head)?;
        }
        Ok(head)
    }
}

/// The request did not get through, or not all of it.
fn not_sent(service: &str, error: reqwest::Error) -> Failure {
    // The URL holds the query; the endpoint is named instead.
    let error = error.without_url();
    let cause = root_cause(&error);
    if let Some((kind, advice)) = advice(&cause) {
        let message = format!("cannot connect to {service}: {cause}; {advice}");
        return Failure::before(S3Error::new(kind, message).caused_by(error).retryable(false));
    }
    if error.is_connect() {
        let message = format!("cannot connect to {service}: {cause}");
        return Failure::before(S3Error::new(S3ErrorKind::Unreachable, message).caused_by(error));
    }
    if error.is_builder() {
        let message = format!("the request cannot be sent: {cause}");
        return Failure::before(S3Error::new(S3ErrorKind::InvalidRequest, message));
    }
    let message = format!("the connection to {service} broke: {cause}");
    Failure::midway(S3Error::new(S3ErrorKind::Unreachable, message).caused_by(error))
}

/// Nothing moved for too long.
pub(super) fn stalled_at(service: &str, idle: Duration, stalled: Stalled) -> S3Error {
    match stalled {
        Stalled::Service => timed_out(service, idle),
        Stalled::Source => body_error::silent(idle),
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
