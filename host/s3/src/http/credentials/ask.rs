use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;

use super::Trouble;
use crate::http::{
    clock,
    progress::Progress,
    transport::{HttpClient, TransportError},
    upload::Outgoing,
};

/// Largest answer of a service that gives credentials; they have some 2 KiB.
const MAX_ANSWER: usize = 64 * 1024;

/// Longest time for one answer of a service that is near, or not there.
const NEAR_TIMEOUT: Duration = Duration::from_secs(2);

/// Longest time for one answer of STS or SSO.
pub(super) const SERVICE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a service that gives credentials is asked.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) timeout: Duration,
}

/// What a service that gives credentials answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    /// Seconds that the service's clock is ahead of this machine's, where it told.
    pub(super) ahead: Option<i64>,
}

impl Answer {
    /// The trouble that an answer without a reason is.
    pub(super) fn trouble(&self, who: &str) -> Trouble {
        let message = format!("{who} answered HTTP {}", self.status.as_u16());
        if self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS {
            Trouble::passing(message)
        } else {
            Trouble::new(message)
        }
    }
}

/// A request to `url`, which is named where it is none.
pub(super) fn request(method: Method, url: &str) -> Result<Request, Trouble> {
    let url = Url::parse(url)
        .map_err(|error| Trouble::new(format!("{:?} is no URL ({error})", shown(url))))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        let message = format!("{:?} does not begin with http:// or https://", shown(url.as_str()));
        return Err(Trouble::new(message));
    }
    let (headers, body) = (HeaderMap::new(), Bytes::new());
    Ok(Request { method, url, headers, body, timeout: NEAR_TIMEOUT })
}

/// Adds a header whose value is a secret.
pub(super) fn secret_header(
    request: &mut Request,
    name: &'static str,
    value: &str,
) -> Result<(), Trouble> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        Trouble::new("the token holds characters that HTTP cannot carry; write it anew")
    })?;
    value.set_sensitive(true);
    request.headers.insert(name, value);
    Ok(())
}

/// Sends a request, once, and reads the answer, up to a limit.
pub(super) async fn ask(http: &HttpClient, request: Request) -> Result<Answer, Trouble> {
    let who = authority(&request.url);
    let late = || Trouble::passing(format!("{who} gave no answer in time"));
    let failed = |error: TransportError| {
        if error.is_timeout() {
            return late();
        }
        Trouble::passing(format!("{who} could not be asked: {}", error.root_cause()))
    };
    let asking = async {
        let length = (!request.body.is_empty()).then(|| request.body.len().into());
        let message = http::Request::builder().method(request.method).uri(request.url.as_str());
        let message = message.body(()).map_err(|_| {
            Trouble::new(format!("{:?} cannot be asked over HTTP", shown(request.url.as_str())))
        })?;
        let (mut head, ()) = message.into_parts();
        head.headers = request.headers;
        head.headers.extend(length.map(|length| (http::header::CONTENT_LENGTH, length)));
        let progress = Progress::new(request.timeout);
        let chunks = vec![request.body];
        let body = Outgoing::memory(chunks, &progress);
        let (head, mut answer) = http.send(head, body, &progress).await.map_err(failed)?;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                let message = format!("the answer of {who} is longer than {MAX_ANSWER} bytes");
                return Err(Trouble::new(message));
            }
            body.extend_from_slice(&chunk);
        }
        let ahead = clock::told(&head.headers);
        Ok(Answer { status: head.status, body: body.freeze(), ahead })
    };
    tokio::time::timeout(request.timeout, asking).await.unwrap_or_else(|_| Err(late()))
}

/// Scheme, host and port.
pub(super) fn authority(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// A URL without what could be a secret.
fn shown(url: &str) -> String {
    crate::http::endpoint::redacted(url)
}
