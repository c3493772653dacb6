use std::{fmt, time::Duration};

use reqwest::{
    Certificate, Client, ClientBuilder, Identity, NoProxy, Proxy, redirect::Policy, retry,
};
use url::Url;

use super::{ConfigError, HttpS3Builder, endpoint::redacted, environment::Environment};
use crate::S3ErrorKind;

/// Idle connections are closed before common servers and load balancers do so
/// (20 s and up), which would make the next request fail.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// The instance metadata service is one hop away, or not there at all.
const METADATA_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Longest time for one answer of a service that gives credentials.
const METADATA_TIMEOUT: Duration = Duration::from_secs(2);

/// What a proxy means that answers 407.
pub(super) const PROXY_PASSWORD: &str =
    "the proxy wants another user and password than stand in its URL";

/// How the service is reached: whom to trust, who we are, and through what.
#[derive(Clone, Default)]
pub(super) struct Transport {
    root_certificates: Vec<Vec<u8>>,
    identity: Option<Vec<u8>>,
    proxy: Option<String>,
}

impl HttpS3Builder {
    /// Certificates to trust besides the system's, or besides those of
    /// `AWS_CA_BUNDLE`: one or more, as PEM. Given again, it adds to them.
    ///
    /// For a service with a certificate of its own or of a private authority.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.transport.root_certificates.push(pem.into());
        self
    }

    /// Who this client is to a service that asks for a client certificate: the
    /// certificate, its chain, and its private key without a password, in one PEM.
    pub fn identity(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.transport.identity = Some(pem.into());
        self
    }

    /// The proxy for every call, whatever the environment says of proxies, `NO_PROXY`
    /// included: `http://host:port` or `https://host:port`, with `user:password@`
    /// before the host where it wants them.
    ///
    /// It does not stand between the client and the sources of its credentials.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.transport.proxy = Some(url.into());
        self
    }
}

impl Transport {
    /// The HTTP client for S3.
    ///
    /// `plain` says that the endpoint is `http`: then no certificates are needed, and
    /// a machine that has none (a bare container) will do.
    pub(super) async fn client(
        &self,
        environment: &Environment,
        plain: bool,
        connect_timeout: Duration,
    ) -> Result<Client, ConfigError> {
        let mut builder =
            base().connect_timeout(connect_timeout).pool_idle_timeout(POOL_IDLE_TIMEOUT);
        let proxies = match &self.proxy {
            Some(url) => vec![parse_proxy(url)?],
            None => proxies(environment)?,
        };
        let mut roots = self.roots()?;
        if let Some(path) = environment.get("AWS_CA_BUNDLE") {
            let refused = |source| ConfigError::Certificates { path: path.to_owned(), source };
            roots.extend(certificates(path).await.map_err(refused)?);
            builder = builder.tls_certs_only(roots);
        } else if plain && proxies.is_empty() {
            builder = builder.tls_certs_only(roots);
        } else {
            builder = builder.tls_certs_merge(roots);
        }
        if let Some(pem) = &self.identity {
            builder = builder.identity(parse_identity(pem)?);
        }
        for proxy in proxies {
            builder = builder.proxy(proxy);
        }
        builder.build().map_err(|error| ConfigError::Transport(error.into()))
    }

    /// Whether some calls, or all of them, go through a proxy.
    pub(super) fn is_proxied(&self, environment: &Environment) -> bool {
        let variables = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
        self.proxy.is_some() || variables.iter().any(|name| environment.get(name).is_some())
    }

    fn roots(&self) -> Result<Vec<Certificate>, ConfigError> {
        let mut roots = Vec::new();
        for pem in &self.root_certificates {
            let refused = |reason: String| ConfigError::RootCertificates { reason };
            let found = Certificate::from_pem_bundle(pem).map_err(|e| refused(e.to_string()))?;
            if found.is_empty() {
                return Err(refused("none is in the text".to_owned()));
            }
            roots.extend(found);
        }
        Ok(roots)
    }
}

impl fmt::Debug for Transport {
    /// Shows no key, and no password of a proxy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("root_certificates", &self.root_certificates.len())
            .field("identity", &self.identity.as_ref().map(|_| format_args!("…")))
            .field("proxy", &self.proxy.as_deref().map(redacted))
            .finish()
    }
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

/// What to do where trying to connect again cannot help: a certificate does not become
/// valid by that, nor a password right.
pub(super) fn advice(cause: &str) -> Option<(S3ErrorKind, &'static str)> {
    // As hyper, rustls and the platform's verifier word it.
    let says = |word: &str| cause.contains(word);
    if says("proxy authorization required") {
        return Some((S3ErrorKind::AccessDenied, PROXY_PASSWORD));
    }
    let certificate = if says("CertificateRequired") {
        "the service wants a client certificate; give it with `identity`"
    } else if says("fatal alert") && (says("Certificate") || says("UnknownCA")) {
        "the service does not accept the client certificate; look which it trusts"
    } else if !cause.to_lowercase().contains("certificate") {
        return None;
    } else if says("UnknownIssuer") || says("BadSignature") {
        "if the service is the right one, have its authority trusted: put that into a PEM file that \
         AWS_CA_BUNDLE names, or give it with `root_certificates`"
    } else if says("not valid for name") || says("NotValidForName") {
        "use a name that the certificate is for in the endpoint"
    } else if says("xpired") || says("NotValidYet") || says("not valid yet") {
        "have it renewed, and check the clock of this machine"
    } else {
        "check the endpoint, and the certificate of the service"
    };
    Some((S3ErrorKind::Unreachable, certificate))
}

async fn certificates(
    path: &str,
) -> Result<Vec<Certificate>, Box<dyn std::error::Error + Send + Sync>> {
    Ok(Certificate::from_pem_bundle(&tokio::fs::read(path).await?)?)
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

/// Neither the PEM nor what a parser says of it is shown: there is a key in it.
fn parse_identity(pem: &[u8]) -> Result<Identity, ConfigError> {
    let identity = Identity::from_pem(pem).map_err(|_| ConfigError::Identity)?;
    // Whether the key belongs to the certificate shows when a client is made of them.
    let trial = base().tls_certs_only([]).identity(identity.clone()).build();
    trial.map(|_| identity).map_err(|_| ConfigError::Identity)
}

fn parse_proxy(text: &str) -> Result<Proxy, ConfigError> {
    const REFUSED: ConfigError = ConfigError::Proxy { variable: "HttpS3Builder::proxy" };
    let url = Url::parse(text).map_err(|_| REFUSED)?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(REFUSED);
    }
    Proxy::all(url).map_err(|_| REFUSED)
}
