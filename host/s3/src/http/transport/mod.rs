//! What carries requests: connections of hyper in a pool of our own, and how they come
//! about (names, TLS, proxies).

mod client;
mod connection;
mod connector;
mod error;
mod metered;
mod pool;
mod tls;
pub(super) use client::HttpClient;
pub(super) use connection::ResponseBody;
pub(super) use error::TransportError;

use std::{fmt, time::Duration};

use hyper_util::client::proxy::matcher::Matcher;
use rustls::pki_types::CertificateDer;
use url::Url;

use self::{
    connector::Connector,
    tls::{Identity, System, Trust},
};
use super::{ConfigError, HttpS3Builder, endpoint::redacted, environment::Environment};
use crate::S3ErrorKind;

const USER_AGENT: &str = concat!("artifact-s3/", env!("CARGO_PKG_VERSION"));

/// The instance metadata service is one hop away, or not there at all.
const METADATA_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

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
    /// `plain` says that the endpoint is `http`: then no certificates are needed unless it
    /// sends a bucket to TLS, and a machine that has none (a bare container) will do.
    pub(super) async fn client(
        &self,
        environment: &Environment,
        plain: bool,
        connect_timeout: Duration,
    ) -> Result<HttpClient, ConfigError> {
        let proxies = match &self.proxy {
            Some(url) => Some(Matcher::builder().all(parse_proxy(url)?).build()),
            None => proxies(environment)?,
        };
        let mut roots = self.roots()?;
        let bundle = environment.get("AWS_CA_BUNDLE");
        if let Some(path) = bundle {
            let refused = |source| ConfigError::Certificates { path: path.to_owned(), source };
            roots.extend(certificates(path).await.map_err(refused)?);
        }
        let system = match bundle {
            Some(_) => System::No,
            None if plain && proxies.is_none() => System::WhenNeeded,
            None => System::Yes,
        };
        let identity = self.identity.as_deref().map(Identity::parse).transpose()?;
        let tls = tls::config(Trust { roots, system }, identity)?;
        Ok(HttpClient::new(Connector::new(tls, proxies, connect_timeout)))
    }

    /// Whether some calls, or all of them, go through a proxy.
    pub(super) fn is_proxied(&self, environment: &Environment) -> bool {
        let variables = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
        self.proxy.is_some() || variables.iter().any(|name| environment.get(name).is_some())
    }

    fn roots(&self) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
        let mut roots = Vec::new();
        for pem in &self.root_certificates {
            let refused = |reason: String| ConfigError::RootCertificates { reason };
            let found = tls::certificates(pem).map_err(|error| refused(error.to_string()))?;
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
pub(super) fn for_metadata() -> Result<HttpClient, ConfigError> {
    let tls = tls::config(Trust { roots: Vec::new(), system: System::WhenNeeded }, None)?;
    Ok(HttpClient::new(Connector::new(tls, None, METADATA_CONNECT_TIMEOUT)))
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
    } else if says("No CA certificates were loaded") {
        "this machine has none to trust: install them (`ca-certificates`), or put those of the \
         service's authority into a PEM file that AWS_CA_BUNDLE names"
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
) -> Result<Vec<CertificateDer<'static>>, Box<dyn std::error::Error + Send + Sync>> {
    Ok(tls::certificates(&tokio::fs::read(path).await?)?)
}

fn proxies(environment: &Environment) -> Result<Option<Matcher>, ConfigError> {
    let find = |upper: &'static str, lower: &'static str| {
        let of = |name| environment.get(name).map(|value| (name, value));
        of(lower).or_else(|| of(upper))
    };
    let url = |found: Option<(&'static str, &str)>| match found {
        // A scheme may be missing.
        Some((variable, url)) => Url::parse(url)
            .ok()
            .filter(Url::has_host)
            .or_else(|| Url::parse(&format!("http://{url}")).ok())
            .ok_or(ConfigError::Proxy { variable })
            .map(Some),
        None => Ok(None),
    };
    let https = url(find("HTTPS_PROXY", "https_proxy"))?;
    let http = url(find("HTTP_PROXY", "http_proxy"))?;
    if https.is_none() && http.is_none() {
        return Ok(None);
    }
    let text = |url: Option<Url>| url.map(String::from).unwrap_or_default();
    let except = find("NO_PROXY", "no_proxy").map_or("", |(_, list)| list);
    Ok(Some(Matcher::builder().https(text(https)).http(text(http)).no(except).build()))
}

fn parse_proxy(text: &str) -> Result<String, ConfigError> {
    const REFUSED: ConfigError = ConfigError::Proxy { variable: "HttpS3Builder::proxy" };
    let url = Url::parse(text).map_err(|_| REFUSED)?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(REFUSED);
    }
    Ok(url.into())
}
