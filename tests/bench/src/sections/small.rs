//! Small operations: put, get, head and delete of 4 KiB.

use std::{cmp::Ordering, time::Duration};

use anyhow::ensure;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Setting, seaweedfs};
use crate::{
    child,
    clients::{Client, Contender, Service, Source, Target},
    cores,
    load::{Load, Times, closed_loop},
    plot::{Plot, Shape},
    report::{Bar, Report, number, spread},
    rounds::{Spread, interleaved, ratios},
    server::Server,
};

const SIZE: usize = 4096;
/// Different keys, so that a service that locks them is not what is measured.
const KEYS: u64 = 256;

/// Profiles of 2026-11-29: samples of the CPU clock.
const BOUND: &str = "One at a time, 47 % of our CPU time and as much of object_store's is the \
    kernel's, for the same three system calls; of what is ours no function takes more than 4 %. \
    With many in flight it is the sandbox: with 64, our client alone takes 0.4 of object_store's \
    CPU time, and a call of a reused instance adds 8 to 18 µs to that, though it takes 4 alone. No \
    function takes more than 2 % of it: it is what is in no cache. Cachegrind, told the sizes of \
    the caches (32 KiB, and 1 MiB for a core), counts for a put with 64 in flight 2,800 misses of \
    the first cache for code with the client alone and 5,050 through a reused instance, 900 and \
    2,480 of the one for data, and 8 and 660 misses of both (how long those take: see the \
    machine's table; before the futures were made smaller and what a call waits for was taken off \
    the guest's stack they were 1,320), with 36,000 instructions more; the kernel's are not among \
    them. Huge pages for the code and smaller code (opt-level s) gave nothing or less; thin LTO \
    takes 7 to 15 % off us and peers alike.";
const BOUND_BEHIND_A_POLICY: &str = "A fresh instance of a policy adds 11 µs to a client that \
    answers at once, with 64 in flight as with 2, and 35 to 60 between two requests, with 4 in \
    flight as with 64. Of a call with 64 in flight, making the instance is 8 %, dropping it 8 %, \
    its 45 allocations 8 %, copying and zeroing memory 12 %, its own code 5 %; no function of \
    wasmtime takes more than 2 %, and all take two to three times what they take without HTTP \
    between. It is what is in no cache: cachegrind (as above) counts 8,620 misses of the first \
    cache for code, 6,170 of the one for data, and 2,720 of both, 1,025 of which are the 64 KiB \
    of the instance's memory that are zeroed. Zeroing only pages that were written \
    (PAGEMAP_SCAN), giving them back, and slots closer together gave nothing or less.";

/// One contender at one concurrency.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Spec {
    service: Service,
    contender: Contender,
    in_flight: usize,
    times: Times,
}

/// By operation, in the order of [`OPERATIONS`].
pub(crate) type Figures = Vec<Load>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Put,
    Get,
    Head,
    Delete,
}

const OPERATIONS: [Operation; 4] =
    [Operation::Put, Operation::Get, Operation::Head, Operation::Delete];

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Get => "get",
            Self::Head => "head",
            Self::Delete => "delete",
        }
    }

    async fn call(self, client: &Client, number: u64, bytes: &Bytes) -> anyhow::Result<()> {
        let key = format!("size-{SIZE}-{}", number % KEYS);
        match self {
            Self::Put => client.put(&key, Source::Memory(bytes.clone())).await,
            Self::Get => {
                let length = client.get(&key, Target::Memory).await?;
                ensure!(length == SIZE as u64, "{length} bytes came");
                Ok(())
            }
            Self::Head => client.head(&key).await,
            Self::Delete => client.delete(&key).await,
        }
    }
}

/// In a child.
pub(crate) fn measure(spec: &Spec) -> anyhow::Result<Figures> {
    cores::use_clients()?;
    cores::runtime()?.block_on(async {
        let client = spec.contender.connect(&spec.service).await?;
        let bytes = Bytes::from(vec![7; SIZE]);
        for number in 0..KEYS {
            Operation::Put.call(&client, number, &bytes).await?;
        }
        let mut figures = Vec::new();
        for operation in OPERATIONS {
            let (client, bytes) = (client.clone(), bytes.clone());
            let call = move |number| {
                let (client, bytes) = (client.clone(), bytes.clone());
                async move { operation.call(&client, number, &bytes).await }
            };
            figures.push(closed_loop(spec.in_flight, spec.times, call).await?);
        }
        Ok(figures)
    })
}

/// Over the sink, with the bars, and over `SeaweedFS`, to be looked at.
pub(crate) fn run(setting: Setting, report: &mut Report) -> anyhow::Result<()> {
    report.section("Small operations");
    report.text(
        "Put, get, head and delete of 4 KiB over a server on loopback that stores nothing. The \
         server has the last core, and the client all others. Medians over the rounds, and in \
         brackets from where to where they spread. No client hashes \
         the bytes for its signature.",
    );
    let times = Times {
        warm_up: Duration::from_millis(setting.choose(150, 300)),
        measured: Duration::from_millis(setting.choose(400, 1000)),
    };
    let sink = Server::sink()?;
    let mut medians: Vec<(usize, Vec<Vec<Measured>>)> = Vec::new();
    for in_flight in setting.choose(&[1, 64][..], &[1, 16, 64, 256]) {
        let cell = Cell { service: &sink.service, in_flight: *in_flight, times };
        let all = cell.measure(&Contender::ALL, setting.choose(3, 5))?;
        for (operation, measured) in OPERATIONS.iter().zip(&all) {
            cell.report(*operation, measured, report);
            for bar in cell.bars(*operation, measured) {
                report.bar(bar);
            }
        }
        medians.push((*in_flight, all));
    }
    for (index, operation) in OPERATIONS.iter().enumerate() {
        let cells = medians.iter().map(|(in_flight, all)| (*in_flight, &*all[index]));
        report.plot(plot(*operation, &cells.collect::<Vec<_>>()));
    }
    drop(sink);
    seaweedfs::measure(setting, report, |service, contenders, report| {
        let cell = Cell { service, in_flight: 16, times };
        let all = cell.measure(contenders, setting.choose(1, 3))?;
        for (operation, measured) in OPERATIONS.iter().zip(&all) {
            cell.report(*operation, measured, report);
        }
        Ok(())
    })
}

struct Cell<'a> {
    service: &'a Service,
    in_flight: usize,
    times: Times,
}

/// One operation's figures of one contender, by round.
struct Measured {
    contender: Contender,
    loads: Vec<Load>,
}

impl Measured {
    fn figures(&self, figure: impl Fn(&Load) -> f64) -> Vec<f64> {
        self.loads.iter().map(figure).collect()
    }

    fn spread(&self, figure: impl Fn(&Load) -> f64) -> Spread {
        Spread::of(self.figures(figure))
    }

    fn compare(&self, other: &Self, figure: fn(&Load) -> f64) -> Ordering {
        self.spread(figure).median.total_cmp(&other.spread(figure).median)
    }
}

impl Cell<'_> {
    /// By operation, and in it by contender.
    fn measure(
        &self,
        contenders: &[Contender],
        rounds: usize,
    ) -> anyhow::Result<Vec<Vec<Measured>>> {
        let figures: Vec<Vec<Figures>> = interleaved(contenders, rounds, |contender| {
            let spec = Spec {
                service: self.service.clone(),
                contender: *contender,
                in_flight: self.in_flight,
                times: self.times,
            };
            child::run(&child::Spec::Small(spec))
        })?;
        let of = |index: usize| {
            let all = contenders.iter().zip(&figures).map(|(contender, rounds)| Measured {
                contender: *contender,
                loads: rounds.iter().map(|round| round[index]).collect(),
            });
            all.collect()
        };
        Ok((0..OPERATIONS.len()).map(of).collect())
    }

    fn title(&self, operation: Operation) -> String {
        format!("{}, {} in flight", operation.name(), self.in_flight)
    }

    fn report(&self, operation: Operation, all: &[Measured], report: &mut Report) {
        report.part(&self.title(operation));
        let columns = [
            "client",
            "operations/s",
            "p50 µs",
            "p99 µs",
            "CPU µs per operation",
            "allocations per operation",
        ];
        let rows = all.iter().map(|one| {
            [
                one.contender.name().to_owned(),
                spread(one.spread(per_second)),
                number(one.spread(|load| load.p50_micros).median),
                number(one.spread(|load| load.p99_micros).median),
                spread(one.spread(cpu)),
                number(one.spread(|load| load.allocations).median),
            ]
        });
        report.table(&columns, rows);
    }

    /// Against the peer that is best at just this.
    fn bars(&self, operation: Operation, all: &[Measured]) -> Vec<Bar> {
        let name = |figure: &str| format!("small: {}: {figure}", self.title(operation));
        let of = |contender| all.iter().find(|one| one.contender == contender);
        let peers = || all.iter().filter(|one| one.contender.is_peer());
        let fastest = peers().max_by(|a, b| a.compare(b, per_second));
        let thriftiest = peers().min_by(|a, b| a.compare(b, cpu));
        let beside = |ours: Contender, peer: Option<&Measured>, figure: fn(&Load) -> f64| {
            let (ours, peer) = (of(ours)?, peer?);
            let ratio = ratios(&ours.figures(figure), &peer.figures(figure)).median;
            Some((ratio, format!("times {}", peer.contender.name())))
        };
        let mut bars = Vec::new();
        if let Some((ratio, peer)) = beside(Contender::Ours, fastest, per_second) {
            bars.push(
                Bar::at_least(1.2, name("operations a second"), ratio).note(peer).bounded_by(BOUND),
            );
        }
        if let Some((ratio, peer)) = beside(Contender::Ours, thriftiest, cpu) {
            bars.push(
                Bar::at_most(0.8, name("CPU per operation"), ratio).note(peer).bounded_by(BOUND),
            );
        }
        if let Some((ratio, peer)) = beside(Contender::OursWithPolicy, fastest, per_second) {
            let name = name("operations a second behind a policy");
            let bar = Bar::at_least(1.0, name, ratio).note(peer);
            bars.push(bar.bounded_by(BOUND_BEHIND_A_POLICY));
        }
        bars
    }
}

fn per_second(load: &Load) -> f64 {
    load.per_second
}

fn cpu(load: &Load) -> f64 {
    load.cpu_micros
}

/// CPU per operation, by how many are in flight.
fn plot(operation: Operation, cells: &[(usize, &[Measured])]) -> Plot {
    let groups = cells.iter().map(|(in_flight, _)| format!("{in_flight} in flight"));
    let series = Contender::ALL.iter().enumerate().map(|(index, contender)| {
        let medians = cells.iter().map(|(_, all)| all[index].spread(cpu).median);
        (contender.name().to_owned(), medians.collect())
    });
    Plot {
        name: format!("small-{}", operation.name()),
        title: format!("{} of 4 KiB: CPU per operation", operation.name()),
        unit: "µs".to_owned(),
        shape: Shape::Bars { groups: groups.collect(), series: series.collect() },
    }
}
