use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use http::{HeaderMap, HeaderValue, Request, header};
use http_body::Body as _;
use hyper::body::Incoming;
use s3s::{HttpError, HttpResponse, service::S3Service};

use crate::{Exchange, drain::Drained};

pub(crate) type Observer = Arc<dyn Fn(Exchange) + Send + Sync>;

/// S3 over HTTP: s3s speaks the protocol; this adds what goes around it.
#[derive(Clone)]
pub(crate) struct Service {
    s3: S3Service,
    observer: Option<Observer>,
    requests: Arc<AtomicU64>,
}

impl Service {
    pub(crate) fn new(s3: S3Service, observer: Option<Observer>) -> Self {
        Self { s3, observer, requests: Arc::default() }
    }

    async fn answer(self, request: Request<Incoming>) -> Result<HttpResponse, HttpError> {
        let begun = Instant::now();
        let seen = self.observer.as_ref().map(|_| Seen::of(&request));
        let request = request.map(|body| s3s::Body::http_body_unsync(Drained::new(body)));
        let mut response = self.s3.call(request).await?;
        // Every S3 answer has one; the client behind the server may have named its own.
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        if let Ok(id) = HeaderValue::try_from(format!("LOCAL{number:011}")) {
            response.headers_mut().entry("x-amz-request-id").or_insert(id);
        }
        if let (Some(observer), Some(seen)) = (&self.observer, seen) {
            observer(Exchange {
                method: seen.method,
                target: seen.target,
                authorization: seen.authorization,
                request_length: seen.length,
                status: response.status().as_u16(),
                response_length: content_length(response.headers())
                    .or_else(|| response.body().size_hint().exact()),
                elapsed: begun.elapsed(),
            });
        }
        Ok(response)
    }
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = HttpResponse;
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        Box::pin(self.clone().answer(request))
    }
}

/// What an observer is told of a request.
struct Seen {
    method: String,
    target: String,
    authorization: Option<String>,
    length: Option<u64>,
}

impl Seen {
    fn of(request: &Request<Incoming>) -> Self {
        let authorization = request.headers().get(header::AUTHORIZATION);
        Self {
            method: request.method().to_string(),
            target: request
                .uri()
                .path_and_query()
                .map_or_else(String::new, |target| target.as_str().to_owned()),
            // The scheme and nothing after it: what follows names the key and holds
            // the signature.
            authorization: authorization.map(|value| {
                let value = value.to_str().unwrap_or_default();
                value.split(' ').next().unwrap_or_default().to_owned()
            }),
            length: content_length(request.headers()),
        }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
