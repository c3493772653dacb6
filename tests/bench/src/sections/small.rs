//! Small operations: put, get, head and delete of 4 KiB.

use std::time::Duration;

use anyhow::ensure;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::{
    child,
    clients::{Client, Contender, Service, Source, Target},
    cores,
    load::{Load, Times, closed_loop},
    report::{Bar, Report, number, spread},
    rounds::{Spread, interleaved, ratios},
    server::Server,
};

const SIZE: usize = 4096;
/// Different keys, so that a service that locks them is not what is measured.
const KEYS: u64 = 256;

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

/// Over the sink, with the bars.
pub(crate) fn run(setting: &Setting, report: &mut Report) -> anyhow::Result<()> {
    let sink = Server::sink()?;
    report.section("Small operations");
    report.text(
        "Put, get, head and delete of 4 KiB over a server on loopback that stores nothing. The \
         server has the last core, and the client all others. Medians over the rounds, and in \
         brackets from where to where they spread.",
    );
    let concurrencies = setting.choose(&[1, 64][..], &[1, 16, 64, 256]);
    let times = Times {
        warm_up: Duration::from_millis(setting.choose(150, 300)),
        measured: Duration::from_millis(setting.choose(400, 1000)),
    };
    for in_flight in concurrencies {
        let cell = Cell { service: &sink.service, in_flight: *in_flight, times };
        let figures = cell.measure(&Contender::ALL, setting.choose(3, 5))?;
        for (index, operation) in OPERATIONS.iter().enumerate() {
            let of_operation: Vec<Measured> = Contender::ALL
                .iter()
                .zip(&figures)
                .map(|(contender, rounds)| Measured {
                    contender: *contender,
                    loads: rounds.iter().map(|round| round[index]).collect(),
                })
                .collect();
            cell.report(*operation, &of_operation, report);
        }
    }
    Ok(())
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
}

impl Cell<'_> {
    fn measure(
        &self,
        contenders: &[Contender],
        rounds: usize,
    ) -> anyhow::Result<Vec<Vec<Figures>>> {
        interleaved(contenders, rounds, |contender| {
            let spec = Spec {
                service: self.service.clone(),
                contender: *contender,
                in_flight: self.in_flight,
                times: self.times,
            };
            child::run(&child::Spec::Small(spec))
        })
    }

    fn report(&self, operation: Operation, all: &[Measured], report: &mut Report) {
        let title = format!("{}, {} in flight", operation.name(), self.in_flight);
        report.part(&title);
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
                spread(one.spread(|load| load.per_second)),
                number(one.spread(|load| load.p50_micros).median),
                number(one.spread(|load| load.p99_micros).median),
                spread(one.spread(|load| load.cpu_micros)),
                number(one.spread(|load| load.allocations).median),
            ]
        });
        report.table(&columns, rows);
        for bar in self.bars(&title, all) {
            report.bar(bar);
        }
    }

    /// Against the peer that is best at just this.
    fn bars(&self, title: &str, all: &[Measured]) -> Vec<Bar> {
        let per_second = |load: &Load| load.per_second;
        let cpu = |load: &Load| load.cpu_micros;
        let peers = || all.iter().filter(|one| one.contender.is_peer());
        let fastest = peers()
            .max_by(|a, b| a.spread(per_second).median.total_cmp(&b.spread(per_second).median));
        let thriftiest =
            peers().min_by(|a, b| a.spread(cpu).median.total_cmp(&b.spread(cpu).median));
        let of = |contender| all.iter().find(|one| one.contender == contender);
        let mut bars = Vec::new();
        if let (Some(ours), Some(peer)) = (of(Contender::Ours), fastest) {
            let ratio = ratios(&ours.figures(per_second), &peer.figures(per_second)).median;
            let bar = Bar::at_least(1.2, format!("small: {title}: operations a second"), ratio);
            bars.push(bar.note(format!("times {}", peer.contender.name())));
        }
        if let (Some(ours), Some(peer)) = (of(Contender::Ours), thriftiest) {
            let ratio = ratios(&ours.figures(cpu), &peer.figures(cpu)).median;
            let bar = Bar::at_most(0.8, format!("small: {title}: CPU per operation"), ratio);
            bars.push(bar.note(format!("times {}", peer.contender.name())));
        }
        if let (Some(ours), Some(peer)) = (of(Contender::OursWithPolicy), fastest) {
            let ratio = ratios(&ours.figures(per_second), &peer.figures(per_second)).median;
            let name = format!("small: {title}: operations a second behind a policy");
            let bar = Bar::at_least(1.0, name, ratio);
            bars.push(bar.note(format!("times {}", peer.contender.name())));
        }
        bars
    }
}
