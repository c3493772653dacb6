use std::{
    ffi::OsStr,
    fmt, fs,
    num::{NonZeroU64, NonZeroUsize},
    path::{Path, PathBuf},
};

use artifact_store::{OnFailure, Policy};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{Granted, OwnSettings, Wasi, limits::LimitKeys};
use crate::{config_file::ConfigFile, failure::Failure};

/// One `[[policy]]` of the configuration file.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PolicyEntry {
    /// One that comes with the program.
    pub(super) bundled: Option<Bundled>,
    /// One from elsewhere; a path in the file counts from the folder of the file.
    pub(super) file: Option<PathBuf>,
    pub(super) name: Option<String>,
    /// What the policy itself reads; no part of its grant.
    #[serde(skip_serializing)]
    pub(super) settings: OwnSettings,
    // Its grant (`PolicyGrant`). For a bundled policy there is one already; each part
    // that is given here stands in the place of that one's.
    pub(super) operations: Option<Vec<Granted>>,
    pub(super) keys_under: Option<String>,
    pub(super) keys: Option<Spanned<Vec<String>>>,
    pub(super) next_calls: Option<NonZeroUsize>,
    pub(super) wall_time_ms: Option<NonZeroU64>,
    pub(super) digest: Option<bool>,
    pub(super) clock: Option<bool>,
    pub(super) log_per_second: Option<u32>,
    pub(super) wasi: Option<Wasi>,
    on_failure: Option<FailureMode>,
    // Its limits (`Limits`), where they are not the sandbox's.
    memory_bytes: Option<Spanned<NonZeroUsize>>,
    fuel: Option<NonZeroU64>,
    hostcall_bytes: Option<NonZeroUsize>,
    handles: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Bundled {
    ReadOnly,
    Tenant,
    KeyRules,
    ContentAddressed,
    Retention,
    Audit,
}

impl Bundled {
    const ALL: [Self; 6] = [
        Self::ReadOnly,
        Self::Tenant,
        Self::KeyRules,
        Self::ContentAddressed,
        Self::Retention,
        Self::Audit,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Tenant => "tenant",
            Self::KeyRules => "key-rules",
            Self::ContentAddressed => "content-addressed",
            Self::Retention => "retention",
            Self::Audit => "audit",
        }
    }

    pub(super) fn named(name: &OsStr) -> Option<Self> {
        Self::ALL.into_iter().find(|bundled| bundled.as_str() == name)
    }
}

/// What becomes of a call that the policy fails.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum FailureMode {
    Closed,
    Open,
}

impl PolicyEntry {
    /// What is in force: checked, with its path counted from the file's folder.
    pub(super) fn read(file: &ConfigFile, spanned: &Spanned<Self>) -> Result<Self, Failure> {
        let mut entry = spanned.get_ref().clone();
        if let Some(fault) = entry.fault() {
            return Err(file.reject(spanned, fault));
        }
        entry.check_grant(file)?;
        entry.limit_keys().check(file, &entry)?;
        entry.file = entry.file.map(|path| file.resolve(path));
        Ok(entry)
    }

    /// A policy that no entry names, granted everything that leads to nothing outside:
    /// for a trial in front of a store in memory.
    pub fn trial(policy: &Path) -> Self {
        match Bundled::named(policy.as_os_str()) {
            Some(bundled) if !policy.exists() => Self { bundled: Some(bundled), ..Self::default() },
            _ => Self {
                file: Some(policy.to_owned()),
                operations: Some(Granted::ALL.to_vec()),
                digest: Some(true),
                clock: Some(true),
                log_per_second: Some(10),
                wasi: Some(Wasi::Empty),
                ..Self::default()
            },
        }
    }

    /// The same with other grants and further settings, checked again.
    pub fn with(
        mut self,
        operations: Option<&[Granted]>,
        keys_under: Option<&str>,
        settings: &[(String, String)],
    ) -> Result<Self, Failure> {
        if let Some(operations) = operations {
            self.operations = Some(operations.to_vec());
        }
        if let Some(prefix) = keys_under {
            self.keys_under = Some(prefix.to_owned());
        }
        self.settings.extend(settings.iter().cloned());
        match self.fault() {
            Some(fault) => {
                Err(Failure::usage(format!("{fault}; for a trial, give --set NAME=VALUE")))
            }
            None => Ok(self),
        }
    }

    /// What is wrong with it as a whole, apart from what the file's form tells.
    fn fault(&self) -> Option<&'static str> {
        match (&self.bundled, &self.file) {
            (None, None) => Some(
                "name the policy: `bundled = \"read-only\"`, `\"tenant\"`, `\"key-rules\"`, \
                 `\"content-addressed\"`, `\"retention\"` or `\"audit\"`, or \
                 `file = \"FILE.wasm\"`",
            ),
            (Some(_), Some(_)) => Some("give `bundled` or `file`, and not both"),
            (Some(Bundled::Tenant), None) if !self.settings.has("tenant") => {
                Some("the policy `tenant` needs `settings = { tenant = \"NAME\" }`")
            }
            (Some(Bundled::Retention), None)
                if !["keep-for", "keep-until"].iter().any(|&it| self.settings.has(it)) =>
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

    /// The policy, with its settings, its grant and its limits.
    pub async fn load(&self) -> Result<Policy, Failure> {
        let setting = |name| self.settings.get(name).unwrap_or_default();
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
        for (name, value) in self.settings.iter() {
            policy = policy.setting(name, value);
        }
        if let Some(limits) = self.limit_keys().limits() {
            policy = policy.limits(limits);
        }
        policy = policy.on_failure(match self.on_failure {
            Some(FailureMode::Open) => OnFailure::Open,
            Some(FailureMode::Closed) | None => OnFailure::Closed,
        });
        let grant = self.amend(policy.granted().clone())?;
        Ok(policy.grant(grant))
    }

    /// What it is granted, as the lines of its entry say it.
    pub fn grant_shown(&self) -> Vec<String> {
        let Ok(toml) = toml::to_string(&Self { file: None, name: None, ..self.clone() }) else {
            return Vec::new();
        };
        toml.lines().map(str::to_owned).collect()
    }

    fn limit_keys(&self) -> LimitKeys<'_> {
        LimitKeys {
            memory_bytes: self.memory_bytes.as_ref(),
            fuel: self.fuel,
            hostcall_bytes: self.hostcall_bytes,
            handles: self.handles,
        }
    }

    /// Whether a user who says `wanted` means this one.
    pub(super) fn is_called(&self, wanted: &Path) -> bool {
        let name = wanted.as_os_str();
        self.name.as_deref().is_some_and(|own| own == name)
            || self.bundled.is_some_and(|bundled| bundled.as_str() == name)
            || self.file.as_deref().is_some_and(|file| is_same_file(file, wanted))
    }
}

pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

impl fmt::Display for PolicyEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.bundled, &self.file) {
            (Some(bundled), _) => f.write_str(bundled.as_str()),
            (None, file) => write!(f, "{}", file.clone().unwrap_or_default().display()),
        }
    }
}
