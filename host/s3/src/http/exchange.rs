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
    transport::{TransportError, advice},
    upload::Outgoing,
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
        let progress = Progress::new(parts.idle_timeout);
        let stalled = |side| stalled_at(service, parts.idle_timeout, side);
        let head = self.head(request, place).await.map_err(Failure::before)?;
        let body = if request.payload.is_some() {
            let starting = Outgoing::payload(&request.payload, &progress);
            let started = progress.watch(starting).await;
            started.unwrap_or_else(|side| Err(stalled(side))).map_err(Failure::before)?
        } else {
            Outgoing::memory(Vec::new(), &progress)
        };
        let (head, body) =
            parts.http.send(head, body, &progress).await.map_err(|error| match error {
                TransportError::Stalled(side) => Failure::midway(stalled(side)),
                error => not_sent(service, error),
            })?;
        progress.waits_for_source(false);
        parts.clock.observe(&head.headers);
        let answer = self.read(request, place, head, body).await?;
        if progress.is_sending() {
            // Nothing can be stored that was not sent, whatever the answer says.
            let message = format!("{service} answered before it had the whole body");
            return Err(Failure::midway(S3Error::new(S3ErrorKind::Unreachable, message)));
        }
        Ok(answer)
    }

    /// Method, URL and headers, signed.
    async fn head(
        &self,
        request: &Request<'_>,
        place: &Place,
    ) -> Result<http::request::Parts, S3Error> {
        let parts = self.parts();
        let url = place.endpoint.url(place.addressing, request.bucket, request.key, &request.query);
        let length = url.len();
        let (mut head, ()) = http::Request::builder()
            .method(request.method.clone())
            .uri(url)
            .body(())
            .map_err(|error| {
                S3Error::new(S3ErrorKind::InvalidRequest, "the key or an option cannot be sent")
                    .caused_by(error)
            })?
            .into_parts();
        must_be_plain(length, &head.uri)?;
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
fn not_sent(service: &str, error: TransportError) -> Failure {
    if let Some(failed) = error.of_payload() {
        return Failure::midway(failed.clone());
    }
    let cause = error.root_cause();
    if let Some((kind, advice)) = advice(&cause) {
        let message = format!("cannot connect to {service}: {cause}; {advice}");
        return Failure::before(S3Error::new(kind, message).caused_by(error).retryable(false));
    }
    if matches!(error, TransportError::Connect(_)) {
        let message = format!("cannot connect to {service}: {cause}");
        return Failure::before(S3Error::new(S3ErrorKind::Unreachable, message).caused_by(error));
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

/// Refuses a URL that could mean another one on its way: services, and what stands before
/// them, take `.` and `..` between slashes for folders, and what follows a `#` is not sent.
fn must_be_plain(length: usize, url: &http::Uri) -> Result<(), S3Error> {
    let pieces = [
        url.scheme_str(),
        url.authority().map(http::uri::Authority::as_str),
        url.path_and_query().map(http::uri::PathAndQuery::as_str),
    ];
    let parsed: usize = pieces.iter().flatten().map(|piece| piece.len()).sum();
    let is_whole = parsed + "://".len() == length;
    if is_whole && !url.path().split('/').any(|segment| matches!(segment, "." | "..")) {
        return Ok(());
    }
    Err(S3Error::new(
        S3ErrorKind::InvalidRequest,
        "the key would lead elsewhere on its way, as with `..` between slashes; nothing was sent",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_could_mean_another_is_not_sent() {
        for (url, plain) in [
            ("http://h.test/bkt/k", true),
            ("http://h.test:1/bkt/a//b/...?x=/../", true),
            ("https://bkt.h.test/", true),
            ("http://h.test/bkt/../other/k", false),
            ("http://h.test/bkt/.", false),
            ("http://h.test/bkt/k#x", false),
            ("http://h.test/bkt/k?x#y", false),
        ] {
            assert_eq!(must_be_plain(url.len(), &url.parse().unwrap()).is_ok(), plain, "{url}");
        }
    }
}
