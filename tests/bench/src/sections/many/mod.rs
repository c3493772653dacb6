//! Many stores, many policies, many calls in flight: whether a figure stays as it is.

mod flight;
mod policies;
mod stores;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Setting;
use crate::report::Report;

/// What one child measures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Spec {
    Stores(stores::Spec),
    Policies(policies::Spec),
    Flight(flight::Spec),
}

pub(crate) fn run(setting: Setting, report: &mut Report) -> anyhow::Result<()> {
    report.section("Many");
    stores::run(setting, report)?;
    policies::run(setting, report)?;
    flight::run(setting, report)
}

pub(crate) fn measure(spec: &Spec) -> anyhow::Result<Value> {
    Ok(match spec {
        Spec::Stores(spec) => serde_json::to_value(stores::measure(*spec)?)?,
        Spec::Policies(spec) => serde_json::to_value(policies::measure(spec)?)?,
        Spec::Flight(spec) => serde_json::to_value(flight::measure(spec)?)?,
    })
}
