use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, StatusCode};
use reqwest::{Client, Method, Request};
use url::Url;

use super::Trouble;
use crate::http::exchange::root_cause;

/// Largest answer of a service that gives credentials; they have some 2 KiB.
const MAX_ANSWER: usize = 64 * 1024;

/// Longest time for one answer of STS or SSO.
pub(super) const SERVICE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a service that gives credentials answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
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
    Ok(Request::new(method, url))
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
    request.headers_mut().insert(name, value);
    Ok(())
}

/// Sends a request, once, and reads the answer, up to a limit.
pub(super) async fn ask(http: &Client, request: Request) -> Result<Answer, Trouble> {
    let who = authority(request.url());
    let failed = |error: reqwest::Error| {
        let error = error.without_url();
        if error.is_timeout() {
            return Trouble::passing(format!("{who} gave no answer in time"));
        }
        Trouble::passing(format!("{who} could not be asked: {}", root_cause(&error)))
    };
    let mut response = http.execute(request).await.map_err(failed)?;
    let status = response.status();
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            let message = format!("the answer of {who} is longer than {MAX_ANSWER} bytes");
            return Err(Trouble::new(message));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, body: body.freeze() })
}

/// Scheme, host and port.
pub(super) fn authority(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// A URL without what could be a secret.
fn shown(url: &str) -> String {
    crate::http::endpoint::redacted(url)
}
