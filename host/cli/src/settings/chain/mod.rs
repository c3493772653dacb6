//! What stands in front of the store: policies and filters, each with its grant.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use artifact_store::StoreBuilder;

use super::{Origin, Setting};
use crate::{config_file::ConfigFile, failure::Failure};

mod policy;
pub use policy::PolicyEntry;
mod filter;
pub use filter::FilterEntry;
mod grant;
pub use grant::Granted;
use grant::Wasi;
mod own_settings;
use own_settings::OwnSettings;
mod chosen;
mod limits;

/// Policies and filters, in the order in which they meet a call.
#[derive(Clone, Debug)]
pub struct Chain(Vec<Entry>);

#[derive(Clone, Debug)]
enum Entry {
    Policy(Box<PolicyEntry>),
    Filter(FilterEntry),
}

impl Chain {
    /// The `[[policy]]` and `[[filter]]` entries of the file, as they stand there. Where
    /// the command line names policies, the others of the file are left out. Filters
    /// stay, each in its place: what was stored through one can be read only through it,
    /// and under the key that it saw.
    pub fn resolve(
        chosen: &[PathBuf],
        file: Option<&ConfigFile>,
    ) -> Result<Option<Setting<Self>>, Failure> {
        let all = file.map(Self::of_file).transpose()?.flatten();
        if chosen.is_empty() {
            return Ok(all);
        }
        let all = all.map_or_else(|| Self(Vec::new()), |all| all.value);
        let policies = all.policies();
        let chosen = chosen.iter().map(|wanted| chosen::required(wanted, &policies, file));
        let chosen = chosen.collect::<Result<Vec<_>, _>>()?;
        let stays = |entry: &&Entry| match entry {
            Entry::Policy(policy) => {
                chosen.iter().any(|chosen| std::ptr::eq(*chosen, policy.as_ref()))
            }
            Entry::Filter(_) => true,
        };
        let value = Self(all.0.iter().filter(stays).cloned().collect());
        Ok(Some(Setting { value, origin: Origin::Flag("--policy") }))
    }

    fn of_file(file: &ConfigFile) -> Result<Option<Setting<Self>>, Failure> {
        let mut entries = Vec::new();
        for spanned in &file.keys.policy {
            let policy = PolicyEntry::read(file, spanned)?;
            entries.push((spanned.span().start, Entry::Policy(Box::new(policy))));
        }
        for spanned in &file.keys.filter {
            let filter = FilterEntry::read(file, spanned)?;
            entries.push((spanned.span().start, Entry::Filter(filter)));
        }
        entries.sort_by_key(|(start, _)| *start);
        let Some((first, _)) = entries.first() else { return Ok(None) };
        let origin = Origin::File { path: file.path.clone(), line: file.line_at(*first) };
        let entries = entries.into_iter().map(|(_, entry)| entry).collect();
        Ok(Some(Setting { value: Self(entries), origin }))
    }

    /// The policy that `wanted` names, if there is one: by its name, by the name of the
    /// bundled policy, or by its file.
    pub fn policy(&self, wanted: &Path) -> Result<Option<PolicyEntry>, Failure> {
        Ok(chosen::find(wanted, &self.policies())?.cloned())
    }

    /// The filters that come from this file.
    pub fn filters(&self, file: &Path) -> Vec<&FilterEntry> {
        let filters = self.0.iter().filter_map(|entry| match entry {
            Entry::Filter(filter) if filter.is_of_file(file) => Some(filter),
            _ => None,
        });
        filters.collect()
    }

    fn policies(&self) -> Vec<&PolicyEntry> {
        let policies = self.0.iter().filter_map(|entry| match entry {
            Entry::Policy(policy) => Some(&**policy),
            Entry::Filter(_) => None,
        });
        policies.collect()
    }

    /// Puts them in front of the store.
    pub async fn build(&self, mut store: StoreBuilder) -> Result<StoreBuilder, Failure> {
        for entry in &self.0 {
            store = match entry {
                Entry::Policy(policy) => store.policy(policy.load().await?),
                Entry::Filter(filter) => store.filter(filter.load().await?),
            };
        }
        Ok(store)
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, entry) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            match entry {
                Entry::Policy(policy) => policy.fmt(f)?,
                Entry::Filter(filter) => filter.fmt(f)?,
            }
        }
        Ok(())
    }
}
