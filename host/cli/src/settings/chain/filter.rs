use std::{
    fmt,
    num::{NonZeroU32, NonZeroU64, NonZeroUsize},
    path::{Path, PathBuf},
};

use artifact_store::Filter;
use serde::Deserialize;
use toml::Spanned;

use super::{OwnSettings, limits::LimitKeys, policy::is_same_file};
use crate::{config_file::ConfigFile, failure::Failure};

/// One `[[filter]]` of the configuration file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FilterEntry {
    /// One that comes with the program.
    bundled: Option<Bundled>,
    /// One from elsewhere; a path in the file counts from the folder of the file.
    file: Option<PathBuf>,
    name: Option<String>,
    /// What the filter itself reads.
    settings: OwnSettings,
    // Its grant (`FilterGrant`).
    growth: Option<NonZeroU32>,
    output_bytes: Option<NonZeroU64>,
    // Its limits (`Limits`), where they are not the sandbox's.
    memory_bytes: Option<Spanned<NonZeroUsize>>,
    fuel: Option<NonZeroU64>,
    hostcall_bytes: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Bundled {
    Gzip,
    Encrypt,
}

impl FilterEntry {
    /// What is in force: checked, with its path counted from the file's folder.
    pub(super) fn read(file: &ConfigFile, spanned: &Spanned<Self>) -> Result<Self, Failure> {
        let mut entry = spanned.get_ref().clone();
        if let Some(fault) = entry.fault() {
            return Err(file.reject(spanned, fault));
        }
        entry.limit_keys().check(file, &entry)?;
        entry.file = entry.file.map(|path| file.resolve(path));
        Ok(entry)
    }

    /// What is wrong with it as a whole, apart from what the file's form tells.
    fn fault(&self) -> Option<&'static str> {
        match (self.bundled, &self.file) {
            (None, None) => Some(
                "name the filter: `bundled = \"gzip\"` or `\"encrypt\"`, or \
                 `file = \"FILE.wasm\"`",
            ),
            (Some(_), Some(_)) => Some("give `bundled` or `file`, and not both"),
            (Some(Bundled::Encrypt), None) if !self.settings.has("key") => Some(
                "the filter `encrypt` needs `settings = { key = \"KEY\" }`, 64 hexadecimal digits",
            ),
            _ => None,
        }
    }

    /// The filter, with its settings, its grant and its limits.
    pub async fn load(&self) -> Result<Filter, Failure> {
        let mut filter = match (self.bundled, &self.file) {
            (Some(Bundled::Gzip), _) => Filter::gzip(),
            (Some(Bundled::Encrypt), _) => {
                Filter::encrypt(self.settings.get("key").unwrap_or_default())
            }
            (None, Some(file)) => Filter::from_file(file).await?,
            (None, None) => return Err(Failure::config("a filter without a name")),
        };
        if let Some(name) = &self.name {
            filter = filter.name(name);
        }
        for (name, value) in self.settings.iter() {
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

    pub(super) fn is_of_file(&self, file: &Path) -> bool {
        self.file.as_deref().is_some_and(|own| is_same_file(own, file))
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
        match (self.bundled, &self.file) {
            (Some(Bundled::Gzip), _) => f.write_str("gzip"),
            (Some(Bundled::Encrypt), _) => f.write_str("encrypt"),
            (None, file) => write!(f, "{}", file.clone().unwrap_or_default().display()),
        }
    }
}
