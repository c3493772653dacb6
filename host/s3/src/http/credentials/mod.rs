//! Who signs the requests of a client.

// In the order in which a key travels to a signature.
mod ask;
mod key_json;
mod profile_plan;
mod trouble;
use trouble::Trouble;
mod chain;
mod container;
mod instance;
mod process;
mod provider;
mod sso;
mod sts;
pub use provider::CredentialsProvider;
mod access_key;
pub use access_key::AccessKey;
mod source;
pub use source::CredentialsSource;
mod keys;
pub(super) use keys::{Keys, says_expired};

use std::{fmt, sync::Arc};

use self::{chain::Chain, keys::Fetched};
use super::{ConfigError, environment::Environment};
use crate::S3Error;

/// Who signs the requests of a client.
///
/// `Debug` shows the first letters of the access key id, and no secret.
#[derive(Clone, Default)]
pub enum Credentials {
    /// The first of these that gives any:
    ///
    /// 1. the environment: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, and
    ///    `AWS_SESSION_TOKEN` where there is one;
    /// 2. web identity: `AWS_ROLE_ARN` and `AWS_WEB_IDENTITY_TOKEN_FILE`;
    /// 3. the profile file: `AWS_PROFILE` or `default` in `~/.aws/credentials`
    ///    and `~/.aws/config`: keys that stand there, `role_arn` with
    ///    `source_profile`, `credential_source` or `web_identity_token_file`, SSO
    ///    (`sso_session`, with the token that `aws sso login` left), and
    ///    `credential_process`;
    /// 4. the container (ECS, EKS): `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or
    ///    `AWS_CONTAINER_CREDENTIALS_FULL_URI`;
    /// 5. the instance metadata service (IMDSv2), unless
    ///    `AWS_EC2_METADATA_DISABLED` is `true`.
    ///
    /// One that is set up and fails ends the search: nothing is signed in another
    /// name than the one that was meant. So do an `AWS_PROFILE` that is in neither file,
    /// and an access key id without its secret. With
    /// [`HttpS3Builder::profile`](crate::HttpS3Builder::profile) the search begins at the
    /// profile. The instance metadata service is asked last, for 2 seconds at most each time.
    ///
    /// Not followed: roles that want a code (`mfa_serial`), and the renewal of an SSO
    /// token, which is `aws sso login`'s.
    ///
    /// Credentials that expire are fetched anew some minutes before, once for all calls
    /// of a client and its clones; where that fails, calls go on with the old ones until
    /// those expire.
    #[default]
    Default,
    /// A key that is given here.
    Static {
        /// The access key id.
        access_key_id: String,
        /// The secret access key.
        secret_access_key: String,
        /// The session token of temporary credentials.
        session_token: Option<String>,
    },
    /// A source of one's own; see [`Credentials::provider`].
    Provider(Arc<dyn CredentialsProvider>),
    /// Nobody: requests are not signed.
    Anonymous,
}

impl Credentials {
    /// A key that does not expire.
    pub fn key(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        Self::Static {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
            session_token: None,
        }
    }

    /// A source of one's own, for keys that expire.
    pub fn provider(provider: impl CredentialsProvider) -> Self {
        Self::Provider(Arc::new(provider))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self {
            Self::Static { access_key_id, secret_access_key, .. }
                if access_key_id.is_empty() || secret_access_key.is_empty() =>
            {
                Err(ConfigError::EmptyKey)
            }
            _ => Ok(()),
        }
    }

    /// What signs; none for anonymous calls. `region` is AWS's, where that is known;
    /// `profile_is_given` says that the program named the profile.
    pub(super) fn keys(
        &self,
        environment: &Environment,
        region: Option<&str>,
        profile_is_given: bool,
    ) -> Option<Keys> {
        let origin = match self {
            Self::Anonymous => return None,
            Self::Static { access_key_id, secret_access_key, session_token } => Origin::Given(
                AccessKey::new(access_key_id, secret_access_key).with(session_token.clone(), None),
            ),
            Self::Provider(provider) => Origin::Provider(Arc::clone(provider)),
            Self::Default => {
                Origin::Chain(Chain::new(environment.clone(), region, profile_is_given))
            }
        };
        Some(Keys::new(origin))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("Default"),
            Self::Anonymous => f.write_str("Anonymous"),
            Self::Provider(provider) => f.debug_tuple("Provider").field(&provider.name()).finish(),
            Self::Static { access_key_id, session_token, .. } => {
                let id: String = access_key_id.chars().take(4).collect();
                f.debug_struct("Static")
                    .field("access_key_id", &format_args!("{id}…"))
                    .field("secret_access_key", &format_args!("…"))
                    .field("session_token", &session_token.as_ref().map(|_| format_args!("…")))
                    .finish()
            }
        }
    }
}

/// Where the keys of a client come from.
enum Origin {
    Given(AccessKey),
    Provider(Arc<dyn CredentialsProvider>),
    Chain(Chain),
}

impl Origin {
    async fn fetch(&self) -> Result<Fetched, S3Error> {
        match self {
            Self::Given(key) => {
                let source = CredentialsSource::new(source::GIVEN);
                Ok(Fetched { key: key.clone(), source })
            }
            Self::Chain(chain) => chain.search().await,
            Self::Provider(provider) => {
                let source = CredentialsSource::new(provider.name());
                chain::checked(provider.access_key().await?, source)
            }
        }
    }
}

fn transport_trouble(error: &dyn std::error::Error) -> Trouble {
    Trouble::new(format!("cannot set up HTTP to ask for credentials: {error}"))
}
