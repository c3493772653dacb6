//! The bundled filters, beside the libraries that they are made of, called natively.

mod data;
mod native;

use artifact_store::{ArtifactStore, Filter};
use bytes::Bytes;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use super::Setting;
use crate::{
    child,
    nowhere::{Kept, Nowhere},
    report::{Bar, Report, spread},
    rounds::{Spread, ratios},
    usage::thread_time,
};

const BYTES: usize = 64 << 20;
const AT_LEAST_OF_NATIVE: f64 = 0.7;

/// Profiles of 2026-11-29.
const GZIP_BOUND: &str = "In WebAssembly `deflate_medium` and `longest_match` of `zlib-rs`, nearly all of \
    a put, take 1.5 and 1.4 times as long as natively, of which fuel is 4 to 6 % of the put; a third \
    of a get is its CRC-32, which takes twice as long as natively, as `zlib-rs` works on 4 bytes \
    at a time where a pointer has 4.";
const ENCRYPT_BOUND: &str = "`chacha20` and `poly1305` have AVX2 natively and no vectors in WebAssembly: \
    each takes five times as long, and nothing else of weight is left.";

/// What one child measures: one filter, sandboxed and native in turns.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Spec {
    which: Which,
    rounds: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Which {
    Gzip,
    Encrypt,
}

/// GB/s by round.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    put: Pair,
    get: Pair,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Pair {
    sandboxed: Vec<f64>,
    native: Vec<f64>,
}

pub(crate) fn run(setting: Setting, report: &mut Report) -> anyhow::Result<()> {
    report.section("Filters");
    report.text(
        "64 MiB through a store with one bundled filter, over a client that keeps them in \
         memory; beside the library that the filter is made of (`flate2` with `zlib-rs` at \
         level 6, `chacha20poly1305` over the same segments of 64 KiB), called natively with \
         the same chunks of 256 KiB. The bytes are half lines of a log and half random ones, a \
         mebibyte of each in turn. There is no bundled filter with zstd, so gzip stands for \
         compression. Gigabytes of plain bytes for each second of the thread's CPU time.",
    );
    let mut rows = Vec::new();
    for which in [Which::Gzip, Which::Encrypt] {
        let spec = Spec { which, rounds: setting.choose(2, 5) };
        let figures: Figures = child::run(&child::Spec::Filter(spec))?;
        let name = format!("{which:?}").to_lowercase();
        for (operation, pair) in [("put", figures.put), ("get", figures.get)] {
            let ratio = ratios(&pair.sandboxed, &pair.native);
            let what = format!("{name}, {operation}");
            rows.push([
                what.clone(),
                spread(Spread::of(pair.sandboxed)),
                spread(Spread::of(pair.native)),
                spread(ratio),
            ]);
            let note = format!("over the rounds {:.2} to {:.2}", ratio.min, ratio.max);
            let name = format!("filter: {what}: of native");
            let bar = Bar::at_least(AT_LEAST_OF_NATIVE, name, ratio.median).note(note);
            report.bar(bar.bounded_by(match which {
                Which::Gzip => GZIP_BOUND,
                Which::Encrypt => ENCRYPT_BOUND,
            }));
        }
    }
    report.table(&["filter", "sandboxed, GB/s", "native, GB/s", "of native"], rows);
    Ok(())
}

pub(crate) fn measure(spec: &Spec) -> anyhow::Result<Figures> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let bytes = data::mixed(BYTES);
    let kept = Kept::default();
    let store = runtime.block_on(store(spec.which, kept.clone()))?;
    let mut figures = Figures::default();
    // The first round warms up.
    for round in 0..=spec.rounds {
        let put = gigabytes_a_second(|| {
            runtime.block_on(store.put("artifact", bytes.clone()))?;
            Ok(())
        })?;
        let get = gigabytes_a_second(|| read(&runtime, &store))?;
        let stored = kept.chunks();
        let (native_put, native_get) = match spec.which {
            Which::Gzip => (
                gigabytes_a_second(|| native::gzip(&bytes).map(drop))?,
                gigabytes_a_second(|| native::gunzip(&stored, BYTES))?,
            ),
            Which::Encrypt => {
                let mut sealed = Vec::new();
                let put = gigabytes_a_second(|| {
                    sealed = native::encrypt(&bytes)?;
                    Ok(())
                })?;
                (put, gigabytes_a_second(|| native::decrypt(&sealed))?)
            }
        };
        if round > 0 {
            figures.put.sandboxed.push(put);
            figures.put.native.push(native_put);
            figures.get.sandboxed.push(get);
            figures.get.native.push(native_get);
        }
    }
    Ok(figures)
}

async fn store(which: Which, kept: Kept) -> anyhow::Result<ArtifactStore> {
    let filter = match which {
        Which::Gzip => Filter::gzip().setting("level", native::LEVEL.to_string()),
        Which::Encrypt => Filter::encrypt(&"0123456789abcdef".repeat(4)),
    };
    let client = Nowhere { kept: Some(kept), ..Nowhere::default() };
    let builder = ArtifactStore::builder().bucket("artifacts").client(client);
    Ok(builder.filter(filter).start().await?)
}

fn read(runtime: &Runtime, store: &ArtifactStore) -> anyhow::Result<()> {
    runtime.block_on(async {
        let mut chunks = store.get("artifact").await?.into_stream();
        let mut length = 0;
        while let Some(chunk) = chunks.try_next().await? {
            length += Bytes::len(&chunk);
        }
        anyhow::ensure!(length == BYTES, "{length} bytes came back");
        Ok(())
    })
}

fn gigabytes_a_second(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let before = thread_time();
    work()?;
    let seconds = thread_time().saturating_sub(before).as_secs_f64();
    Ok(f64::from(u32::try_from(BYTES)?) / 1e9 / seconds)
}
