use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use artifact_store::{Operation, Policy, PolicyGrant};
use serde::Deserialize;

use crate::{args::GrantArgs, failure::Failure};

/// One `[[policy]]` of the configuration file. The first in the file meets a call
/// first.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PolicyEntry {
    /// One that comes with the program.
    bundled: Option<Bundled>,
    /// One from elsewhere; a path in the file counts from the folder of the file.
    pub file: Option<PathBuf>,
    name: Option<String>,
    /// What the policy itself reads.
    settings: BTreeMap<String, String>,
    // Its grant. For a bundled policy there is one already; each part that is given
    // here stands in the place of that one's.
    operations: Option<Vec<Granted>>,
    keys_under: Option<String>,
    next_calls: Option<usize>,
    wall_time_ms: Option<u64>,
    digest: Option<bool>,
    clock: Option<bool>,
    log_per_second: Option<u32>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Bundled {
    ReadOnly,
    Tenant,
    KeyRules,
    ContentAddressed,
    Retention,
    Audit,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Granted {
    Put,
    Get,
    Head,
    Delete,
    List,
}

impl From<Granted> for Operation {
    fn from(granted: Granted) -> Self {
        match granted {
            Granted::Put => Self::Put,
            Granted::Get => Self::Get,
            Granted::Head => Self::Head,
            Granted::Delete => Self::Delete,
            Granted::List => Self::List,
        }
    }
}

impl PolicyEntry {
    /// What is wrong with it, apart from what the file's form tells.
    pub fn fault(&self) -> Option<&'static str> {
        match (&self.bundled, &self.file) {
            (None, None) => Some(
                "name the policy: `bundled = \"read-only\"`, `\"tenant\"`, `\"key-rules\"`, \
                 `\"content-addressed\"`, `\"retention\"` or `\"audit\"`, or \
                 `file = \"FILE.wasm\"`",
            ),
            (Some(_), Some(_)) => Some("give `bundled` or `file`, and not both"),
            (Some(Bundled::Tenant), None) if !self.settings.contains_key("tenant") => {
                Some("the policy `tenant` needs `settings = { tenant = \"NAME\" }`")
            }
            (Some(Bundled::Retention), None)
                if !["keep-for", "keep-until"].iter().any(|&it| self.settings.contains_key(it)) =>
            {
                Some(
                    "the policy `retention` needs `settings = { keep-for = \"30d\" }`, or \
                     `{ keep-until = \"2030-01-31\" }`",
                )
            }
            (None, Some(_)) if self.operations.is_none() => Some(
                "say what the policy may do: `operations = [\"get\", \"list\"]`; without, it could \
                 only refuse",
            ),
            _ => None,
        }
    }

    /// The policy, with its settings and its grant.
    pub async fn load(&self) -> Result<Policy, Failure> {
        let setting = |name| self.settings.get(name).map_or("", String::as_str);
        let mut policy = match (self.bundled, &self.file) {
            (Some(Bundled::ReadOnly), _) => Policy::read_only(),
            (Some(Bundled::Tenant), _) => Policy::tenant(setting("tenant")),
            (Some(Bundled::KeyRules), _) => Policy::key_rules(),
            (Some(Bundled::ContentAddressed), _) => Policy::content_addressed(),
            (Some(Bundled::Retention), _) => Policy::retention(),
            (Some(Bundled::Audit), _) => Policy::audit(),
            (None, Some(file)) => Policy::from_file(file).await?,
            (None, None) => return Err(Failure::config("a policy without a name")),
        };
        if let Some(name) = &self.name {
            policy = policy.name(name);
        }
        for (name, value) in &self.settings {
            policy = policy.setting(name, value);
        }
        let grant = self.amend(policy.granted().clone());
        Ok(policy.grant(grant))
    }

    /// The grant, with each part that the entry gives in the place of that one's.
    pub fn amend(&self, mut grant: PolicyGrant) -> PolicyGrant {
        if let Some(operations) = &self.operations {
            grant = grant.operations(operations.iter().map(|&granted| granted.into()));
        }
        if let Some(prefix) = &self.keys_under {
            grant = grant.keys_under(prefix);
        }
        if let Some(calls) = self.next_calls {
            grant = grant.next_calls(calls);
        }
        if let Some(milliseconds) = self.wall_time_ms {
            grant = grant.wall_time(Duration::from_millis(milliseconds));
        }
        if let Some(granted) = self.digest {
            grant = grant.digest(granted);
        }
        if let Some(granted) = self.clock {
            grant = grant.clock(granted);
        }
        if let Some(rate) = self.log_per_second {
            grant = grant.log(rate);
        }
        grant
    }
}

impl GrantArgs {
    /// The grant, with what the flags give besides.
    pub fn amend(&self, mut grant: PolicyGrant) -> PolicyGrant {
        if self.digest {
            grant = grant.digest(true);
        }
        if self.clock {
            grant = grant.clock(true);
        }
        if let Some(rate) = self.log_per_second {
            grant = grant.log(rate);
        }
        grant
    }
}

impl fmt::Display for PolicyEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.bundled, &self.file) {
            (Some(Bundled::ReadOnly), _) => f.write_str("read-only"),
            (Some(Bundled::Tenant), _) => f.write_str("tenant"),
            (Some(Bundled::KeyRules), _) => f.write_str("key-rules"),
            (Some(Bundled::ContentAddressed), _) => f.write_str("content-addressed"),
            (Some(Bundled::Retention), _) => f.write_str("retention"),
            (Some(Bundled::Audit), _) => f.write_str("audit"),
            (None, file) => write!(f, "{}", file.clone().unwrap_or_default().display()),
        }
    }
}

/// The chain, first to last.
#[derive(Clone, Debug)]
pub struct Policies(pub Vec<PolicyEntry>);

impl fmt::Display for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&names.join(", "))
    }
}
