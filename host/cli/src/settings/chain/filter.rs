use std::{
    collections::BTreeMap,
    fmt,
    num::{NonZeroU32, NonZeroU64, NonZeroUsize},
    path::PathBuf,
};

use artifact_store::Filter;
use serde::Deserialize;
use toml::Spanned;

use super::limits::LimitKeys;
use crate::{config_file::ConfigFile, failure::Failure};

/// One `[[filter]]` of the configuration file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FilterEntry {
    /// A path in the file counts from the folder of the file.
    file: Option<PathBuf>,
    name: Option<String>,
    /// What the filter itself reads.
    settings: BTreeMap<String, String>,
    // Its grant (`FilterGrant`).
    growth: Option<NonZeroU32>,
    output_bytes: Option<NonZeroU64>,
    // Its limits (`Limits`), where they are not the sandbox's.
    memory_bytes: Option<Spanned<NonZeroUsize>>,
    fuel: Option<NonZeroU64>,
    hostcall_bytes: Option<NonZeroUsize>,
}

impl FilterEntry {
    /// What is in force: checked, with its path counted from the file's folder.
    pub(super) fn read(file: &ConfigFile, spanned: &Spanned<Self>) -> Result<Self, Failure> {
        let mut entry = spanned.get_ref().clone();
        let Some(path) = &entry.file else {
            return Err(file.reject(spanned, "name the filter: `file = \"FILE.wasm\"`"));
        };
        entry.limit_keys().check(file, &entry)?;
        entry.file = Some(file.resolve(path));
        Ok(entry)
    }

    /// The filter, with its settings, its grant and its limits.
    pub(super) async fn load(&self) -> Result<Filter, Failure> {
        let Some(file) = &self.file else {
            return Err(Failure::config("a filter without a name"));
        };
        let mut filter = Filter::from_file(file).await?;
        if let Some(name) = &self.name {
            filter = filter.name(name);
        }
        for (name, value) in &self.settings {
            filter = filter.setting(name, value);
        }
        let mut grant = filter.granted().clone();
        if let Some(times) = self.growth {
            grant = grant.growth(times.get());
        }
        if let Some(bytes) = self.output_bytes {
            grant = grant.output_bytes(bytes.get());
        }
        if let Some(limits) = self.limit_keys().limits() {
            filter = filter.limits(limits);
        }
        Ok(filter.grant(grant))
    }

    fn limit_keys(&self) -> LimitKeys<'_> {
        LimitKeys {
            memory_bytes: self.memory_bytes.as_ref(),
            fuel: self.fuel,
            hostcall_bytes: self.hostcall_bytes,
            // It is handed none.
            handles: None,
        }
    }
}

impl fmt::Display for FilterEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.clone().unwrap_or_default().display())
    }
}
