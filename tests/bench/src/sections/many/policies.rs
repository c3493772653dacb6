//! 1 to 1,000 policies in one process, each with code of its own.

use std::{fs, path::PathBuf};

use artifact_guests::policies::KEY_RULES;
use artifact_store::{ArtifactStore, CodeCache, Compiler, Limits, Policy, PolicyGrant, Sandbox};
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::{
    child,
    load::as_f64,
    nowhere::Nowhere,
    report::{Bar, Report, number},
    usage::{cpu_time, resident_bytes},
};

const AT_MOST_KIB_FOR_A_POLICY: f64 = 1024.0;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Spec {
    policies: u32,
    /// Where code is kept. What is not there is compiled.
    cache: PathBuf,
}

/// For each policy.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    load_millis: f64,
    memory_kib: f64,
    call_micros: f64,
}

pub(super) fn run(setting: Setting, report: &mut Report) -> anyhow::Result<()> {
    report.part("Policies");
    report.text(
        "So many stores, each with one policy in front whose bytes no other one has \
         (`key-rules`, and a number behind it). Loaded twice, in two processes: without code in \
         the cache, and with it. Memory is what the process grew by, for each policy and its \
         store, after one call of each. Times are CPU time of the process.",
    );
    let counts: &[u32] = setting.choose(&[10, 100], &[1, 10, 100, 1000]);
    let mut rows = Vec::new();
    let mut last = None;
    for policies in counts {
        let cache = tempfile::tempdir()?;
        let spec = Spec { policies: *policies, cache: cache.path().to_owned() };
        let spec = child::Spec::Many(super::Spec::Policies(spec));
        let compiled: Figures = child::run(&spec)?;
        let loaded: Figures = child::run(&spec)?;
        let code_kib = kept_bytes(&cache)? / 1024.0 / f64::from(policies + 1);
        let beyond_kib = loaded.memory_kib - code_kib;
        let figures =
            [compiled.load_millis, loaded.load_millis, code_kib, beyond_kib, loaded.call_micros];
        rows.push([policies.to_string()].into_iter().chain(figures.map(number)));
        last = Some((policies, beyond_kib));
    }
    let columns = [
        "policies",
        "compiled, ms",
        "from the cache, ms",
        "code, KiB",
        "beyond its code, KiB",
        "a call, µs",
    ];
    report.table(&columns, rows);
    if let Some((policies, beyond_kib)) = last {
        let name = format!("many: {policies} policies: KiB for one beyond its code");
        report.bar(
            Bar::at_most(AT_MOST_KIB_FOR_A_POLICY, name, beyond_kib)
                .note("with the store that it stands in front of"),
        );
    }
    Ok(())
}

/// The code of the policies, and that of the bundled component.
fn kept_bytes(cache: &tempfile::TempDir) -> anyhow::Result<f64> {
    let mut bytes = 0;
    for file in fs::read_dir(cache.path())? {
        bytes += file?.metadata()?.len();
    }
    Ok(as_f64(bytes))
}

pub(super) fn measure(spec: &Spec) -> anyhow::Result<Figures> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let cache = CodeCache::new(&spec.cache).max_bytes(8 << 30);
        let compiler = Compiler::default().cache(cache);
        let sandbox = Sandbox::with_compiler(Limits::default(), compiler)?;
        let first = start(&sandbox, None).await?;
        first.head("artifact").await?;

        let (before, began) = (resident_bytes()?, cpu_time());
        let mut stores = Vec::new();
        for number in 0..spec.policies {
            stores.push(start(&sandbox, Some(number)).await?);
        }
        let loaded = cpu_time();
        for store in &stores {
            store.head("artifact").await?;
        }
        let after = resident_bytes()?;
        let called = cpu_time();
        for store in &stores {
            store.head("artifact").await?;
        }
        let ended = cpu_time();
        let count = f64::from(spec.policies);
        Ok(Figures {
            load_millis: loaded.saturating_sub(began).as_secs_f64() * 1e3 / count,
            memory_kib: as_f64(after.saturating_sub(before)) / 1024.0 / count,
            call_micros: ended.saturating_sub(called).as_secs_f64() * 1e6 / count,
        })
    })
}

async fn start(sandbox: &Sandbox, policy: Option<u32>) -> anyhow::Result<ArtifactStore> {
    let mut builder = ArtifactStore::builder()
        .bucket("artifacts")
        .client(Nowhere::default())
        .sandbox(sandbox.clone());
    if let Some(number) = policy {
        let policy = Policy::from_bytes(numbered(KEY_RULES, number)).grant(PolicyGrant::all());
        builder = builder.policy(policy);
    }
    Ok(builder.start().await?)
}

/// The component with a custom section behind it, which changes nothing but its bytes.
fn numbered(component: &[u8], number: u32) -> Vec<u8> {
    // Section 0, of 9 bytes; a name of 4 bytes; 4 bytes.
    let section = b"\x00\x09\x04note";
    [component, &section[..], &number.to_le_bytes()].concat()
}
