//! Signature Version 4, in headers and in a query.
//!
//! By hand, since the libraries fix what has to be chosen here: `reqsign` reads the
//! clock itself, so that a skew cannot be corrected, and `aws-sigv4` brings a second
//! version of `http` and AWS's runtime. `tests/signature_oracle.rs` holds every
//! signature against the one that `aws-sigv4` makes.
//!
//! Source: [signing with headers][headers], [signing a query][query].
//!
//! [headers]: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
//! [query]: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html

use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header, request::Parts, uri::PathAndQuery};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{credentials::AccessKey, encode, signing_key::SigningKey};
use crate::{S3Error, S3ErrorKind};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What `x-amz-content-sha256` says of a body that the signature does not cover.
pub(super) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

pub(super) const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Who signs, where, and at what time.
pub(super) struct Signing<'a> {
    credential: &'a AccessKey,
    key: Arc<SigningKey>,
    /// As in `20260131T235959Z`.
    time: String,
}

impl<'a> Signing<'a> {
    pub(super) fn new(
        credential: &'a AccessKey,
        region: &str,
        at: SystemTime,
    ) -> Result<Self, S3Error> {
        Self::of_service("s3", credential, region, at)
    }

    pub(super) fn of_service(
        service: &'static str,
        credential: &'a AccessKey,
        region: &str,
        at: SystemTime,
    ) -> Result<Self, S3Error> {
        let at = Timestamp::try_from(at).map_err(|error| unsignable().caused_by(error))?;
        // Whole seconds, also before the epoch.
        let at = at.as_second() - i64::from(at.subsec_nanosecond() < 0);
        let key = credential.derived.at(at, &credential.secret, region, service)?;
        let time = key.write_time(at);
        Ok(Self { credential, key, time })
    }

    /// Adds `x-amz-date`, the session token and `Authorization`.
    ///
    /// Every other header must be there already: all of them are signed.
    pub(super) fn sign_headers(&self, head: &mut Parts) -> Result<(), S3Error> {
        head.headers.insert(DATE, value(&self.time)?);
        if let Some(token) = &self.credential.session_token {
            let mut token = value(token)?;
            token.set_sensitive(true);
            head.headers.insert(SECURITY_TOKEN, token);
        }
        let payload = head.headers.get(CONTENT_SHA256).map(HeaderValue::to_str).transpose();
        let payload = payload.map_err(|error| unsignable().caused_by(error))?;
        let headers = sorted(&head.uri, &head.headers)?;
        let query = canonical_query(head.uri.query().unwrap_or_default());
        let request =
            CanonicalRequest::new(head, &query, &headers, payload.unwrap_or(UNSIGNED_PAYLOAD));
        let mut hex = [0; 64];
        let signature = self.signature(&request, &mut hex)?;
        let id = &self.credential.id;
        let (scope, names) = (self.key.scope(), request.names());
        let pieces = [
            ALGORITHM,
            " Credential=",
            id,
            "/",
            scope,
            ", SignedHeaders=",
            names,
            ", Signature=",
            signature,
        ];
        let authorization = HeaderValue::try_from(pieces.concat());
        let mut authorization = authorization.map_err(|_| unsignable())?;
        authorization.set_sensitive(true);
        head.headers.insert(header::AUTHORIZATION, authorization);
        Ok(())
    }

    /// Puts the signature into the query: whoever has the URL can make this request
    /// until it expires, with exactly the headers that `head` has.
    pub(super) fn sign_query(&self, head: &mut Parts, expires: Duration) -> Result<(), S3Error> {
        let headers = sorted(&head.uri, &head.headers)?;
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let credential = format!("{}/{}", self.credential.id, self.key.scope());
        let expires = expires.as_secs().to_string();
        let token = self.credential.session_token.as_deref();
        let ours = [
            ("X-Amz-Algorithm", Some(ALGORITHM)),
            ("X-Amz-Credential", Some(&credential)),
            ("X-Amz-Date", Some(&self.time)),
            ("X-Amz-Expires", Some(&expires)),
            ("X-Amz-SignedHeaders", Some(&names)),
            ("X-Amz-Security-Token", token),
        ];
        let ours = encode::query(ours.into_iter().filter_map(|(name, v)| Some((name, v?))));
        let given = head.uri.query().unwrap_or_default();
        let query = canonical_query(&format!("{given}&{ours}"));
        let request = CanonicalRequest::new(head, &query, &headers, UNSIGNED_PAYLOAD);
        let mut hex = [0; 64];
        let signature = self.signature(&request, &mut hex)?;
        let path = head.uri.path();
        let signed = format!("{path}?{query}&X-Amz-Signature={signature}");
        let mut uri = head.uri.clone().into_parts();
        uri.path_and_query =
            Some(PathAndQuery::try_from(signed).map_err(|error| unsignable().caused_by(error))?);
        head.uri = Uri::from_parts(uri).map_err(|error| unsignable().caused_by(error))?;
        Ok(())
    }

    /// The signature, in hexadecimal.
    fn signature<'h>(
        &self,
        request: &CanonicalRequest,
        hex: &'h mut [u8; 64],
    ) -> Result<&'h str, S3Error> {
        let mut of_request = [0; 64];
        let of_request = in_hex(&Sha256::digest(&request.text), &mut of_request)?;
        let statement = [ALGORITHM, "\n", &self.time, "\n", self.key.scope(), "\n", of_request];
        in_hex(&self.key.sign(statement), hex)
    }
}

/// A request, written down as it is signed.
struct CanonicalRequest {
    text: String,
    /// Where the names of the headers stand in it.
    names: Range<usize>,
}

impl CanonicalRequest {
    fn new(head: &Parts, query: &str, headers: &[(&str, &str)], payload: &str) -> Self {
        let path = head.uri.path();
        let lines: usize = headers.iter().map(|(n, value)| 2 * n.len() + value.len() + 3).sum();
        let length = path.len() + query.len() + lines + payload.len();
        // And the method, which is short, and four ends of lines.
        let mut text = String::with_capacity(length + 16);
        for line in [head.method.as_str(), path, query] {
            text.push_str(line);
            text.push('\n');
        }
        for (name, value) in headers {
            text.push_str(name);
            text.push(':');
            push_trimmed(&mut text, value);
            text.push('\n');
        }
        text.push('\n');
        let begin = text.len();
        for (name, _) in headers {
            if text.len() > begin {
                text.push(';');
            }
            text.push_str(name);
        }
        let names = begin..text.len();
        text.push('\n');
        text.push_str(payload);
        Self { text, names }
    }

    /// The names of the signed headers.
    fn names(&self) -> &str {
        &self.text[self.names.clone()]
    }
}

/// Names and values of the headers, in the order of the names.
fn sorted<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Result<Vec<(&'a str, &'a str)>, S3Error> {
    let host = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let mut all = Vec::with_capacity(headers.len() + 1);
    all.push(("host", host));
    for (name, value) in headers {
        all.push((name.as_str(), value.to_str().map_err(|e| unsignable().caused_by(e))?));
    }
    all.sort_unstable();
    Ok(all)
}

/// Adds a header's value, blanks in a row as one.
fn push_trimmed(text: &mut String, value: &str) {
    if !value.bytes().any(|b| b == b' ' || b == b'\t') {
        return text.push_str(value);
    }
    let mut words = value.split([' ', '\t']).filter(|word| !word.is_empty());
    text.extend(words.next());
    for word in words {
        text.push(' ');
        text.push_str(word);
    }
}

/// The pairs of a query, encoded already, in the order of their names.
fn canonical_query(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(&str, &str)> =
        pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn in_hex<'h>(bytes: &[u8], hex: &'h mut [u8; 64]) -> Result<&'h str, S3Error> {
    base16ct::lower::encode_str(bytes, hex).map_err(|error| unsignable().caused_by(error))
}

/// A credential may hold anything; none of it is shown.
fn value(text: &str) -> Result<HeaderValue, S3Error> {
    HeaderValue::from_str(text).map_err(|_| unsignable())
}

pub(super) fn unsignable() -> S3Error {
    S3Error::new(
        S3ErrorKind::AccessDenied,
        "the request cannot be signed: the access key, the session token or a header holds \
         characters that HTTP cannot carry",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples that AWS gives for S3, with the key that they use.
    fn example(head: http::request::Builder) -> (AccessKey, Parts) {
        let credential =
            AccessKey::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        (credential, head.body(()).unwrap().into_parts().0)
    }

    fn day() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(380_376)
    }

    #[test]
    fn headers_are_signed_as_in_aws_s_example_of_a_ranged_get() {
        const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let request = http::Request::get("https://examplebucket.s3.amazonaws.com/test.txt")
            .header("range", "bytes=0-9")
            .header("x-amz-content-sha256", EMPTY);
        let (credential, mut head) = example(request);
        Signing::new(&credential, "us-east-1", day()).unwrap().sign_headers(&mut head).unwrap();
        let authorization = head.headers["authorization"].to_str().unwrap();
        assert!(
            authorization.ends_with(
                "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
            ),
            "{authorization}"
        );
    }

    #[test]
    fn a_query_is_signed_as_in_aws_s_example_of_a_presigned_url() {
        let request = http::Request::get("https://examplebucket.s3.amazonaws.com/test.txt");
        let (credential, mut head) = example(request);
        let signing = Signing::new(&credential, "us-east-1", day()).unwrap();
        signing.sign_query(&mut head, Duration::from_hours(24)).unwrap();
        let query = head.uri.query().unwrap();
        assert!(
            query.ends_with(
                "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
            ),
            "{query}"
        );
    }

    #[test]
    fn a_key_that_http_cannot_carry_is_refused_and_not_shown() {
        let request = http::Request::get("https://host/k");
        let (mut credential, mut head) = example(request);
        credential.session_token = Some("hunter2\n".to_owned());
        let signing = Signing::new(&credential, "us-east-1", day()).unwrap();
        let error = format!("{:?}", signing.sign_headers(&mut head).unwrap_err());
        assert!(error.contains("session token") && !error.contains("hunter2"), "{error}");
    }
}
