use std::{future::poll_fn, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Uri, header, uri::Scheme};
use hyper::rt::{Read, Write};
use hyper_rustls::HttpsConnector;
use hyper_util::client::{
    legacy::connect::{HttpConnector, proxy::Tunnel},
    proxy::matcher::{Intercept, Matcher},
};
use rustls::ClientConfig;
use tokio::time::timeout;
use tower_service::Service;

use super::{USER_AGENT, error::TransportError};

/// As often as reqwest asks whether an idle peer is still there.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_RETRIES: u32 = 3;

/// How long sent bytes may stay without an answer of the peer's system.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
const USER_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection's bytes, TLS and tunnel within.
pub(super) type Io = Box<dyn Stream>;

/// What can be read from and written to.
pub(super) trait Stream: Read + Write + Unpin + Send {}

impl<S: Read + Write + Unpin + Send> Stream for S {}

/// Makes connections: names, addresses, TLS, proxies.
pub(super) struct Connector {
    tcp: HttpConnector,
    tls: Arc<ClientConfig>,
    proxies: Option<Matcher>,
    timeout: Duration,
}

/// By which way a service is reached.
pub(super) enum Route {
    Direct,
    /// Through a proxy that is given the whole URL, and reads what is sent.
    Forward(Intercept),
    /// Through a proxy that hands on bytes.
    Tunnel(Intercept),
}

impl Connector {
    pub(super) fn new(tls: Arc<ClientConfig>, proxies: Option<Matcher>, timeout: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(timeout));
        tcp.set_keepalive(Some(KEEPALIVE));
        tcp.set_keepalive_interval(Some(KEEPALIVE));
        tcp.set_keepalive_retries(Some(KEEPALIVE_RETRIES));
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        tcp.set_tcp_user_timeout(Some(USER_TIMEOUT));
        Self { tcp, tls, proxies, timeout }
    }

    /// The way to a URL.
    pub(super) fn route(&self, url: &Uri) -> Route {
        match self.proxies.as_ref().and_then(|proxies| proxies.intercept(url)) {
            None => Route::Direct,
            Some(proxy) if url.scheme() == Some(&Scheme::HTTPS) => Route::Tunnel(proxy),
            Some(proxy) => Route::Forward(proxy),
        }
    }

    /// A new connection for a URL.
    pub(super) async fn connect(&self, url: Uri) -> Result<Io, TransportError> {
        let connecting = async {
            match self.route(&url) {
                Route::Direct => opened(self.https(), url).await,
                Route::Forward(proxy) => opened(self.https(), proxy.uri().clone()).await,
                Route::Tunnel(proxy) => {
                    let agent = HeaderValue::from_static(USER_AGENT);
                    let headers = HeaderMap::from_iter([(header::USER_AGENT, agent)]);
                    let mut tunnel = Tunnel::new(proxy.uri().clone(), self.https());
                    if let Some(auth) = proxy.basic_auth() {
                        tunnel = tunnel.with_auth(auth.clone());
                    }
                    let tunnel = tunnel.with_headers(headers);
                    opened(HttpsConnector::from((tunnel, Arc::clone(&self.tls))), url).await
                }
            }
        };
        let connected = timeout(self.timeout, connecting).await;
        connected.unwrap_or_else(|_| Err(TransportError::no_connection_in_time()))
    }

    /// TLS where the URL says so.
    fn https(&self) -> HttpsConnector<HttpConnector> {
        HttpsConnector::from((self.tcp.clone(), Arc::clone(&self.tls)))
    }
}

async fn opened<C>(mut connector: C, url: Uri) -> Result<Io, TransportError>
where
    C: Service<Uri>,
    C::Response: Stream + 'static,
    C::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    poll_fn(|cx| connector.poll_ready(cx)).await.map_err(TransportError::connect)?;
    let io = connector.call(url).await.map_err(TransportError::connect)?;
    Ok(Box::new(io))
}
