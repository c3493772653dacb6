//! The sandbox alone: a store over a client that answers at once, beside the floor.

mod floor;
mod verdict;

use std::{collections::BTreeMap, sync::Arc};

use artifact_guests::{STORE, policies::KEY_RULES};
use artifact_store::{ArtifactStore, Instances, Policy, PolicyGrant, StoreComponent};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use self::floor::{Floor, FloorEngine, LeftOut};
use super::Setting;
use crate::{
    child,
    load::as_f64,
    nowhere::Nowhere,
    report::Report,
    usage::{count_allocations, thread_time},
};

/// Policies in front of the store.
const CHAIN: [usize; 5] = [0, 1, 2, 4, 8];
/// What the policy `key-rules` is to check: one pattern.
const RULES: (&str, &str) = ("allow", "artifacts/*");
const KEY: &str = "artifacts/patch-abc123";

/// What one child measures: all contenders for one operation, in turns of a few
/// milliseconds, so that what else the machine does meets all of them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Spec {
    operation: Operation,
    rounds: usize,
    calls: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Operation {
    Head,
    Put,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Put => "put of 4 KiB",
        }
    }
}

/// What a call took, by contender.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// By round.
    micros: BTreeMap<String, Vec<f64>>,
    allocations: BTreeMap<String, f64>,
}

/// Whose instances are called again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reused {
    Nobodys,
    /// The store component's, as by default.
    Stores,
    Everybodys,
}

impl Reused {
    const ALL: [Self; 3] = [Self::Nobodys, Self::Stores, Self::Everybodys];

    fn name(self) -> &'static str {
        match self {
            Self::Nobodys => "all instances fresh",
            Self::Stores => "the store component's reused",
            Self::Everybodys => "all reused",
        }
    }
}

/// The names of the contenders.
mod contender {
    use super::Reused;

    pub(super) fn chain(policies: usize, reused: Reused) -> String {
        format!("{policies} policies, {}", reused.name())
    }

    pub(super) fn floor(policies: usize) -> String {
        format!("floor of {policies} policies")
    }
}

pub(crate) fn run(setting: Setting, report: &mut Report) -> anyhow::Result<()> {
    report.section("The sandbox alone");
    report.text(
        "One call after the other on one thread, over a client that answers at once. The floor \
         is the same components, instantiated and called through wasmtime with the same engine \
         and nothing around them. The policy is `key-rules` with one rule, as from somebody \
         nobody trusts; by default it has a fresh instance for each call, and the store \
         component has not. Figures are microseconds of the \
         thread's CPU time for a call (it never waits): the median over the rounds, and from \
         where to where they spread.",
    );
    for operation in [Operation::Head, Operation::Put] {
        let spec = Spec { operation, rounds: setting.choose(15, 61), calls: 200 };
        let figures = child::run(&child::Spec::Sandbox(spec))?;
        verdict::add(operation, &figures, report)?;
    }
    Ok(())
}

pub(crate) fn measure(spec: &Spec) -> anyhow::Result<Figures> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let contenders = runtime.block_on(contenders())?;
    let bytes = Bytes::from(vec![7; 4096]);
    let mut figures = Figures::default();
    // The first round warms up.
    for round in 0..=spec.rounds {
        for turn in 0..contenders.len() {
            let (name, contender) = &contenders[(turn + round) % contenders.len()];
            let micros = time(&runtime, contender, spec, &bytes)?;
            if round > 0 {
                figures.micros.entry(name.clone()).or_default().push(micros);
            }
        }
    }
    for (name, contender) in &contenders {
        let before = count_allocations(true);
        time(&runtime, contender, spec, &bytes)?;
        let allocations = as_f64(count_allocations(false) - before);
        figures.allocations.insert(name.clone(), allocations / f64::from(spec.calls));
    }
    Ok(figures)
}

enum Contender {
    Store(ArtifactStore),
    Floor(Arc<Floor>),
}

async fn contenders() -> anyhow::Result<Vec<(String, Contender)>> {
    let mut all = Vec::new();
    for policies in CHAIN {
        for reused in Reused::ALL {
            let name = contender::chain(policies, reused);
            all.push((name, Contender::Store(store(policies, reused).await?)));
        }
    }
    // One for all chains, as the stores share one sandbox.
    let engine = FloorEngine::new(None).map_err(apart)?;
    for policies in CHAIN {
        let floor = floor(&engine, policies).map_err(apart)?;
        all.push((contender::floor(policies), Contender::Floor(floor)));
    }
    for left_out in LeftOut::ALL {
        let engine = FloorEngine::new(Some(left_out)).map_err(apart)?;
        all.push((left_out.name().to_owned(), Contender::Floor(floor(&engine, 0).map_err(apart)?)));
    }
    Ok(all)
}

fn floor(engine: &FloorEngine, policies: usize) -> wasmtime::Result<Arc<Floor>> {
    let settings = [("bucket", "artifacts"), ("prefix", "asm/")];
    let mut top = Arc::new(Floor::new(engine, STORE, &settings, None)?);
    for _ in 0..policies {
        top = Arc::new(Floor::new(engine, KEY_RULES, &[RULES], Some(top))?);
    }
    Ok(top)
}

async fn store(policies: usize, reused: Reused) -> anyhow::Result<ArtifactStore> {
    let instances = |reused: bool| if reused { Instances::Reused } else { Instances::Fresh };
    let component = StoreComponent::bundled().instances(instances(reused != Reused::Nobodys));
    let mut builder = ArtifactStore::builder()
        .bucket("artifacts")
        .prefix("asm/")
        .client(Nowhere::default())
        .component(component);
    for _ in 0..policies {
        let policy = Policy::from_bytes(KEY_RULES)
            .setting(RULES.0, RULES.1)
            .grant(PolicyGrant::all())
            .instances(instances(reused == Reused::Everybodys));
        builder = builder.policy(policy);
    }
    Ok(builder.start().await?)
}

/// An error of wasmtime, which is none of the standard library's.
#[expect(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn apart(error: wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}

fn time(
    runtime: &Runtime,
    contender: &Contender,
    spec: &Spec,
    bytes: &Bytes,
) -> anyhow::Result<f64> {
    let before = thread_time();
    runtime.block_on(async {
        for _ in 0..spec.calls {
            match (contender, spec.operation) {
                (Contender::Floor(floor), operation) => {
                    floor.call(operation, KEY, bytes).await.map_err(apart)?;
                }
                (Contender::Store(store), Operation::Head) => drop(store.head(KEY).await?),
                (Contender::Store(store), Operation::Put) => {
                    drop(store.put(KEY, bytes.clone()).await?);
                }
            }
        }
        anyhow::Ok(())
    })?;
    Ok(thread_time().saturating_sub(before).as_secs_f64() * 1e6 / f64::from(spec.calls))
}
