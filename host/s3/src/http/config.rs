use std::{fmt, time::Duration};

use super::{
    Addressing, ConfigError, Credentials, HttpS3, Multipart, RetryPolicy, UploadChecksum,
    client_headers::ClientHeaders,
    clock::Clock,
    endpoint::{self, Endpoint},
    environment::Environment,
    multipart,
    payload::Seals,
    places::{Place, Places, is_region},
    profile,
    retry::Budget,
    transport::Transport,
};
use crate::{Capabilities, capabilities::Known};

/// Longest time to connect: what AWS's own clients take, times three for a far service.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest time without a byte in either direction. Services answer a large copy
/// only when it is done, and take tens of seconds over it.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

/// The region that S3-compatible services expect where they have none.
const DEFAULT_REGION: &str = "us-east-1";

/// Everything that an [`HttpS3`] can be told, the environment included.
///
/// What is set here goes before what the environment says. Nothing is read from
/// the process: without [`HttpS3Builder::environment`] the environment is empty.
///
/// | variable | gives |
/// |---|---|
/// | `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` | endpoint |
/// | `AWS_REGION`, `AWS_DEFAULT_REGION` | region |
/// | `AWS_PROFILE` | profile in the two files |
/// | `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE` | the two files |
/// | `AWS_CA_BUNDLE` | the certificates to trust instead of the system's, as a PEM file |
/// | `AWS_RESPONSE_CHECKSUM_VALIDATION` | `when_required`: downloads are not verified |
/// | `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` (or lower case) | proxy |
/// | `AWS_ENDPOINT_URL_STS`, `AWS_ENDPOINT_URL_SSO` | who is asked for the key of a role, instead of AWS |
/// | see [`Credentials`] | credentials |
#[derive(Clone)]
#[must_use]
pub struct HttpS3Builder {
    environment: Environment,
    endpoint: Option<String>,
    region: Option<String>,
    addressing: Option<Addressing>,
    credentials: Credentials,
    profile: Option<String>,
    connect_timeout: Duration,
    idle_timeout: Duration,
    call_timeout: Option<Duration>,
    attempt_timeout: Option<Duration>,
    retry: RetryPolicy,
    known: Known,
    verify_downloads: Option<bool>,
    pub(super) client_headers: ClientHeaders,
    pub(super) transport: Transport,
    multipart: Multipart,
    upload_checksum: Option<UploadChecksum>,
    content_md5: bool,
    unsigned_payload: bool,
}

impl HttpS3Builder {
    pub(super) fn new() -> Self {
        Self {
            environment: Environment::default(),
            endpoint: None,
            region: None,
            addressing: None,
            credentials: Credentials::Default,
            profile: None,
            connect_timeout: CONNECT_TIMEOUT,
            idle_timeout: IDLE_TIMEOUT,
            call_timeout: None,
            attempt_timeout: None,
            retry: RetryPolicy::default(),
            known: Known::default(),
            verify_downloads: None,
            client_headers: ClientHeaders::default(),
            transport: Transport::default(),
            multipart: Multipart::default(),
            upload_checksum: None,
            content_md5: false,
            unsigned_payload: false,
        }
    }

    /// The environment variables to honour, instead of none.
    pub fn environment<N: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.environment = variables.into_iter().collect();
        self
    }

    /// The environment variables of this process, as they are now.
    pub fn process_environment(mut self) -> Self {
        self.environment = Environment::of_process();
        self
    }

    /// The service: scheme `http` or `https`, host, port, base path. AWS, if none.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// The region that requests are signed for. For AWS there is no default; for
    /// any other endpoint it is `us-east-1`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Where the bucket's name stands. By default in the host for AWS, and in the
    /// path for any other endpoint.
    pub fn addressing(mut self, addressing: Addressing) -> Self {
        self.addressing = Some(addressing);
        self
    }

    /// Who signs the requests; by default whoever the environment names.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// The profile in the configuration files, instead of `AWS_PROFILE`. Unlike that, it
    /// stands before the keys and the web identity of the environment.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// Longest time to connect, TLS included; 10 seconds, if none is given.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Longest time without a byte in either direction; 60 seconds, if none is given.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// Longest time for a call, all its tries and pauses included; no limit, if none is
    /// given. A get has to begin by then, and its bytes may take longer; of an upload
    /// in parts, each part is a call.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = Some(timeout);
        self
    }

    /// Longest time for one try, until the answer has begun; no limit, if none is
    /// given. It must leave time for sending the largest part.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// How often, and after what delays, a call is tried again.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// What is known of a service and bucket, so that what it would silently ignore is
    /// refused before it is sent. Can be given for any number of them; what is of another
    /// endpoint than the client's does not count.
    pub fn capabilities(mut self, capabilities: Capabilities) -> Self {
        self.known.add(capabilities);
        self
    }

    /// Whether the bytes of an object are compared with the checksum that the service
    /// keeps of them, where it keeps one; so they are, if nothing is said.
    ///
    /// It is asked for with each read of a whole object (`x-amz-checksum-mode`), and a
    /// body that does not match ends with [`Integrity`](crate::S3ErrorKind::Integrity).
    /// Not compared are ranges, objects with a checksum of checksums (`COMPOSITE`), and
    /// those without any.
    pub fn verify_downloads(mut self, verify: bool) -> Self {
        self.verify_downloads = Some(verify);
        self
    }

    /// When an upload goes in parts, how large they are, and how many are under way at once.
    pub fn multipart(mut self, multipart: Multipart) -> Self {
        self.multipart = multipart;
        self
    }

    /// Which uploads carry a checksum; see [`UploadChecksum`] for what holds if none is given.
    pub fn upload_checksum(mut self, checksum: UploadChecksum) -> Self {
        self.upload_checksum = Some(checksum);
        self
    }

    /// Whether each upload, and each part of one, carries Content-MD5, for services that
    /// know no other checksum. No, by default: it costs a second for 800 MB.
    pub fn content_md5(mut self, send: bool) -> Self {
        self.content_md5 = send;
        self
    }

    /// Leaves the bytes of uploads out of the signature over plain HTTP as well, which
    /// spares hashing them: about half a second for 1 GB. No, by default.
    ///
    /// Then nothing protects them from whoever can change what passes on the network, so
    /// this is for networks that are trusted, such as the machine's own. Over TLS they
    /// are never part of the signature, and neither are those of a file.
    ///
    /// Source: [`UNSIGNED-PAYLOAD`](https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
    pub fn unsigned_payload(mut self, unsigned: bool) -> Self {
        self.unsigned_payload = unsigned;
        self
    }

    /// Makes the client. Reads the configuration files where the region is only
    /// there; sends nothing, and looks for credentials when the first call needs them.
    pub async fn build(self) -> Result<HttpS3, ConfigError> {
        let mut environment = self.environment;
        if let Some(profile) = &self.profile {
            environment.set("AWS_PROFILE", profile);
        }
        let endpoint = self
            .endpoint
            .as_deref()
            .or_else(|| environment.get("AWS_ENDPOINT_URL_S3"))
            .or_else(|| environment.get("AWS_ENDPOINT_URL"))
            .map(Endpoint::parse)
            .transpose()?;
        let is_aws = endpoint.as_ref().is_none_or(Endpoint::is_aws);
        let region = match self
            .region
            .as_deref()
            .or_else(|| environment.get("AWS_REGION"))
            .or_else(|| environment.get("AWS_DEFAULT_REGION"))
        {
            Some(region) => region.to_owned(),
            None => match profile::region(&environment).await {
                Some(region) => region,
                None if is_aws => return Err(ConfigError::NoRegion),
                None => DEFAULT_REGION.to_owned(),
            },
        };
        if !is_region(&region) {
            return Err(ConfigError::Region { region });
        }
        self.credentials.check()?;
        self.multipart.check().map_err(|reason| ConfigError::Multipart { reason })?;
        let endpoint = match endpoint {
            Some(endpoint) => endpoint,
            None => Endpoint::of_aws(&region)?,
        };
        let addressing = self.addressing.unwrap_or(if is_aws {
            Addressing::VirtualHost
        } else {
            Addressing::PathStyle
        });
        if addressing == Addressing::VirtualHost && endpoint.is_address() {
            return Err(ConfigError::Endpoint {
                endpoint: endpoint.to_string(),
                reason: "virtual hosts need a host name, and it has an address; use path style"
                    .to_owned(),
            });
        }
        let proxied = self.transport.is_proxied(&environment);
        self.client_headers.check(&endpoint, proxied)?;
        let plain = endpoint.is_plain_http();
        let http = self.transport.client(&environment, plain, self.connect_timeout).await?;
        let keys =
            self.credentials.keys(&environment, is_aws.then_some(&*region), self.profile.is_some());
        let only_required = environment
            .get("AWS_RESPONSE_CHECKSUM_VALIDATION")
            .is_some_and(|value| value.eq_ignore_ascii_case("when_required"));
        let verify_downloads = self.verify_downloads.unwrap_or(!only_required);
        let known = self.known.at(&endpoint.to_string());
        let parts = super::client::Parts {
            http,
            proxied,
            places: Places::new(Place { endpoint, addressing, region }),
            clock: Clock::default(),
            credentials: self.credentials,
            keys,
            client_headers: self.client_headers,
            idle_timeout: self.idle_timeout,
            call_timeout: self.call_timeout,
            attempt_timeout: self.attempt_timeout,
            retry: self.retry,
            budget: Budget::new(self.retry.budget),
            verify_downloads,
            multipart: self.multipart,
            upload_checksum: self
                .upload_checksum
                .unwrap_or_else(|| UploadChecksum::of_endpoint(is_aws)),
            seals: Seals { content_md5: self.content_md5, unsigned_payload: self.unsigned_payload },
            background: multipart::background(),
        };
        Ok(HttpS3::assemble(parts, known))
    }
}

impl fmt::Debug for HttpS3Builder {
    /// Shows no secret, also where the endpoint wrongly holds one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpS3Builder")
            .field("environment", &self.environment)
            .field("endpoint", &self.endpoint.as_deref().map(endpoint::redacted))
            .field("region", &self.region)
            .field("addressing", &self.addressing)
            .field("credentials", &self.credentials)
            .field("profile", &self.profile)
            .field("connect_timeout", &self.connect_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("call_timeout", &self.call_timeout)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("retry", &self.retry)
            .field("known", &self.known)
            .field("verify_downloads", &self.verify_downloads)
            .field("client_headers", &self.client_headers)
            .field("transport", &self.transport)
            .field("multipart", &self.multipart)
            .field("upload_checksum", &self.upload_checksum)
            .field("content_md5", &self.content_md5)
            .field("unsigned_payload", &self.unsigned_payload)
            .finish()
    }
}
