//! 1 to 10,000 stores in one process.

use artifact_store::ArtifactStore;
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::{
    child,
    load::as_f64,
    nowhere::Nowhere,
    plot::{Plot, Shape},
    report::{Bar, Report, number},
    usage::{resident_bytes, thread_time},
};

const AT_MOST_KIB_FOR_A_STORE: f64 = 64.0;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Spec {
    stores: u32,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    start_micros: f64,
    /// Resident memory of a store that was started, and of one that was called once.
    started_kib: f64,
    idle_kib: f64,
    call_micros: f64,
}

pub(super) fn run(setting: Setting, report: &mut Report) -> anyhow::Result<()> {
    report.part("Stores");
    report.text(
        "So many stores of their own bucket and prefix in one process, with the bundled \
         component. Each is started, called once, and called once more; a client answers at \
         once. Memory is what the process grew by, for each store; one store was there before. \
         Times are CPU time of the one thread that does it.",
    );
    let counts: &[u32] = setting.choose(&[10, 100, 1000, 10_000], &[1, 10, 100, 1000, 10_000]);
    let mut figures = Vec::new();
    for stores in counts {
        let spec = super::Spec::Stores(Spec { stores: *stores });
        figures.push((*stores, child::run::<Figures>(&child::Spec::Many(spec))?));
    }
    let rows = figures.iter().map(|(stores, figures)| {
        let Figures { start_micros, started_kib, idle_kib, call_micros } = *figures;
        [stores.to_string()]
            .into_iter()
            .chain([start_micros, started_kib, idle_kib, call_micros].map(number))
    });
    let columns = ["stores", "start, µs", "started, KiB", "idle after a call, KiB", "a call, µs"];
    report.table(&columns, rows);
    let line = |figure: fn(&Figures) -> f64| {
        figures.iter().map(|(stores, figures)| (f64::from(*stores), figure(figures))).collect()
    };
    report.plot(Plot {
        name: "many-stores".to_owned(),
        title: "A call, with so many stores in the process".to_owned(),
        unit: "µs".to_owned(),
        shape: Shape::Lines {
            axis: "stores".to_owned(),
            series: vec![("a call".to_owned(), line(|figures| figures.call_micros))],
        },
    });
    if let Some((stores, figures)) = figures.last() {
        let name = format!("many: {stores} stores: KiB for an idle one");
        report.bar(
            Bar::at_most(AT_MOST_KIB_FOR_A_STORE, name, figures.idle_kib)
                .note("after one call of each"),
        );
    }
    Ok(())
}

pub(super) fn measure(spec: Spec) -> anyhow::Result<Figures> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // The sandbox, the compiled component and a warm instance are there for all of them.
        let first = start(u32::MAX).await?;
        first.head("artifact").await?;

        let (before, began) = (resident_bytes()?, thread_time());
        let mut stores = Vec::new();
        for number in 0..spec.stores {
            stores.push(start(number).await?);
        }
        let (started, built) = (resident_bytes()?, thread_time());
        for store in &stores {
            store.head("artifact").await?;
        }
        let (idle, called) = (resident_bytes()?, thread_time());
        for store in &stores {
            store.head("artifact").await?;
        }
        let ended = thread_time();
        let count = f64::from(spec.stores);
        let kib = |bytes: u64| as_f64(bytes.saturating_sub(before)) / 1024.0 / count;
        Ok(Figures {
            start_micros: built.saturating_sub(began).as_secs_f64() * 1e6 / count,
            started_kib: kib(started),
            idle_kib: kib(idle),
            call_micros: ended.saturating_sub(called).as_secs_f64() * 1e6 / count,
        })
    })
}

async fn start(number: u32) -> anyhow::Result<ArtifactStore> {
    let builder = ArtifactStore::builder()
        .bucket(format!("bucket-{number}"))
        .prefix(format!("prefix-{number}/"))
        .client(Nowhere::default());
    Ok(builder.start().await?)
}
