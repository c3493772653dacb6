//! A measurement in a process of its own.

use std::{
    env,
    process::{Command, Stdio},
};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    report,
    sections::{filter, large, many, sandbox, small},
};

/// What a child can be told to measure: one variant for each section that has
/// measurements. A section owns what it is told, and what it answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Spec {
    Small(small::Spec),
    Large(large::Spec),
    Sandbox(sandbox::Spec),
    Filter(filter::Spec),
    Many(many::Spec),
}

/// The one place where a spec finds who measures it. A new section adds a variant above
/// and a line here.
fn measure(spec: Spec) -> anyhow::Result<Value> {
    Ok(match spec {
        Spec::Small(spec) => serde_json::to_value(small::measure(&spec)?)?,
        Spec::Large(spec) => serde_json::to_value(large::measure(&spec)?)?,
        Spec::Sandbox(spec) => serde_json::to_value(sandbox::measure(&spec)?)?,
        Spec::Filter(spec) => serde_json::to_value(filter::measure(&spec)?)?,
        Spec::Many(spec) => many::measure(&spec)?,
    })
}

/// Makes one measurement in a child process, and waits for its figures.
///
/// `F` is what the section's `measure` returns, read back from JSON.
///
/// # Errors
///
/// If the child fails; what it said is on stderr.
pub(crate) fn run<F: DeserializeOwned>(spec: &Spec) -> anyhow::Result<F> {
    let output = Command::new(env::current_exe()?)
        .arg("one")
        .arg(serde_json::to_string(spec)?)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start a child")?;
    if !output.status.success() {
        bail!("the measurement {spec:?} failed: {}", output.status);
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("figures of {spec:?}"))
}

/// What a child does.
pub(crate) fn main(spec: &str) -> anyhow::Result<()> {
    let spec = serde_json::from_str(spec).context("the measurement's spec")?;
    report::print(&measure(spec)?.to_string());
    Ok(())
}
