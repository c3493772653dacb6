use url::{Host, Url};

use super::{ConfigError, encode};
use crate::{Bucket, ObjectKey};

/// Room in a URL for what most keys grow by when they are encoded.
const ENCODED: usize = 32;

/// Where the bucket's name stands in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Addressing {
    /// In the path: `https://host/bucket/key`. Every S3-compatible service knows it.
    PathStyle,
    /// In the host: `https://bucket.host/key`. What AWS recommends.
    VirtualHost,
}

/// The service that a client talks to.
///
/// - The scheme is `http` or `https`;
/// - there is no user, password, query or fragment;
/// - the base path has no `/` at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    scheme: &'static str,
    /// Host, and port where it is not the scheme's own.
    authority: String,
    base_path: String,
    is_aws: bool,
    is_address: bool,
    is_loopback: bool,
}

impl Endpoint {
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        let refuse = |reason: String| ConfigError::Endpoint { endpoint: redacted(text), reason };
        let url = Url::parse(text).map_err(|error| {
            refuse(format!("it is no URL ({error}); write it as http://host:port or https://host"))
        })?;
        let scheme = match url.scheme() {
            "http" => "http",
            "https" => "https",
            _ => return Err(refuse("it must begin with http:// or https://".to_owned())),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse(
                "it holds a user or a password; give credentials as an access key".to_owned(),
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("it must end before any `?` or `#`".to_owned()));
        }
        let Some(host) = url.host() else {
            return Err(refuse("it names no host".to_owned()));
        };
        let is_aws = matches!(host, Host::Domain(name) if is_aws_host(name));
        let is_address = !matches!(host, Host::Domain(_));
        let is_loopback = match host {
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        let base_path = url.path().trim_end_matches('/').to_owned();
        Ok(Self { scheme, authority, base_path, is_aws, is_address, is_loopback })
    }

    /// AWS's own endpoint in a region.
    pub(super) fn of_aws(region: &str) -> Result<Self, ConfigError> {
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        Self::parse(&format!("https://s3.{region}.{domain}"))
    }

    pub(super) fn is_aws(&self) -> bool {
        self.is_aws
    }

    /// Whether the host is an IP address, which no bucket can stand before.
    pub(super) fn is_address(&self) -> bool {
        self.is_address
    }

    pub(super) fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// Whether the host is this machine.
    pub(super) fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    pub(super) fn is_plain_http(&self) -> bool {
        self.scheme == "http"
    }

    /// Host and port, as messages name the service.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// The URL of a bucket or of an object in it, every byte of the key kept.
    pub(super) fn url(
        &self,
        addressing: Addressing,
        bucket: &Bucket,
        key: Option<&ObjectKey>,
        query: &str,
    ) -> String {
        let Self { scheme, authority, base_path, .. } = self;
        let bucket_name = bucket.as_str();
        let (key, slash) = key.map_or(("", ""), |key| (key.as_str(), "/"));
        let before_key = match addressing {
            Addressing::VirtualHost if self.takes_in_host(bucket) => {
                [scheme, "://", bucket_name, ".", authority, base_path, "/"]
            }
            _ => [scheme, "://", authority, base_path, "/", bucket_name, slash],
        };
        let length: usize = before_key.iter().map(|piece| piece.len()).sum();
        let mut url = String::with_capacity(length + key.len() + query.len() + ENCODED);
        url.extend(before_key);
        url.extend(encode::path(key));
        if !query.is_empty() {
            url.push('?');
            url.push_str(query);
        }
        url
    }

    /// AWS's certificate is for one label before the host, so that a bucket with
    /// dots goes into the path; so do old names that are no host names.
    fn takes_in_host(&self, bucket: &Bucket) -> bool {
        let name = bucket.as_str();
        let no_host_name = name.bytes().any(|b| b.is_ascii_uppercase() || b == b'_');
        !(no_host_name || self.is_aws && name.contains('.'))
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.base_path)
    }
}

fn is_aws_host(host: &str) -> bool {
    host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")
}

/// `text` without what could be a secret: a user and password, a query.
pub(super) fn redacted(text: &str) -> String {
    let without_query = |text: &str| text.split(['?', '#']).next().unwrap_or_default().to_owned();
    // First of all the password goes: any of the marks around it may stand within it.
    let Some((before, host)) = text.rsplit_once('@') else {
        return without_query(text);
    };
    let scheme = before.split_once("://").map(|(scheme, _)| scheme);
    let is_scheme = |text: &&str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let scheme = scheme.filter(is_scheme).map_or_else(String::new, |scheme| format!("{scheme}://"));
    format!("{scheme}…@{}", without_query(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(endpoint: &str, addressing: Addressing, bucket: &str, key: &str) -> String {
        let key = ObjectKey::parse(key).unwrap();
        Endpoint::parse(endpoint).unwrap().url(
            addressing,
            &Bucket::parse(bucket).unwrap(),
            Some(&key),
            "",
        )
    }

    #[test]
    fn every_part_of_an_endpoint_is_kept() {
        use Addressing::{PathStyle, VirtualHost};
        for (endpoint, addressing, bucket, key, expected) in [
            ("http://127.0.0.1:9000", PathStyle, "bkt", "k", "http://127.0.0.1:9000/bkt/k"),
            ("http://[::1]:9000/", PathStyle, "bkt", "k", "http://[::1]:9000/bkt/k"),
            ("https://s3.test:443", PathStyle, "bkt", "/a//b", "https://s3.test/bkt//a//b"),
            ("https://h.test/s3/v1/", PathStyle, "bkt", "k", "https://h.test/s3/v1/bkt/k"),
            ("https://h.test/s3/v1/", VirtualHost, "bkt", "k", "https://bkt.h.test/s3/v1/k"),
            ("https://h.test", VirtualHost, "a.b", "k", "https://a.b.h.test/k"),
            ("https://h.test", VirtualHost, "A_b", "k", "https://h.test/A_b/k"),
        ] {
            assert_eq!(url(endpoint, addressing, bucket, key), expected);
        }
    }

    #[test]
    fn aws_gets_virtual_hosts_and_paths_for_dotted_buckets() {
        let aws = |bucket: &str| {
            let bucket = Bucket::parse(bucket).unwrap();
            let endpoint = Endpoint::of_aws("eu-west-1").unwrap();
            endpoint.url(Addressing::VirtualHost, &bucket, None, "list-type=2")
        };
        assert_eq!(aws("bkt"), "https://bkt.s3.eu-west-1.amazonaws.com/?list-type=2");
        assert_eq!(aws("a.b"), "https://s3.eu-west-1.amazonaws.com/a.b?list-type=2");
    }

    #[test]
    fn what_is_no_endpoint_is_refused_by_name_and_without_secrets() {
        for (text, expected) in [
            ("nonsense", "nonsense"),
            ("localhost:9000", "localhost:9000"),
            ("ftp://host", "ftp://host"),
            ("http://host/?x=1", "http://host/"),
            ("http://host/#x", "http://host/"),
            ("https://", "https://"),
            ("http://host:port", "http://host:port"),
            ("http://me:hunter2@host", "http://…@host"),
            ("http://me:hunter2@host:port", "http://…@host:port"),
            ("me:hunter2@host", "…@host"),
            ("http://me:hun#ter2@host", "http://…@host"),
            ("http://me:hun?ter2@host/?x=1", "http://…@host/"),
            ("http://me:hun/ter2@host", "http://…@host"),
            ("http://me:hun@ter2@host", "http://…@host"),
            ("me:hun://ter2@host", "…@host"),
            ("", "\"\""),
        ] {
            let message = Endpoint::parse(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
            assert!(!message.contains("hun"), "{message}");
        }
    }
}
