//! 1 to 10,000 calls in flight in one store.

use std::time::Duration;

use artifact_store::ArtifactStore;
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::{
    child, cores,
    load::{self, Load, Times},
    nowhere::Nowhere,
    plot::{Plot, Shape},
    report::{Bar, Report, number, spread},
    rounds::{Spread, interleaved, ratios},
    usage::Meter,
};

const AT_LEAST_OF_THAT_AT_64: f64 = 0.9;
const COUNTS: [usize; 5] = [1, 64, 256, 1000, 10_000];
/// Profiles of 2026-11-29: samples of the CPU clock.
const BOUND: &str = "Calls beyond the room for 1,000 wait for it: tokio's queue of those that wait, \
    and its timers, take 0.7 µs of the 1.2 µs by which a call takes longer than with 64 in flight, \
    and what else a call touches, and is in no cache then, 0.3 µs.";
/// As of a service nearby.
const LATENCY: Duration = Duration::from_millis(5);

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Spec {
    in_flight: usize,
    latency: Duration,
    measured: Duration,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    load: Load,
    peak_bytes_over_idle: u64,
}

pub(super) fn run(setting: Setting, report: &mut Report) -> anyhow::Result<()> {
    report.part("Calls in flight");
    report.text(
        "Heads through one store with the bundled component and default limits, by which 1,000 \
         calls run at one time and more of them wait. One client answers after 5 ms, so that \
         all calls are under way at once; the other at once, so that the store is all there \
         is. Memory is the largest over that of the idle process.",
    );
    let mut series = Vec::new();
    for latency in [LATENCY, Duration::ZERO] {
        let title = if latency.is_zero() { "at once" } else { "after 5 ms" };
        let measured = Duration::from_millis(setting.choose(500, 2000));
        let figures = interleaved(&COUNTS, setting.choose(2, 5), |in_flight| {
            let spec = Spec { in_flight: *in_flight, latency, measured };
            child::run::<Figures>(&child::Spec::Many(super::Spec::Flight(spec)))
        })?;
        let of = |index: usize, figure: fn(&Figures) -> f64| -> Vec<f64> {
            figures[index].iter().map(figure).collect()
        };
        let per_second: Vec<Vec<f64>> =
            (0..COUNTS.len()).map(|index| of(index, |figures| figures.load.per_second)).collect();
        let rows = COUNTS.iter().enumerate().map(|(index, in_flight)| {
            let median = |figure| number(Spread::of(of(index, figure)).median);
            [
                in_flight.to_string(),
                spread(Spread::of(per_second[index].iter().copied())),
                median(|figures| figures.load.cpu_micros),
                median(|figures| figures.load.p99_micros / 1e3),
                median(|figures| load::as_f64(figures.peak_bytes_over_idle) / 1024.0 / 1024.0),
            ]
        });
        report.text(&format!("Answered {title}:"));
        let columns = ["in flight", "a second", "CPU, µs a call", "p99, ms", "memory, MiB"];
        report.table(&columns, rows);

        let ratio = ratios(&per_second[COUNTS.len() - 1], &per_second[1]);
        let name = format!("many: 10,000 calls in flight, answered {title}: of those at 64");
        let note = format!("a second, over the rounds {:.2} to {:.2}", ratio.min, ratio.max);
        let bar = Bar::at_least(AT_LEAST_OF_THAT_AT_64, name, ratio.median).note(note);
        report.bar(bar.bounded_by(BOUND));

        let mut points = Vec::new();
        for (in_flight, per_second) in COUNTS.iter().zip(per_second) {
            points.push((f64::from(u32::try_from(*in_flight)?), Spread::of(per_second).median));
        }
        series.push((format!("answered {title}"), points));
    }
    report.plot(Plot {
        name: "many-calls".to_owned(),
        title: "Heads a second, with so many in flight".to_owned(),
        unit: "calls a second".to_owned(),
        shape: Shape::Lines { axis: "calls in flight".to_owned(), series },
    });
    Ok(())
}

pub(super) fn measure(spec: &Spec) -> anyhow::Result<Figures> {
    let Spec { in_flight, latency, measured } = *spec;
    let runtime = cores::runtime()?;
    runtime.block_on(async {
        let client = Nowhere { latency, ..Nowhere::default() };
        let store = ArtifactStore::builder().bucket("artifacts").client(client).start().await?;
        let meter = Meter::start()?;
        let times = Times { warm_up: measured / 2, measured };
        let load = load::closed_loop(in_flight, times, move |number| {
            let store = store.clone();
            async move {
                store.head(&format!("artifacts/patch-{}", number % 1000)).await?;
                Ok(())
            }
        });
        let load = load.await?;
        Ok(Figures { load, peak_bytes_over_idle: meter.stop()?.peak_bytes_over_idle })
    })
}
