use std::{error::Error, time::Duration};

use artifact_store::{Operation, PolicyGrant};
use serde::{Deserialize, Serialize};

use super::PolicyEntry;
use crate::{args::GrantArgs, config_file::ConfigFile, failure::Failure};

/// An operation that a policy may call.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Granted {
    Put,
    Get,
    Head,
    Delete,
    List,
}

/// How much of WASI a policy may import.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Wasi {
    /// None of it.
    None,
    /// All of it, with nothing behind.
    Empty,
}

impl Granted {
    pub(super) const ALL: [Self; 5] = [Self::Put, Self::Get, Self::Head, Self::Delete, Self::List];
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
    /// Checks what is granted, apart from what the types of the values tell.
    pub(super) fn check_grant(&self, file: &ConfigFile) -> Result<(), Failure> {
        if let Some(keys) = &self.keys {
            if keys.get_ref().is_empty() {
                let why = "name a pattern, or leave `keys` out to grant every key";
                return Err(file.reject(keys, &self.blamed(why)));
            }
            if let Err(error) = PolicyGrant::none().keys(keys.get_ref()) {
                return Err(file.reject(keys, &self.blamed(&chain(&error))));
            }
        }
        Ok(())
    }

    fn blamed(&self, why: &str) -> String {
        format!("{self}: {why}")
    }

    /// The grant with what this entry says in the place of what it said.
    pub fn amend(&self, mut grant: PolicyGrant) -> Result<PolicyGrant, Failure> {
        if let Some(operations) = &self.operations {
            grant = grant.operations(operations.iter().map(|&granted| granted.into()));
        }
        if let Some(prefix) = &self.keys_under {
            grant = grant.keys_under(prefix);
        }
        if let Some(patterns) = &self.keys {
            grant = grant.keys(patterns.get_ref())?;
        }
        if let Some(calls) = self.next_calls {
            grant = grant.next_calls(calls.get());
        }
        if let Some(milliseconds) = self.wall_time_ms {
            grant = grant.wall_time(Duration::from_millis(milliseconds.get()));
        }
        if let Some(granted) = self.digest {
            grant = grant.digest(granted);
        }
        if let Some(granted) = self.clock {
            grant = grant.clock(granted);
        }
        if let Some(records) = self.log_per_second {
            grant = grant.log(records);
        }
        if let Some(wasi) = self.wasi {
            grant = grant.empty_wasi(matches!(wasi, Wasi::Empty));
        }
        Ok(grant)
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
        if self.wasi.is_some() {
            grant = grant.empty_wasi(true);
        }
        grant
    }
}

/// The error and what is behind it, in one line.
fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
