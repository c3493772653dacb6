//! The sections of the report, in its order.

pub(crate) mod filter;
pub(crate) mod large;
pub(crate) mod many;
pub(crate) mod sandbox;
mod seaweedfs;
pub(crate) mod small;
pub(crate) mod start;

use std::fmt;

use clap::ValueEnum;

use crate::report::Report;

/// What holds for every section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Fewer cells and rounds; never other bars.
    pub(crate) quick: bool,
    pub(crate) with_seaweedfs: bool,
}

impl Setting {
    /// `quick` where a quick run was asked for, `full` elsewhere.
    pub(crate) fn choose<T>(self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }
}

/// A new section has its module beside this one, a variant here, and a line in
/// [`Section::run`]; and, if it has measurements, a variant of `child::Spec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Section {
    Small,
    Large,
    Sandbox,
    Filter,
    Many,
    Start,
}

impl Section {
    /// Those that were named, or all of them.
    pub(crate) fn chosen(named: &[Self]) -> Vec<Self> {
        let all = Self::value_variants().iter().copied();
        all.filter(|section| named.is_empty() || named.contains(section)).collect()
    }

    /// Measures, and adds to the report.
    pub(crate) fn run(self, setting: Setting, report: &mut Report) -> anyhow::Result<()> {
        match self {
            Self::Small => small::run(setting, report),
            Self::Large => large::run(setting, report),
            Self::Sandbox => sandbox::run(setting, report),
            Self::Filter => filter::run(setting, report),
            Self::Many => many::run(setting, report),
            Self::Start => start::run(setting, report),
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_possible_value() {
            Some(value) => f.write_str(value.get_name()),
            None => Ok(()),
        }
    }
}
