use std::{
    fmt,
    time::{Duration, SystemTime},
};

use http::Method;

use super::{
    HttpS3, encode, object_headers,
    request::{Headers, target},
    sign::Signing,
};
use crate::{
    Bucket, ContentHeaders, GetOptions, ObjectKey, Operation, PutOptions, S3Error, S3ErrorKind,
};

/// A URL that makes one request for whoever has it, without credentials, for a while.
///
/// It is a secret as long as it works: `Debug` does not show it, and there is no
/// `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct PresignedUrl {
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    expires_at: SystemTime,
}

impl PresignedUrl {
    /// The URL, to hand to whoever is to make the request.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.url
    }

    /// `GET` or `PUT`; no other works.
    #[must_use]
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// Names and values of the headers that the request must have, exactly so. They are
    /// signed: the service refuses a request without them, or with other values.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// From when on the service refuses it.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }
}

impl fmt::Debug for PresignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, _) = self.url.split_once('?').unwrap_or_default();
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("PresignedUrl")
            .field("method", &self.method)
            .field("url", &format_args!("{place}?…"))
            .field("headers", &names)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

/// How S3 bounds the time that a URL works.
const MIN_VALID: Duration = Duration::from_secs(1);
const MAX_VALID: Duration = Duration::from_hours(7 * 24);

impl HttpS3 {
    /// A URL that reads an object, for `valid`: 1 second to 7 days, in whole seconds.
    ///
    /// - Nothing is sent, so nobody knows yet whether the object is there;
    /// - `response` replaces the content headers that the object was stored with in the
    ///   answer, such as the file name that a browser saves it under;
    /// - a range and conditions are headers that the caller must send;
    /// - it ends earlier, where the credentials that signed it expire earlier.
    ///
    /// # Example: a link for a browser
    ///
    /// ```no_run
    /// # async fn example(s3: artifact_s3::HttpS3) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// use artifact_s3::{Bucket, ContentHeaders, GetOptions, ObjectKey};
    ///
    /// let (bucket, key) = (Bucket::parse("artifacts")?, ObjectKey::parse("runs/1/log")?);
    /// let response = ContentHeaders {
    ///     content_disposition: Some("attachment; filename=\"log.txt\"".to_owned()),
    ///     ..Default::default()
    /// };
    /// let hour = Duration::from_secs(3600);
    /// let url = s3.presign_get(&bucket, &key, &GetOptions::default(), &response, hour).await?;
    /// println!("{}", url.expose());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn presign_get(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
        response: &ContentHeaders,
        valid: Duration,
    ) -> Result<PresignedUrl, S3Error> {
        let on = |error: S3Error| error.on(Operation::GetObject, target(bucket, Some(key)));
        let prepared = || {
            self.known().check_get(bucket, options)?;
            options.check()?;
            response.check()?;
            object_headers::of_read(options)
        };
        let headers = prepared().map_err(on)?;
        let version = options.version_id.as_deref().map(|id| ("versionId".to_owned(), id));
        let overrides = response.iter().map(|(name, value)| (format!("response-{name}"), value));
        let pairs: Vec<(String, &str)> = version.into_iter().chain(overrides).collect();
        let query = encode::query(pairs.iter().map(|(name, value)| (name.as_str(), *value)));
        self.presign(Method::GET, bucket, key, &query, headers, valid).await.map_err(on)
    }

    /// A URL that stores an object, for `valid`: 1 second to 7 days, in whole seconds.
    ///
    /// - What `options` say becomes headers that the caller must send;
    /// - how long the body is, and what is in it, is the caller's affair: S3 takes up to
    ///   5 GiB. A checksum would need the bytes, and is refused;
    /// - it can be used more than once until it ends; with
    ///   [`WriteCondition::IfAbsent`](crate::WriteCondition) only the first stores;
    /// - it ends earlier, where the credentials that signed it expire earlier.
    pub async fn presign_put(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &PutOptions,
        valid: Duration,
    ) -> Result<PresignedUrl, S3Error> {
        let on = |error: S3Error| error.on(Operation::PutObject, target(bucket, Some(key)));
        let prepared = || {
            self.known().check_put(bucket, options, options.checksum)?;
            options.check()?;
            if options.checksum.is_some() {
                return Err(refused("a checksum needs the bytes, which whoever has the URL sends"));
            }
            object_headers::of_write(options)
        };
        let headers = prepared().map_err(on)?;
        self.presign(Method::PUT, bucket, key, "", headers, valid).await.map_err(on)
    }

    async fn presign(
        &self,
        method: Method,
        bucket: &Bucket,
        key: &ObjectKey,
        query: &str,
        mut headers: Headers,
        valid: Duration,
    ) -> Result<PresignedUrl, S3Error> {
        if !(MIN_VALID..=MAX_VALID).contains(&valid) {
            return Err(refused(&format!(
                "a URL cannot be valid for {valid:?}: S3 takes 1 second to 7 days"
            )));
        }
        let parts = self.parts();
        let Some(keys) = &parts.keys else {
            return Err(refused("this client has no credentials, and so nothing to sign with"));
        };
        parts.client_headers.add_to_presigned(&mut headers)?;
        let place = parts.places.of(bucket);
        let url = place.endpoint.url(place.addressing, bucket, Some(key), query);
        let request = http::Request::builder().method(method).uri(&url).body(());
        let (mut head, ()) = request
            .map_err(|error| refused("the key cannot stand in a URL").caused_by(error))?
            .into_parts();
        head.headers = headers.0;
        let (credential, now) = (keys.current().await?, parts.clock.now());
        let valid = Duration::from_secs(valid.as_secs());
        Signing::new(&credential.key, &place.region, now)?.sign_query(&mut head, valid)?;
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into();
        Ok(PresignedUrl {
            method: head.method,
            url: head.uri.to_string(),
            headers: head.headers.iter().map(|(n, v)| (n.to_string(), text(v))).collect(),
            expires_at: now + valid.min(credential.key.left(now)),
        })
    }
}

fn refused(message: &str) -> S3Error {
    S3Error::new(S3ErrorKind::InvalidRequest, message)
}
