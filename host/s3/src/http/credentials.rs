use std::fmt;

use reqsign_aws_v4::{
    AssumeRoleWithWebIdentityCredentialProvider as WebIdentity, Credential, ECSCredentialProvider,
    EnvCredentialProvider, IMDSv2CredentialProvider, ProfileCredentialProvider,
};
use reqsign_core::{Context, ProvideCredential, SigningCredential};
use reqsign_file_read_tokio::TokioFileRead;
use reqsign_http_send_reqwest::ReqwestHttpSend;
use tokio::sync::Mutex;

use super::{
    ConfigError,
    environment::Environment,
    error_response::{MAX_MESSAGE, clean},
    transport,
};
use crate::{S3Error, S3ErrorKind};

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
    ///    and `~/.aws/config`. Only keys that stand in the file: `role_arn`,
    ///    `sso_*` and `credential_process` are not followed;
    /// 4. the container (ECS, EKS): `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or
    ///    `AWS_CONTAINER_CREDENTIALS_FULL_URI`;
    /// 5. the instance metadata service (IMDSv2), unless
    ///    `AWS_EC2_METADATA_DISABLED` is `true`.
    ///
    /// One that is set up and fails ends the search: nothing is signed in another
    /// name than the one that was meant. Credentials that expire are refreshed.
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

    /// What signs; none for anonymous calls.
    pub(super) fn keys(&self, environment: &Environment) -> Option<Keys> {
        match self {
            Self::Anonymous => None,
            Self::Static { access_key_id, secret_access_key, session_token } => {
                Some(Keys::Given(Credential {
                    access_key_id: access_key_id.clone(),
                    secret_access_key: secret_access_key.clone(),
                    session_token: session_token.clone(),
                    expires_in: None,
                }))
            }
            Self::Default => {
                let chain = Chain { environment: environment.clone() };
                Some(Keys::Found { chain, cached: Mutex::default() })
            }
        }
    }

    /// Who would sign now, in words.
    pub(super) async fn source(&self, environment: &Environment) -> Result<String, S3Error> {
        match self {
            Self::Anonymous => Ok("nobody: requests are not signed".to_owned()),
            Self::Static { .. } => Ok("a key that was given".to_owned()),
            Self::Default => {
                let chain = Chain { environment: environment.clone() };
                Ok(chain.search().await?.1.to_owned())
            }
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("Default"),
            Self::Anonymous => f.write_str("Anonymous"),
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

/// The access key that signs, as it is now.
pub(super) enum Keys {
    Given(Credential),
    Found { chain: Chain, cached: Mutex<Option<Credential>> },
}

impl Keys {
    pub(super) async fn current(&self) -> Result<Credential, S3Error> {
        match self {
            Self::Given(credential) => Ok(credential.clone()),
            Self::Found { chain, cached } => {
                let mut cached = cached.lock().await;
                if let Some(credential) = cached.as_ref().filter(|found| found.is_valid()) {
                    return Ok(credential.clone());
                }
                let (credential, source) = chain.search().await?;
                tracing::debug!(source, "credentials found");
                *cached = Some(credential.clone());
                Ok(credential)
            }
        }
    }
}

/// Asks one provider after the other, and remembers why each gave nothing.
///
/// `reqsign`'s own chain swallows the reasons.
#[derive(Debug)]
pub(super) struct Chain {
    environment: Environment,
}

impl Chain {
    async fn search(&self) -> Result<(Credential, &'static str), S3Error> {
        let mut tried = Vec::new();
        let context = self.context()?;
        let environment = EnvCredentialProvider::new();
        let web_identity = WebIdentity::new();
        let profile = ProfileCredentialProvider::new();
        let container = ECSCredentialProvider::new();
        let instance = IMDSv2CredentialProvider::new();

        macro_rules! ask {
            ($name:literal, $provider:expr, $absent:expr) => {
                match $provider.provide_credential(&context).await {
                    Ok(Some(credential)) => return Ok((credential, $name)),
                    Ok(None) => tried.push(format!("{}: {}", $name, $absent)),
                    Err(error) => return Err(failed(&tried, $name, error)),
                }
            };
        }
        ask!("environment", environment, self.no_environment());
        ask!("web identity", web_identity, self.no_web_identity());
        ask!("profile", profile, self.no_profile());
        ask!(
            "container",
            container,
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and \
            AWS_CONTAINER_CREDENTIALS_FULL_URI are not set"
        );
        match instance.provide_credential(&context).await {
            Ok(Some(credential)) => return Ok((credential, "instance metadata")),
            Ok(None) => tried.push("instance metadata: AWS_EC2_METADATA_DISABLED is true".into()),
            Err(error) => tried.push(format!("instance metadata: {}", in_full(&error))),
        }
        Err(S3Error::new(
            S3ErrorKind::AccessDenied,
            format!("no credentials; looked for, in order: {}", tried.join("; ")),
        ))
    }

    /// A context of its own: credentials are fetched once in a while, and quickly or not at all.
    fn context(&self) -> Result<Context, S3Error> {
        let http = transport::for_metadata().map_err(|error| {
            S3Error::new(S3ErrorKind::AccessDenied, "cannot set up HTTP to look for credentials")
                .caused_by(error)
        })?;
        Ok(Context::new()
            .with_env(self.environment.clone())
            .with_file_read(TokioFileRead)
            .with_http_send(ReqwestHttpSend::new(http)))
    }

    fn no_environment(&self) -> String {
        self.not_set(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
    }

    fn no_web_identity(&self) -> String {
        self.not_set(&["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"])
    }

    fn not_set(&self, names: &[&str]) -> String {
        let missing: Vec<&str> =
            names.iter().copied().filter(|name| self.environment.get(name).is_none()).collect();
        let verb = if missing.len() == 1 { "is" } else { "are" };
        format!("{} {verb} not set", missing.join(" and "))
    }

    fn no_profile(&self) -> String {
        let file = |variable, default: &str| {
            let path = self.environment.get(variable).unwrap_or(default);
            let there = self.environment.expand_home(path).is_file();
            format!("{path}{}", if there { "" } else { " (which is not there)" })
        };
        format!(
            "no access key for profile {:?} in {} or {}",
            self.environment.get("AWS_PROFILE").unwrap_or("default"),
            file("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
            file("AWS_CONFIG_FILE", "~/.aws/config"),
        )
    }
}

/// A provider that is set up and failed.
fn failed(tried: &[String], name: &str, error: reqsign_core::Error) -> S3Error {
    let kind =
        if error.is_retryable() { S3ErrorKind::Unreachable } else { S3ErrorKind::AccessDenied };
    let mut message = format!("the credentials' source `{name}` failed: {}", in_full(&error));
    if !tried.is_empty() {
        message = format!("{message}; looked for before: {}", tried.join("; "));
    }
    S3Error::new(kind, message).caused_by(error)
}

/// An error with its innermost cause, which is what tells a user anything.
fn in_full(error: &reqsign_core::Error) -> String {
    let mut root: &dyn std::error::Error = error;
    while let Some(source) = root.source() {
        root = source;
    }
    let (outer, root) = (error.to_string(), root.to_string());
    let text = if outer == root { outer } else { format!("{outer} ({root})") };
    clean(&text, MAX_MESSAGE)
}
