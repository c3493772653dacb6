use super::{AccessKey, Trouble, sso::Sso, sts::Role};
use crate::http::profile::{ProfileFiles, Section};

/// Most profiles that name one the other; people need two or three.
const MAX_PROFILES: usize = 16;

/// How a profile comes to a key: where it begins, and which roles follow.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) base: Base,
    /// In the order in which they are assumed.
    pub(super) roles: Vec<Role>,
    /// The region of the profile, for STS.
    pub(super) region: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Base {
    Key(AccessKey),
    WebIdentity { role: Role, token_file: String },
    Sso(Sso),
    Process(String),
    Environment,
    Container,
    Instance,
}

/// What the profile in force says; none if it says nothing of credentials.
///
/// Source: [assume role][role], [web identity][role], [SSO][sso], [process][process].
///
/// [role]: https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
/// [sso]: https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html
/// [process]: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
pub(super) fn plan(files: &ProfileFiles) -> Result<Option<Plan>, Trouble> {
    if let Some(problem) = files.problem() {
        return Err(Trouble::new(problem));
    }
    let Some(profile) = files.profile(&files.in_force) else {
        if !files.is_named {
            return Ok(None);
        }
        let message = format!(
            "there is no profile {:?} in {}; write it there, or name another",
            files.in_force,
            files.paths()
        );
        return Err(Trouble::new(message));
    };
    let region = profile.get("region").cloned().filter(|region| !region.is_empty());
    let mut step = Profile { name: files.in_force.clone(), section: profile, files };
    let mut visited = vec![step.name.clone()];
    let mut roles = Vec::new();
    let base = loop {
        // A profile that another one names gives its own key, if it has one, and not
        // that of its role.
        if visited.len() > 1
            && let Some(key) = step.key()?
        {
            break Base::Key(key);
        }
        let Some(source) = step.source(&mut roles)? else {
            match step.base()? {
                Some(base) => break base,
                None if visited.len() == 1 => return Ok(None),
                None => return Err(step.wrong("it has no access key, and no other way to one")),
            }
        };
        let source = match source {
            Source::Base(base) => break base,
            Source::Profile(name) => name,
        };
        if source == step.name {
            let key = step.key()?;
            break Base::Key(key.ok_or_else(|| {
                step.wrong("its source_profile is itself, and it has no access key")
            })?);
        }
        if visited.contains(&source) {
            visited.push(source);
            let circle = visited.join(" > ");
            return Err(step.wrong(&format!("source_profile leads in a circle: {circle}")));
        }
        if visited.len() == MAX_PROFILES {
            let message = format!("source_profile leads through more than {MAX_PROFILES} profiles");
            return Err(step.wrong(&message));
        }
        let Some(section) = files.profile(&source) else {
            let message = format!("its source_profile {source:?} is not in {}", files.paths());
            return Err(step.wrong(&message));
        };
        visited.push(source.clone());
        step = Profile { name: source, section, files };
    };
    roles.reverse();
    Ok(Some(Plan { base, roles, region }))
}

/// What a role is asked for with.
enum Source {
    Base(Base),
    Profile(String),
}

struct Profile<'a> {
    name: String,
    section: Section,
    files: &'a ProfileFiles,
}

impl Profile<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.section.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn needs(&self, name: &str, because: &str) -> Result<String, Trouble> {
        let lacks = || self.wrong(&format!("it has {because} and lacks {name}"));
        self.get(name).map(str::to_owned).ok_or_else(lacks)
    }

    fn wrong(&self, what: &str) -> Trouble {
        Trouble::new(format!("profile {:?} cannot be used: {what}", self.name))
    }

    /// The role of the profile, added to `roles`, and what it is asked for with; none if
    /// there is no role.
    fn source(&self, roles: &mut Vec<Role>) -> Result<Option<Source>, Trouble> {
        let token_file = self.get("web_identity_token_file");
        let Some(arn) = self.get("role_arn") else {
            return match token_file {
                Some(_) => Err(self.wrong("it has web_identity_token_file and lacks role_arn")),
                None => Ok(None),
            };
        };
        let role = Role {
            arn: arn.to_owned(),
            session_name: self.get("role_session_name").map(str::to_owned),
            external_id: self.get("external_id").map(str::to_owned),
            duration_seconds: self.duration()?,
        };
        if let Some(file) = token_file {
            let token_file = file.to_owned();
            return Ok(Some(Source::Base(Base::WebIdentity { role, token_file })));
        }
        if self.get("mfa_serial").is_some() {
            return Err(self.wrong(
                "its role asks for a code (mfa_serial), and there is nobody to type it; get a key \
                 with `aws configure export-credentials`, or a profile with credential_process",
            ));
        }
        roles.push(role);
        match (self.get("source_profile"), self.get("credential_source")) {
            (Some(_), Some(_)) => {
                Err(self.wrong("it has both source_profile and credential_source; one must go"))
            }
            (Some(profile), None) => Ok(Some(Source::Profile(profile.to_owned()))),
            (None, Some("Environment")) => Ok(Some(Source::Base(Base::Environment))),
            (None, Some("EcsContainer")) => Ok(Some(Source::Base(Base::Container))),
            (None, Some("Ec2InstanceMetadata")) => Ok(Some(Source::Base(Base::Instance))),
            (None, Some(other)) => Err(self.wrong(&format!(
                "its credential_source is {other:?}; there are Environment, EcsContainer and \
                 Ec2InstanceMetadata"
            ))),
            (None, None) => Err(self.wrong(
                "it has role_arn and lacks source_profile, credential_source or \
                 web_identity_token_file",
            )),
        }
    }

    fn duration(&self) -> Result<Option<u32>, Trouble> {
        let Some(text) = self.get("duration_seconds") else {
            return Ok(None);
        };
        match text.parse() {
            Ok(seconds @ 900..=43_200) => Ok(Some(seconds)),
            _ => Err(self.wrong("its duration_seconds is not between 900 and 43200")),
        }
    }

    /// The way to a key that needs no role.
    fn base(&self) -> Result<Option<Base>, Trouble> {
        if let Some(sso) = self.sso()? {
            return Ok(Some(Base::Sso(sso)));
        }
        if let Some(key) = self.key()? {
            return Ok(Some(Base::Key(key)));
        }
        Ok(self.get("credential_process").map(|command| Base::Process(command.to_owned())))
    }

    fn key(&self) -> Result<Option<AccessKey>, Trouble> {
        let token = self.get("aws_session_token").map(str::to_owned);
        match (self.get("aws_access_key_id"), self.get("aws_secret_access_key")) {
            (None, None) => Ok(None),
            (Some(id), Some(secret)) => Ok(Some(AccessKey::new(id, secret).with(token, None))),
            (Some(_), None) => {
                Err(self.wrong("it has aws_access_key_id and lacks aws_secret_access_key"))
            }
            (None, Some(_)) => {
                Err(self.wrong("it has aws_secret_access_key and lacks aws_access_key_id"))
            }
        }
    }

    fn sso(&self) -> Result<Option<Sso>, Trouble> {
        let (session, region) = match (self.get("sso_session"), self.get("sso_start_url")) {
            (Some(name), _) => {
                let section = self.files.sso_session(name).cloned().ok_or_else(|| {
                    let message = format!("there is no [sso-session {name}] in the config file");
                    self.wrong(&message)
                })?;
                let session =
                    Profile { name: format!("sso-session {name}"), section, files: self.files };
                (name.to_owned(), session.needs("sso_region", "an SSO session")?)
            }
            (None, Some(url)) => (url.to_owned(), self.needs("sso_region", "sso_start_url")?),
            (None, None) => return Ok(None),
        };
        let because = "an SSO session";
        Ok(Some(Sso {
            profile: self.name.clone(),
            session,
            region,
            account_id: self.needs("sso_account_id", because)?,
            role_name: self.needs("sso_role_name", because)?,
        }))
    }
}
