use std::time::SystemTime;

use super::{
    AccessKey, CredentialsSource, Fetched, Trouble, container,
    instance::{self, NoKey},
    process,
    profile_plan::{Base, Plan, plan},
    source::{ENVIRONMENT, in_words},
    sts::{Role, Sts},
};
use crate::{
    S3Error, S3ErrorKind,
    http::{environment::Environment, profile::ProfileFiles},
};

/// The key's id, and its secret.
const KEY_VARIABLES: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

/// Asks one provider after the other, and remembers why each gave nothing.
///
/// Reads the files anew each time: somebody may have renewed what is in them.
#[derive(Debug)]
pub(super) struct Chain {
    environment: Environment,
    /// Of the client, where it is one of AWS.
    region: Option<String>,
    /// Whether the program named the profile; see [`Chain::search`].
    profile_is_given: bool,
}

/// A key, and what is told of where it came from; none if there is nothing to ask.
type Found = Option<(AccessKey, CredentialsSource)>;

impl Chain {
    pub(super) fn new(
        environment: Environment,
        region: Option<&str>,
        profile_is_given: bool,
    ) -> Self {
        Self { environment, region: region.map(str::to_owned), profile_is_given }
    }

    /// Who names a profile in the program means that one, whatever variables there are, as
    /// AWS's own tools have it; `AWS_PROFILE` stands behind the other variables.
    pub(super) async fn search(&self) -> Result<Fetched, S3Error> {
        let mut tried = Vec::new();
        if self.profile_is_given {
            tried.push(format!("{ENVIRONMENT} and web identity: left out, as a profile is given"));
        } else if let Some(found) = self.by_variables(&mut tried).await? {
            return Ok(found);
        }

        let files = ProfileFiles::load(&self.environment).await;
        match self.profile(&files).await {
            Ok(Some((key, source))) => return checked(key, source),
            Ok(None) => tried.push(format!(
                "profile: no access key for profile {:?} in {}",
                files.in_force,
                files.paths()
            )),
            Err(trouble) => return Err(failed(&tried, "profile", &trouble)),
        }

        match container::access_key(&self.environment).await {
            Ok(Some(key)) => return checked(key, CredentialsSource::new("container")),
            Ok(None) => tried.push(format!("container: {}", container::NOT_SET)),
            Err(trouble) => return Err(failed(&tried, "container", &trouble)),
        }

        match instance::access_key(&self.environment).await {
            Ok(key) => return checked(key, CredentialsSource::new("instance metadata")),
            Err(NoKey::Absent(why)) => tried.push(format!("instance metadata: {why}")),
            Err(NoKey::Failed(trouble)) => {
                return Err(failed(&tried, "instance metadata", &trouble));
            }
        }
        Err(S3Error::new(
            S3ErrorKind::AccessDenied,
            format!("no credentials; looked for, in order: {}", tried.join("; ")),
        ))
    }

    /// What stands in variables, or what they lead to.
    async fn by_variables(&self, tried: &mut Vec<String>) -> Result<Option<Fetched>, S3Error> {
        match self.in_environment() {
            Ok(Some(key)) => return checked(key, CredentialsSource::new(ENVIRONMENT)).map(Some),
            Ok(None) => tried.push(format!("{ENVIRONMENT}: {}", self.not_set(&KEY_VARIABLES))),
            Err(trouble) => return Err(failed(tried, ENVIRONMENT, &trouble)),
        }
        match self.web_identity().await {
            Ok(Some((key, source))) => return checked(key, source).map(Some),
            Ok(None) => tried.push(format!(
                "web identity: {}",
                self.not_set(&["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"])
            )),
            Err(trouble) => return Err(failed(tried, "web identity", &trouble)),
        }
        Ok(None)
    }

    /// An id without its secret is an error, as it is for AWS's own tools: what would sign
    /// instead is somebody else.
    fn in_environment(&self) -> Result<Option<AccessKey>, Trouble> {
        let get = |name| self.environment.get(name);
        let [id, secret] = KEY_VARIABLES;
        let Some(key_id) = get(id) else {
            return Ok(None);
        };
        let Some(key_secret) = get(secret) else {
            return Err(Trouble::new(format!("{id} is set, and {secret} is not; set both")));
        };
        let key = AccessKey::new(key_id, key_secret);
        Ok(Some(key.with(get("AWS_SESSION_TOKEN").map(str::to_owned), None)))
    }

    async fn web_identity(&self) -> Result<Found, Trouble> {
        let get = |name| self.environment.get(name);
        let (Some(arn), Some(file)) = (get("AWS_ROLE_ARN"), get("AWS_WEB_IDENTITY_TOKEN_FILE"))
        else {
            return Ok(None);
        };
        let session_name = get("AWS_ROLE_SESSION_NAME").map(str::to_owned);
        let role = Role { arn: arn.to_owned(), session_name, ..Role::default() };
        let key = self.sts(None).assume_with_web_identity(&role, file).await?;
        let mut source = CredentialsSource::new("web identity");
        source.role = Some(role.arn);
        Ok(Some((key, source)))
    }

    async fn profile(&self, files: &ProfileFiles) -> Result<Found, Trouble> {
        let Some(Plan { base, roles, region }) = plan(files)? else {
            return Ok(None);
        };
        let sts = self.sts(region.as_deref());
        let mut source = CredentialsSource::new("profile");
        source.profile = Some(files.in_force.clone());
        let (mut key, by) = self.base(&base, &sts).await?;
        source.by = by.map(str::to_owned);
        if let Base::WebIdentity { role, .. } = base {
            source.role = Some(role.arn);
        }
        for role in roles {
            key = sts.assume(&role, &key).await.map_err(|trouble| Trouble {
                message: format!("role {} cannot be assumed: {}", role.arn, trouble.message),
                ..trouble
            })?;
            source.role = Some(role.arn);
        }
        Ok(Some((key, source)))
    }

    /// The key that a profile begins with, and what gave it, if not the profile itself.
    async fn base(
        &self,
        base: &Base,
        sts: &Sts<'_>,
    ) -> Result<(AccessKey, Option<&'static str>), Trouble> {
        let nothing = |source: &str, why: String| {
            Trouble::new(format!("its credential_source {source} gave nothing: {why}"))
        };
        let environment = &self.environment;
        Ok(match base {
            Base::Key(key) => (key.clone(), None),
            Base::WebIdentity { role, token_file } => {
                let key = sts.assume_with_web_identity(role, token_file).await?;
                (key, Some("web identity"))
            }
            Base::Sso(sso) => (sso.access_key(environment).await?, Some("sso")),
            Base::Process(command) => {
                (process::access_key(command, environment).await?, Some("credential_process"))
            }
            Base::Environment => {
                let key = self.in_environment()?;
                let why = || self.not_set(&KEY_VARIABLES);
                let key = key.ok_or_else(|| nothing("Environment", why()))?;
                (key, Some(ENVIRONMENT))
            }
            Base::Container => {
                let key = container::access_key(environment).await?;
                let none = || nothing("EcsContainer", container::NOT_SET.to_owned());
                (key.ok_or_else(none)?, Some("container"))
            }
            Base::Instance => {
                let key = instance::access_key(environment).await.map_err(|no| match no {
                    NoKey::Absent(why) => nothing("Ec2InstanceMetadata", why),
                    NoKey::Failed(trouble) => trouble,
                })?;
                (key, Some("instance metadata"))
            }
        })
    }

    fn sts<'a>(&'a self, of_profile: Option<&'a str>) -> Sts<'a> {
        let region = self.region.as_deref();
        let region = region.or_else(|| self.environment.get("AWS_REGION"));
        let region = region.or_else(|| self.environment.get("AWS_DEFAULT_REGION"));
        Sts { environment: &self.environment, region: region.or(of_profile) }
    }

    fn not_set(&self, names: &[&str]) -> String {
        let missing: Vec<&str> =
            names.iter().copied().filter(|name| self.environment.get(name).is_none()).collect();
        let verb = if missing.len() == 1 { "is" } else { "are" };
        format!("{} {verb} not set", missing.join(" and "))
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
fn failed(tried: &[String], name: &str, trouble: &Trouble) -> S3Error {
    let kind =
        if trouble.is_passing { S3ErrorKind::Unreachable } else { S3ErrorKind::AccessDenied };
    let mut message = format!("the credentials' source `{name}` failed: {}", trouble.message);
    if !tried.is_empty() {
        message = format!("{message}; looked for before: {}", tried.join("; "));
    }
    S3Error::new(kind, message)
}
