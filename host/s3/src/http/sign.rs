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

use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue, Uri, header, request::Parts, uri::PathAndQuery};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{credentials::AccessKey, encode};
use crate::{S3Error, S3ErrorKind};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What `x-amz-content-sha256` says of a body that the signature does not cover.
pub(super) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// Who signs, where, and at what time.
pub(super) struct Signing<'a> {
    credential: &'a AccessKey,
    /// As in `20260131T235959Z`.
    time: String,
    /// Day, region, service: what a signing key is good for.
    scope: String,
    region: &'a str,
    service: &'a str,
}

impl<'a> Signing<'a> {
    pub(super) fn new(
        credential: &'a AccessKey,
        region: &'a str,
        at: SystemTime,
    ) -> Result<Self, S3Error> {
        Self::of_service("s3", credential, region, at)
    }

    pub(super) fn of_service(
        service: &'a str,
        credential: &'a AccessKey,
        region: &'a str,
        at: SystemTime,
    ) -> Result<Self, S3Error> {
        let at = Timestamp::try_from(at).map_err(|error| unsignable().caused_by(error))?;
        let time = at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let scope = format!("{}/{region}/{service}/aws4_request", day(&time));
        Ok(Self { credential, time, scope, region, service })
    }

    /// Adds `x-amz-date`, the session token and `Authorization`.
    ///
    /// Every other header must be there already: all of them are signed.
    pub(super) fn sign_headers(&self, head: &mut Parts) -> Result<(), S3Error> {
        head.headers.insert("x-amz-date", value(&self.time)?);
        if let Some(token) = &self.credential.session_token {
            let mut token = value(token)?;
            token.set_sensitive(true);
            head.headers.insert("x-amz-security-token", token);
        }
        let payload = text(&head.headers, "x-amz-content-sha256")?.unwrap_or(UNSIGNED_PAYLOAD);
        let (headers, names) = canonical_headers(&head.uri, &head.headers)?;
        let query = canonical_query(head.uri.query().unwrap_or_default());
        let signature = self.signature(head, &query, &headers, &names, payload)?;
        let mut authorization = value(&format!(
            "{ALGORITHM} Credential={}/{}, SignedHeaders={names}, Signature={signature}",
            self.credential.id, self.scope
        ))?;
        authorization.set_sensitive(true);
        head.headers.insert(header::AUTHORIZATION, authorization);
        Ok(())
    }

    /// Puts the signature into the query: whoever has the URL can make this request
    /// until it expires, with exactly the headers that `head` has.
    pub(super) fn sign_query(&self, head: &mut Parts, expires: Duration) -> Result<(), S3Error> {
        let (headers, names) = canonical_headers(&head.uri, &head.headers)?;
        let credential = format!("{}/{}", self.credential.id, self.scope);
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
        let signature = self.signature(head, &query, &headers, &names, UNSIGNED_PAYLOAD)?;
        let path = head.uri.path();
        let signed = format!("{path}?{query}&X-Amz-Signature={signature}");
        let mut uri = head.uri.clone().into_parts();
        uri.path_and_query =
            Some(PathAndQuery::try_from(signed).map_err(|error| unsignable().caused_by(error))?);
        head.uri = Uri::from_parts(uri).map_err(|error| unsignable().caused_by(error))?;
        Ok(())
    }

    fn signature(
        &self,
        head: &Parts,
        query: &str,
        headers: &str,
        names: &str,
        payload: &str,
    ) -> Result<String, S3Error> {
        let (method, path) = (&head.method, head.uri.path());
        let request = format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{payload}");
        let hash = base16ct::lower::encode_string(&Sha256::digest(request));
        let statement = format!("{ALGORITHM}\n{}\n{}\n{hash}", self.time, self.scope);
        let mut key = hmac(format!("AWS4{}", self.credential.secret).as_bytes(), day(&self.time))?;
        for part in [self.region, self.service, "aws4_request", &statement] {
            key = hmac(&key, part)?;
        }
        Ok(base16ct::lower::encode_string(&key))
    }
}

fn day(time: &str) -> &str {
    time.split('T').next().unwrap_or_default()
}

/// Each header in a line, in the order of their names, blanks in a row as one; and
/// the names alone.
fn canonical_headers(uri: &Uri, headers: &HeaderMap) -> Result<(String, String), S3Error> {
    let host = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let mut all = vec![("host", host)];
    for (name, value) in headers {
        all.push((name.as_str(), value.to_str().map_err(|e| unsignable().caused_by(e))?));
    }
    all.sort_unstable();
    let (mut lines, mut names) = (String::new(), String::new());
    for (name, value) in all {
        if !names.is_empty() {
            names.push(';');
        }
        names.push_str(name);
        lines.push_str(name);
        lines.push(':');
        let mut words = value.split([' ', '\t']).filter(|word| !word.is_empty());
        lines.extend(words.next());
        for word in words {
            lines.push(' ');
            lines.push_str(word);
        }
        lines.push('\n');
    }
    Ok((lines, names))
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

fn hmac(key: &[u8], message: &str) -> Result<[u8; 32], S3Error> {
    let mac = Hmac::<Sha256>::new_from_slice(key);
    let mut mac = mac.map_err(|error| unsignable().caused_by(error.to_string()))?;
    mac.update(message.as_bytes());
    Ok(mac.finalize().into_bytes().into())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, S3Error> {
    let value = headers.get(name).map(HeaderValue::to_str).transpose();
    value.map_err(|error| unsignable().caused_by(error))
}

/// A credential may hold anything; none of it is shown.
fn value(text: &str) -> Result<HeaderValue, S3Error> {
    HeaderValue::from_str(text).map_err(|_| unsignable())
}

fn unsignable() -> S3Error {
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
