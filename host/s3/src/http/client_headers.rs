use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, Method};
use md5::{Digest, Md5};

use super::{ConfigError, HttpS3Builder, endpoint::Endpoint, request::Headers};
use crate::{Operation, S3Error, S3ErrorKind};

/// A key of 256 bits that the service encrypts objects with and does not keep (SSE-C).
///
/// Who loses it loses the objects. `Debug` does not show it.
///
/// Source: [SSE-C](https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html).
#[derive(Clone, PartialEq, Eq)]
pub struct CustomerKey([u8; 32]);

impl CustomerKey {
    /// A key of these bytes. They should come from a source of random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerKey(…)")
    }
}

/// What a client says with every request that may carry it.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientHeaders {
    customer_key: Option<CustomerKey>,
    bucket_owner: Option<String>,
}

impl HttpS3Builder {
    /// Has the service encrypt objects with this key, and decrypt them (SSE-C).
    ///
    /// - Sent with each put, get, head, copy and part, for source and copy alike;
    /// - only over `https`, or `http` to this machine: the key goes along in plain;
    /// - objects that were stored with another key, or with none, cannot be read by
    ///   this client; make another for them;
    /// - [`PutOptions::encryption`](crate::PutOptions) cannot be given besides.
    pub fn customer_key(mut self, key: CustomerKey) -> Self {
        self.client_headers.customer_key = Some(key);
        self
    }

    /// The account that owns the buckets: 12 digits (`x-amz-expected-bucket-owner`).
    ///
    /// Where a bucket belongs to another, S3 refuses the call with access denied, so
    /// that nothing goes to a bucket that somebody else has under the expected name.
    pub fn expected_bucket_owner(mut self, account: impl Into<String>) -> Self {
        self.client_headers.bucket_owner = Some(account.into());
        self
    }
}

impl ClientHeaders {
    pub(super) fn check(&self, endpoint: &Endpoint, proxied: bool) -> Result<(), ConfigError> {
        if let Some(account) = &self.bucket_owner
            && !(account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()))
        {
            return Err(ConfigError::BucketOwner { account: account.clone() });
        }
        let seen = proxied && endpoint.is_plain_http() || is_open(endpoint);
        if self.customer_key.is_some() && seen {
            return Err(ConfigError::CustomerKeyInPlain { endpoint: endpoint.to_string() });
        }
        Ok(())
    }

    /// Adds what a request takes that somebody else makes.
    pub(super) fn add_to_presigned(&self, headers: &mut Headers) -> Result<(), S3Error> {
        if self.customer_key.is_some() {
            return Err(S3Error::new(
                S3ErrorKind::InvalidRequest,
                "this client encrypts with a customer key, which whoever has the URL would need; \
                 presign with a client without it",
            ));
        }
        headers.set_some("x-amz-expected-bucket-owner", self.bucket_owner.as_deref())
    }

    /// Adds what a request of this kind takes.
    pub(super) fn add_to(
        &self,
        operation: Operation,
        method: &Method,
        endpoint: &Endpoint,
        headers: &mut Headers,
    ) -> Result<(), S3Error> {
        // A copy begins with a look at its source, which is a HEAD.
        let copies = operation == Operation::CopyObject && *method == Method::PUT;
        if let Some(account) = &self.bucket_owner {
            headers.set("x-amz-expected-bucket-owner", account)?;
            if copies {
                headers.set("x-amz-source-expected-bucket-owner", account)?;
            }
        }
        let Some(key) = self.customer_key.as_ref().filter(|_| takes_customer_key(operation)) else {
            return Ok(());
        };
        if headers.0.contains_key("x-amz-server-side-encryption") {
            return Err(S3Error::new(
                S3ErrorKind::InvalidRequest,
                "this client encrypts with a customer key, and S3 takes no other encryption \
                 besides; leave the option out, or use a client without the key",
            ));
        }
        // A service may have sent us elsewhere.
        if is_open(endpoint) {
            let refused = ConfigError::CustomerKeyInPlain { endpoint: endpoint.to_string() };
            return Err(S3Error::new(S3ErrorKind::InvalidRequest, refused.to_string()));
        }
        key.add_to("x-amz-server-side-encryption-customer", headers)?;
        if copies {
            key.add_to("x-amz-copy-source-server-side-encryption-customer", headers)?;
        }
        Ok(())
    }
}

impl CustomerKey {
    fn add_to(&self, prefix: &str, headers: &mut Headers) -> Result<(), S3Error> {
        headers.set(&format!("{prefix}-algorithm"), "AES256")?;
        let values =
            [("key", STANDARD.encode(self.0)), ("key-MD5", STANDARD.encode(Md5::digest(self.0)))];
        for (name, value) in values {
            let invalid = || S3Error::new(S3ErrorKind::InvalidRequest, "invalid customer key");
            let name = HeaderName::from_bytes(format!("{prefix}-{name}").as_bytes());
            let mut value = HeaderValue::from_str(&value).map_err(|_| invalid())?;
            // Keeps it out of what HTTP libraries log.
            value.set_sensitive(true);
            headers.0.insert(name.map_err(|_| invalid())?, value);
        }
        Ok(())
    }
}

/// Whether what is sent there can be read on the way.
fn is_open(endpoint: &Endpoint) -> bool {
    endpoint.is_plain_http() && !endpoint.is_loopback()
}

fn takes_customer_key(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::PutObject
            | Operation::GetObject
            | Operation::HeadObject
            | Operation::CopyObject
            | Operation::CreateMultipartUpload
            | Operation::UploadPart
            | Operation::CompleteMultipartUpload
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_key_is_never_shown() {
        let key = CustomerKey::new(*b"the32bytesofthekeythatnobodysees");
        let mut headers = Headers::default();
        let client = ClientHeaders { customer_key: Some(key), bucket_owner: None };
        let endpoint = Endpoint::parse("https://s3.test").unwrap();
        client.add_to(Operation::PutObject, &Method::PUT, &endpoint, &mut headers).unwrap();
        let shown = format!("{client:?} {headers:?}");
        let base64 = STANDARD.encode("the32bytesofthekeythatnobodysees");
        assert!(!shown.contains("the32bytes") && !shown.contains(&base64), "{shown}");
        let sent = &headers.0["x-amz-server-side-encryption-customer-key"];
        assert_eq!(sent.to_str().unwrap(), base64);
    }
}
