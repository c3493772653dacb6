use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{HeaderValue, Request, Uri, header, request::Parts, response, uri::PathAndQuery};

use super::{
    USER_AGENT,
    connection::{Connection, ResponseBody},
    connector::{Connector, Route},
    error::TransportError,
    pool::{Origin, Pool},
};
use crate::http::{progress::Progress, upload::Outgoing};

/// Sends requests over HTTP/1.1, each over a connection of its own at that time.
///
/// - HTTP/2 is not spoken: all calls would share one connection;
/// - redirects are answers: a request for elsewhere is signed anew;
/// - nothing is sent twice, but for what the service cannot have seen.
#[derive(Clone)]
pub(in crate::http) struct HttpClient(Arc<Inner>);

struct Inner {
    connector: Connector,
    pool: Arc<Pool>,
    /// Whether an answer may have had more headers than a connection usually has room for. From then
    /// on all connections have: they take memory for that with each answer.
    many_headers: AtomicBool,
}

impl HttpClient {
    pub(super) fn new(connector: Connector) -> Self {
        let many_headers = AtomicBool::new(false);
        Self(Arc::new(Inner { connector, pool: Arc::default(), many_headers }))
    }

    /// Sends a request with an absolute URL, and gives the answer when its head is there.
    ///
    /// It fails where nothing moves for as long as `progress` allows.
    ///
    /// No `async fn`, and its large parts in boxes: the future is a part of those of all
    /// calls, and is moved with them.
    pub(in crate::http) fn send(
        &self,
        head: Parts,
        body: Outgoing,
        progress: &Progress,
    ) -> impl Future<Output = Result<(response::Parts, ResponseBody), TransportError>> {
        let prepared = self.prepare(head, body);
        async move {
            let (origin, mut request) = prepared?;
            let Inner { pool, many_headers, .. } = &*self.0;
            loop {
                let many = many_headers.load(Ordering::Relaxed);
                let idle = pool.take(&origin).filter(|idle| idle.takes_many_headers || !many);
                let connection = match idle {
                    Some(idle) => idle,
                    None => Box::pin(self.connect(&origin, many, progress)).await?,
                };
                let is_reused = connection.is_reused;
                request = match connection.exchange(request, progress).await {
                    Ok(answer) => return Ok(answer),
                    // The service had closed it; none of this was sent.
                    Err((_, Some(request))) if is_reused => request,
                    Err((error, _)) => {
                        if error.is_unreadable() {
                            many_headers.store(true, Ordering::Relaxed);
                        }
                        return Err(error);
                    }
                }
            }
        }
    }

    fn prepare(
        &self,
        mut head: Parts,
        body: Outgoing,
    ) -> Result<(Origin, Box<Request<Outgoing>>), TransportError> {
        let origin =
            Origin::of(&head.uri).ok_or_else(|| TransportError::connect("the URL has no host"))?;
        let route = self.0.connector.route(&head.uri);
        dress(&mut head, &origin, &route);
        Ok((origin, Box::new(Request::from_parts(head, body))))
    }

    async fn connect(
        &self,
        origin: &Origin,
        takes_many_headers: bool,
        progress: &Progress,
    ) -> Result<Box<Connection>, TransportError> {
        let Inner { connector, pool, .. } = &*self.0;
        let connecting = progress.watch(connector.connect(origin.url()?)).await;
        let io = connecting.unwrap_or_else(|_| Err(TransportError::no_connection_in_time()))?;
        let home = Arc::downgrade(pool);
        Ok(Box::new(Connection::over(io, origin.clone(), home, takes_many_headers).await?))
    }
}

/// Adds what HTTP wants, and writes the URL as who reads it first expects it.
fn dress(head: &mut Parts, Origin(_, authority): &Origin, route: &Route) {
    let headers = &mut head.headers;
    headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    headers.entry(header::USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT));
    let host = authority.as_str().rsplit('@').next().unwrap_or_default();
    if let Ok(host) = HeaderValue::from_str(host) {
        headers.entry(header::HOST).or_insert(host);
    }
    if let Route::Forward(proxy) = route {
        if let Some(auth) = proxy.basic_auth() {
            headers.entry(header::PROXY_AUTHORIZATION).or_insert_with(|| auth.clone());
        }
    } else {
        let path = head.uri.path_and_query().cloned();
        head.uri = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    }
}
