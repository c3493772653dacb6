//! Large objects: put and get, from and to memory, a file and a stream.

use std::{fs, io::Write as _, path::Path, sync::Arc};

use anyhow::ensure;
use bytes::Bytes;
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::{Setting, seaweedfs};
use crate::{
    child,
    clients::{Client, Contender, Service, Source, Target},
    cores,
    load::as_f64,
    plot::{Plot, Shape},
    report::{Bar, Report, number, spread},
    rounds::{Spread, interleaved, ratios},
    server::Server,
    usage::Meter,
};

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;
/// What one transfer may take over the idle process, whatever its size.
const MEMORY_MIB: f64 = 64.0;

/// Profiles of 2026-11-29: samples of the CPU clock.
const BOUND: &str = "The kernel has 73 to 95 % of the samples of a process that moves 1 GiB, the \
    compiling of our component included, and 92 to 95 % with object_store: copies into and out of \
    sockets and the page cache, and TCP. No function of ours has 2 %. The rest is by how many connections the bytes go, whose buffers take \
    each other's place in the caches: 1 GiB from memory goes at 6.2 GB/s in one request, at 5.5 in \
    parts one after the other, and at 4.5 in parts four at once (medians of five interleaved \
    rounds, as our own client measures it); and a cell's rounds spread by as much as it misses.";

/// One contender at one cell.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Spec {
    service: Service,
    contender: Contender,
    cell: Cell,
}

/// What is moved, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cell {
    direction: Direction,
    place: Place,
    size: u64,
    at_once: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Direction {
    Put,
    Get,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    Memory,
    File,
    Stream,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// 10⁹ bytes a second, all transfers together.
    gigabytes_per_second: f64,
    cpu_seconds_per_gigabyte: f64,
    /// Over the idle process, which holds what is put from memory.
    peak_mebibytes: f64,
}

/// In a child.
pub(crate) fn measure(spec: &Spec) -> anyhow::Result<Figures> {
    cores::use_clients()?;
    cores::runtime()?.block_on(async {
        let cell = spec.cell;
        let client = spec.contender.connect(&spec.service).await?;
        let folder = tempfile::tempdir()?;
        let source = cell.source(folder.path())?;
        // What is read has to be there, and connections and instances warm.
        let before = match cell.direction {
            Direction::Put => Source::Memory(Bytes::from_static(&[7; 4096])),
            Direction::Get => Source::Stream(cell.size),
        };
        for number in 0..cell.at_once {
            client.put(&cell.key(number), before.clone()).await?;
        }
        // A moment's transfer says little: one that is short is repeated.
        let times = (256 * MIB / (cell.size * cell.at_once as u64)).max(1);
        let meter = Meter::start()?;
        for _ in 0..times {
            let transfers = (0..cell.at_once).map(|number| {
                let (client, source) = (client.clone(), source.clone());
                let file = folder.path().join(number.to_string()).into();
                tokio::spawn(cell.transfer(client, number, source, file))
            });
            for transferred in try_join_all(transfers).await? {
                transferred?;
            }
        }
        let usage = meter.stop()?;
        let gigabytes = as_f64(cell.size * cell.at_once as u64 * times) / 1e9;
        Ok(Figures {
            gigabytes_per_second: gigabytes / usage.wall_seconds,
            cpu_seconds_per_gigabyte: usage.cpu_seconds / gigabytes,
            peak_mebibytes: as_f64(usage.peak_bytes_over_idle) / as_f64(MIB),
        })
    })
}

impl Cell {
    fn key(self, number: usize) -> String {
        format!("size-{}-{number}", self.size)
    }

    /// What is put, once for all transfers.
    fn source(self, folder: &Path) -> anyhow::Result<Source> {
        Ok(match (self.direction, self.place) {
            // Nothing is put.
            (Direction::Get, _) | (_, Place::Stream) => Source::Stream(self.size),
            (_, Place::Memory) => Source::Memory(Bytes::from(vec![7; usize::try_from(self.size)?])),
            (_, Place::File) => {
                let path: Arc<Path> = folder.join("source").into();
                let mut file = fs::File::create(&path)?;
                let bytes = vec![7; usize::try_from(MIB)?];
                for _ in 0..self.size / MIB {
                    file.write_all(&bytes)?;
                }
                Source::File(path)
            }
        })
    }

    async fn transfer(
        self,
        client: Client,
        number: usize,
        source: Source,
        file: Arc<Path>,
    ) -> anyhow::Result<()> {
        let key = self.key(number);
        let target = match self.place {
            Place::Memory => Target::Memory,
            Place::File => Target::File(file),
            Place::Stream => Target::Stream,
        };
        if self.direction == Direction::Put {
            return client.put(&key, source).await;
        }
        let length = client.get(&key, target).await?;
        ensure!(length == self.size, "{length} of {} bytes came", self.size);
        Ok(())
    }

    fn title(self) -> String {
        let Self { size, at_once, .. } = self;
        let size = if size >= GIB { "1 GiB" } else { "64 MiB" };
        let way = match (self.direction, self.place) {
            (Direction::Put, Place::Memory) => "put from memory",
            (Direction::Put, Place::File) => "put from a file",
            (Direction::Put, Place::Stream) => "put from a stream",
            (Direction::Get, Place::Memory) => "get to memory",
            (Direction::Get, Place::File) => "get to a file",
            (Direction::Get, Place::Stream) => "get to a stream",
        };
        format!("{way}, {size}, {at_once} at a time")
    }

    /// What a get to memory holds at its end is asked for.
    fn result_mebibytes(self) -> f64 {
        if (self.direction, self.place) == (Direction::Get, Place::Memory) {
            as_f64(self.size / MIB)
        } else {
            0.0
        }
    }
}

/// Those of a quick run, or all.
fn cells(setting: Setting) -> Vec<Cell> {
    let mut cells = Vec::new();
    for direction in [Direction::Put, Direction::Get] {
        for place in [Place::Memory, Place::File, Place::Stream] {
            for size in [64 * MIB, GIB] {
                for at_once in [1, 4] {
                    let short = at_once == 1 && (size < GIB || place == Place::Stream);
                    if !setting.quick || short {
                        cells.push(Cell { direction, place, size, at_once });
                    }
                }
            }
        }
    }
    cells
}

/// Over the sink, with the bars.
pub(crate) fn run(setting: Setting, report: &mut Report) -> anyhow::Result<()> {
    let sink = Server::sink()?;
    report.section("Large objects");
    report.text(
        "Over the same server. From memory, every client sends one request, but ours goes in \
         parts over 16 MiB, as it does by default; to memory is to one `Bytes`. From files and \
         streams: `object_store` through `BufWriter` and `WriteMultipart`, OpenDAL through its \
         writer, aws-sdk-s3 from the path in one request, and by hand in parts from a stream; \
         parts of 8 MiB, four at once; ours as many as help, up to four. To files, ours reads \
         ranges side by side where that helps, and the others write their stream. No client \
         hashes the bytes for its signature.",
    );
    let mut plotted = Vec::new();
    for cell in cells(setting) {
        let all = measured(&sink.service, cell, &Contender::ALL, setting.choose(2, 5))?;
        table(cell, &all, report);
        for bar in bars(cell, &all) {
            report.bar(bar);
        }
        if cell.at_once == 1 {
            plotted.push((cell, all));
        }
    }
    for size in [64 * MIB, GIB] {
        let cells: Vec<_> = plotted.iter().filter(|(cell, _)| cell.size == size).collect();
        report.plot(plot(size, &cells));
    }
    drop(sink);
    seaweedfs::measure(setting, report, |service, contenders, report| {
        for direction in [Direction::Put, Direction::Get] {
            let cell = Cell { direction, place: Place::File, size: 64 * MIB, at_once: 1 };
            let all = measured(service, cell, contenders, setting.choose(1, 3))?;
            table(cell, &all, report);
        }
        Ok(())
    })
}

/// A contender's figures by round.
type Measured = (Contender, Vec<Figures>);

/// One cell, all contenders in turn.
fn measured(
    service: &Service,
    cell: Cell,
    contenders: &[Contender],
    rounds: usize,
) -> anyhow::Result<Vec<Measured>> {
    let figures = interleaved(contenders, rounds, |contender| {
        let spec = Spec { service: service.clone(), contender: *contender, cell };
        child::run(&child::Spec::Large(spec))
    })?;
    Ok(contenders.iter().copied().zip(figures).collect())
}

fn values(measured: &Measured, figure: fn(&Figures) -> f64) -> Vec<f64> {
    measured.1.iter().map(figure).collect()
}

fn over(measured: &Measured, figure: fn(&Figures) -> f64) -> Spread {
    Spread::of(values(measured, figure))
}

fn speed(figures: &Figures) -> f64 {
    figures.gigabytes_per_second
}

fn table(cell: Cell, all: &[Measured], report: &mut Report) {
    report.part(&cell.title());
    let columns = ["client", "GB/s", "CPU s per GB", "peak MiB over idle"];
    let rows = all.iter().map(|one| {
        [
            one.0.name().to_owned(),
            spread(over(one, speed)),
            spread(over(one, |figures| figures.cpu_seconds_per_gigabyte)),
            number(over(one, |figures| figures.peak_mebibytes).median),
        ]
    });
    report.table(&columns, rows);
}

fn bars(cell: Cell, all: &[Measured]) -> Vec<Bar> {
    let title = cell.title();
    let of = |contender| all.iter().find(|one| one.0 == contender);
    let peers = all.iter().filter(|one| one.0.is_peer());
    let best = peers.max_by(|a, b| over(a, speed).median.total_cmp(&over(b, speed).median));
    let Some(ours) = of(Contender::Ours) else { return Vec::new() };
    let mut bars = Vec::new();
    for (least, other) in [(1.0, best), (0.9, of(Contender::Bare))] {
        let Some(other) = other else { continue };
        let (name, ratio) = (other.0.name(), ratios(&values(ours, speed), &values(other, speed)));
        let whom = if other.0.is_peer() { "the best peer" } else { name };
        let bar = Bar::at_least(least, format!("large: {title}: beside {whom}"), ratio.median);
        bars.push(bar.note(format!("times {name}")).bounded_by(BOUND));
    }
    if cell.size == GIB && cell.at_once == 1 {
        let peak = over(ours, |figures| figures.peak_mebibytes).median - cell.result_mebibytes();
        let bar = Bar::at_most(MEMORY_MIB, format!("large: {title}: memory"), peak);
        bars.push(bar.note("MiB over what is put or given back"));
    }
    bars
}

fn plot(size: u64, cells: &[&(Cell, Vec<Measured>)]) -> Plot {
    let groups = cells.iter().map(|(cell, _)| {
        let title = cell.title();
        title.split(',').next().unwrap_or_default().to_owned()
    });
    let series = Contender::ALL.iter().enumerate().map(|(index, contender)| {
        let medians = cells.iter().map(|(_, all)| over(&all[index], speed).median);
        (contender.name().to_owned(), medians.collect())
    });
    let size = if size == GIB { "1 GiB" } else { "64 MiB" };
    Plot {
        name: format!("large-{}", size.replace(' ', "-").to_lowercase()),
        title: format!("{size}, one at a time"),
        unit: "GB/s".to_owned(),
        shape: Shape::Bars { groups: groups.collect(), series: series.collect() },
    }
}
