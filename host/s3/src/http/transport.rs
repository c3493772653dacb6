use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, NoProxy, Proxy, redirect::Policy, retry};

use super::{ConfigError, environment::Environment};

/// Idle connections are closed before common servers and load balancers do so
/// (20 s and up), which would make the next request fail.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// The instance metadata service is one hop away, or not there at all.
const METADATA_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Longest time for one answer of a service that gives credentials.
const METADATA_TIMEOUT: Duration = Duration::from_secs(2);

/// The HTTP client for S3.
///
/// `plain` says that the endpoint is `http`: then no certificates are needed, and
/// a machine that has none (a bare container) will do.
pub(super) async fn client(
    environment: &Environment,
    plain: bool,
    connect_timeout: Duration,
) -> Result<Client, ConfigError> {
    let mut builder = base().connect_timeout(connect_timeout).pool_idle_timeout(POOL_IDLE_TIMEOUT);
    let proxies = proxies(environment)?;
    if let Some(path) = environment.get("AWS_CA_BUNDLE") {
        let refused = |source| ConfigError::Certificates { path: path.to_owned(), source };
        builder = builder.tls_certs_only(certificates(path).await.map_err(refused)?);
    } else if plain && proxies.is_empty() {
        builder = builder.tls_certs_only([]);
    }
    for proxy in proxies {
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(|error| ConfigError::Transport(error.into()))
}

/// The HTTP client for services that give credentials: quick, or not at all.
///
/// Most of them are asked over plain HTTP; without certificates only web identity
/// is out of reach.
pub(super) fn for_metadata() -> reqwest::Result<Client> {
    let builder = || base().connect_timeout(METADATA_CONNECT_TIMEOUT).timeout(METADATA_TIMEOUT);
    builder().build().or_else(|_| builder().tls_certs_only([]).build())
}

/// What every client of ours has in common.
///
/// - HTTP/1.1 only: over HTTP/2 all calls would share one connection;
/// - redirects are answered as errors: a request for elsewhere is signed anew;
/// - no retries below ours, and no proxy but the environment's that was given;
/// - no time-out for the whole call, and not reqwest's `read_timeout` either,
///   which runs from the first byte of an upload to the first of the answer.
fn base() -> ClientBuilder {
    Client::builder()
        .http1_only()
        .redirect(Policy::none())
        .retry(retry::never())
        .no_proxy()
        .tcp_nodelay(true)
        .user_agent(concat!("artifact-s3/", env!("CARGO_PKG_VERSION")))
}

async fn certificates(
    path: &str,
) -> Result<Vec<Certificate>, Box<dyn std::error::Error + Send + Sync>> {
    Ok(Certificate::from_pem_bundle(&tokio::fs::read(path).await?)?)
}

/// Whether the environment names a proxy.
pub(super) fn is_proxied(environment: &Environment) -> bool {
    let proxies = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
    proxies.iter().any(|name| environment.get(name).is_some())
}

fn proxies(environment: &Environment) -> Result<Vec<Proxy>, ConfigError> {
    let find = |upper: &'static str, lower: &'static str| {
        let of = |name| environment.get(name).map(|value| (name, value));
        of(lower).or_else(|| of(upper))
    };
    let except = find("NO_PROXY", "no_proxy").and_then(|(_, list)| NoProxy::from_string(list));
    let mut proxies = Vec::new();
    if let Some((variable, url)) = find("HTTPS_PROXY", "https_proxy") {
        let proxy = Proxy::https(url).map_err(|_| ConfigError::Proxy { variable })?;
        proxies.push(proxy.no_proxy(except.clone()));
    }
    if let Some((variable, url)) = find("HTTP_PROXY", "http_proxy") {
        let proxy = Proxy::http(url).map_err(|_| ConfigError::Proxy { variable })?;
        proxies.push(proxy.no_proxy(except));
    }
    Ok(proxies)
}
