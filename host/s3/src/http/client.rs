use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio_util::task::TaskTracker;

use super::{
    Addressing, ConfigError, Credentials, CredentialsSource, HttpS3Builder, Multipart, RetryPolicy,
    UploadChecksum, client_headers::ClientHeaders, clock::Clock, credentials::Keys,
    endpoint::Endpoint, payload::Seals, places::Places, request::target, retry::Budget,
    transport::HttpClient,
};
use crate::{
    Body, Bucket, DeleteOptions, GetOptions, ListOptions, Listing, Object, ObjectInfo, ObjectKey,
    Operation, PutOptions, S3Client, S3Error, capabilities::Known,
};

/// Any S3-compatible service, over signed HTTP.
///
/// - Configuration is the client's own: two clients can differ in everything.
/// - Bodies stream in constant memory, both ways; large ones go up in parts, as
///   [`Multipart`] says.
/// - A call is tried again where that is safe; see [`RetryPolicy`].
/// - A clone shares connections and cached credentials.
///
/// # Example: AWS, as the environment has it
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let s3 = artifact_s3::HttpS3::from_env().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Example: a service of one's own
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use artifact_s3::{Credentials, HttpS3};
///
/// let s3 = HttpS3::builder()
///     .endpoint("http://127.0.0.1:9000")
///     .credentials(Credentials::key("an-id", "a-secret"))
///     .build()
///     .await?;
/// assert_eq!(s3.region(), "us-east-1");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HttpS3(Arc<Parts>, Arc<Known>);

pub(super) struct Parts {
    pub(super) http: HttpClient,
    /// Whether some calls, or all of them, go through a proxy.
    pub(super) proxied: bool,
    pub(super) places: Places,
    pub(super) clock: Clock,
    pub(super) credentials: Credentials,
    pub(super) client_headers: ClientHeaders,
    /// None for anonymous calls.
    pub(super) keys: Option<Keys>,
    pub(super) idle_timeout: Duration,
    pub(super) call_timeout: Option<Duration>,
    pub(super) attempt_timeout: Option<Duration>,
    pub(super) retry: RetryPolicy,
    pub(super) budget: Budget,
    pub(super) verify_downloads: bool,
    pub(super) multipart: Multipart,
    pub(super) upload_checksum: UploadChecksum,
    pub(super) seals: Seals,
    /// Aborts of uploads that nobody waits for, and the like.
    pub(super) background: TaskTracker,
}

impl Parts {
    /// The service, as it was configured.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.places.home().endpoint
    }
}

impl HttpS3 {
    /// A client as the environment of this process describes it, read once.
    ///
    /// See [`HttpS3Builder`] for the variables.
    pub async fn from_env() -> Result<Self, ConfigError> {
        Self::builder().process_environment().build().await
    }

    /// A client that is described in the program.
    pub fn builder() -> HttpS3Builder {
        HttpS3Builder::new()
    }

    pub(super) fn assemble(parts: Parts, known: Known) -> Self {
        Self(Arc::new(parts), Arc::new(known))
    }

    /// What the service is known to do with what it is asked.
    pub(super) fn known(&self) -> &Known {
        &self.1
    }

    /// The same client, which sends also what the service is known to ignore.
    pub(super) fn knowing_nothing(&self) -> Self {
        Self(Arc::clone(&self.0), Arc::default())
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.0
    }

    /// The service, such as `https://s3.eu-west-1.amazonaws.com`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.0.endpoint().to_string()
    }

    /// The region that requests are signed for.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.0.places.home().region
    }

    /// Where the bucket's name stands.
    #[must_use]
    pub fn addressing(&self) -> Addressing {
        self.0.places.home().addressing
    }

    /// How many seconds the service's clock was last seen ahead of this machine's
    /// (negative: behind), by the `Date` of its last answer; 0 before the first.
    ///
    /// Services refuse what is signed 15 minutes off. A client that meets such a
    /// refusal follows the service's clock from then on.
    #[must_use]
    pub fn clock_skew(&self) -> i64 {
        self.0.clock.skew()
    }

    /// Who would sign a call now; looks for credentials as a call would.
    ///
    /// Where there are none, the error says what was looked for, in order.
    pub async fn credentials_source(&self) -> Result<CredentialsSource, S3Error> {
        match &self.0.keys {
            Some(keys) => keys.source().await,
            None => Ok(CredentialsSource::nobody()),
        }
    }
}

impl fmt::Debug for HttpS3 {
    /// Shows the configuration, and no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpS3")
            .field("endpoint", &self.endpoint())
            .field("region", &self.region())
            .field("addressing", &self.addressing())
            .field("credentials", &self.0.credentials)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for HttpS3 {
    /// `HttpS3(https://…)`, with the service's address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpS3({})", self.endpoint())
    }
}

#[async_trait]
impl S3Client for HttpS3 {
    async fn put_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.known()
            .check_put(bucket, options, self.checksum_of(options))
            .map_err(|error| error.on(Operation::PutObject, target(bucket, Some(key))))?;
        super::put_object::put_object(self, bucket, key, body, options).await
    }

    async fn get_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<Object, S3Error> {
        self.known()
            .check_get(bucket, options)
            .map_err(|error| error.on(Operation::GetObject, target(bucket, Some(key))))?;
        super::get_object::get_object(self, bucket, key, options).await
    }

    async fn head_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.known()
            .check_get(bucket, options)
            .map_err(|error| error.on(Operation::HeadObject, target(bucket, Some(key))))?;
        super::head_object::head_object(self, bucket, key, options).await
    }

    async fn delete_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<(), S3Error> {
        self.delete_with_outcome(bucket, key, options).await.map(drop)
    }

    async fn copy_object(
        &self,
        bucket: &Bucket,
        source: &ObjectKey,
        key: &ObjectKey,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.known()
            .check_copy(bucket, options)
            .map_err(|error| error.on(Operation::CopyObject, target(bucket, Some(key))))?;
        super::copy_object::copy_object(self, bucket, source, key, options).await
    }

    async fn list_objects(
        &self,
        bucket: &Bucket,
        options: &ListOptions,
    ) -> Result<Listing, S3Error> {
        super::list_objects_v2::list_objects_v2(self, bucket, options).await
    }
}
