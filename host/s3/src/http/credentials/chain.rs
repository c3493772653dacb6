use std::time::SystemTime;

use reqsign_aws_v4::{
    AssumeRoleWithWebIdentityCredentialProvider as WebIdentity, Credential, ECSCredentialProvider,
    EnvCredentialProvider, IMDSv2CredentialProvider, ProfileCredentialProvider,
};
use reqsign_core::{Context, ProvideCredential};
use reqsign_file_read_tokio::TokioFileRead;
use reqsign_http_send_reqwest::ReqwestHttpSend;

use super::{
    AccessKey, CredentialsSource, Fetched,
    source::{ENVIRONMENT, after_epoch, in_words},
};
use crate::{
    S3Error, S3ErrorKind,
    http::{
        environment::Environment,
        error_response::{MAX_MESSAGE, clean},
        transport,
    },
};

/// Asks one provider after the other, and remembers why each gave nothing.
///
/// `reqsign`'s own chain swallows the reasons.
#[derive(Debug)]
pub(super) struct Chain {
    environment: Environment,
}

impl Chain {
    pub(super) fn new(environment: Environment) -> Self {
        Self { environment }
    }

    pub(super) async fn search(&self) -> Result<Fetched, S3Error> {
        let mut tried = Vec::new();
        let context = self.context()?;
        let environment = EnvCredentialProvider::new();
        let web_identity = WebIdentity::new();
        let profile = ProfileCredentialProvider::new();
        let container = ECSCredentialProvider::new();
        let instance = IMDSv2CredentialProvider::new();

        macro_rules! ask {
            ($name:expr, $provider:expr, $absent:expr) => {
                match $provider.provide_credential(&context).await {
                    Ok(Some(credential)) => return self.found(credential, $name),
                    Ok(None) => tried.push(format!("{}: {}", $name, $absent)),
                    Err(error) => return Err(failed(&tried, $name, error)),
                }
            };
        }
        ask!(ENVIRONMENT, environment, self.no_environment());
        ask!("web identity", web_identity, self.no_web_identity());
        ask!("profile", profile, self.no_profile());
        ask!(
            "container",
            container,
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and \
            AWS_CONTAINER_CREDENTIALS_FULL_URI are not set"
        );
        match instance.provide_credential(&context).await {
            Ok(Some(credential)) => return self.found(credential, "instance metadata"),
            Ok(None) => tried.push("instance metadata: AWS_EC2_METADATA_DISABLED is true".into()),
            Err(error) => tried.push(format!("instance metadata: {}", in_full(&error))),
        }
        Err(S3Error::new(
            S3ErrorKind::AccessDenied,
            format!("no credentials; looked for, in order: {}", tried.join("; ")),
        ))
    }

    fn found(&self, credential: Credential, name: &str) -> Result<Fetched, S3Error> {
        let expiry = credential
            .expires_in
            .and_then(|time| after_epoch(time.as_second().saturating_mul(1000)));
        let key = AccessKey::new(credential.access_key_id, credential.secret_access_key)
            .with(credential.session_token, expiry);
        let mut source = CredentialsSource::new(name);
        if name == "profile" {
            source.profile = Some(self.environment.get("AWS_PROFILE").unwrap_or("default").into());
        }
        checked(key, source)
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

/// A key that can sign, with its expiry in its source.
pub(super) fn checked(key: AccessKey, source: CredentialsSource) -> Result<Fetched, S3Error> {
    let refuse = |what: String| {
        let message = format!("the credentials' source `{}` {what}", source.provider);
        Err(S3Error::new(S3ErrorKind::AccessDenied, message))
    };
    if !key.is_complete() {
        return refuse("gave an access key without its id or its secret".to_owned());
    }
    if let Some(expiry) = key.expires_at
        && expiry <= SystemTime::now()
    {
        return refuse(format!(
            "gave credentials that expired at {}; renew them there, and check this machine's clock",
            in_words(expiry)
        ));
    }
    let expires_at = key.expires_at;
    Ok(Fetched { key, source: CredentialsSource { expires_at, ..source } })
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
