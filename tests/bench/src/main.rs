//! Measures the product beside its peers, in one run: `just bench`.
//!
//! The process that is started plans, collects and reports, and measures nothing itself:
//! each measurement is made by a process of its own ([`child`]), so that CPU time, memory
//! and allocations are those of one contender.

mod child;
mod clients;
mod cores;
mod load;
mod memory;
mod nowhere;
mod plot;
mod report;
mod rounds;
mod sections;
mod server;
mod sink;
mod usage;
mod versions;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::{
    report::Report,
    sections::{Section, Setting},
};

#[global_allocator]
static ALLOCATOR: usage::CountingAllocator = usage::CountingAllocator;

/// Measures the product beside its peers, and says which bars are met.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Fewer cells and rounds, for under five minutes; the bars are the same.
    #[arg(long)]
    quick: bool,
    /// Measures these sections only.
    #[arg(long = "section", value_name = "NAME")]
    sections: Vec<Section>,
    /// Where report, plots and `bars.json` go.
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/bench"))]
    out: PathBuf,
    /// Leaves out what is measured over `SeaweedFS`.
    #[arg(long)]
    without_seaweedfs: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Makes one measurement, and prints its figures as JSON.
    #[command(hide = true)]
    One { spec: String },
    /// Serves S3 without storing anything, and prints its address.
    #[command(hide = true)]
    Sink,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        Some(Command::One { spec }) => child::main(spec),
        Some(Command::Sink) => sink::main(),
        None => run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// A bar that is not met is a result; only a measurement that cannot be made fails.
fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let setting = Setting { quick: arguments.quick, with_seaweedfs: !arguments.without_seaweedfs };
    let mut report = Report::new(arguments.quick);
    for section in Section::chosen(&arguments.sections) {
        report::say(&format!("measuring: {section}"));
        section.run(setting, &mut report).with_context(|| format!("section {section}"))?;
    }
    report.write(&arguments.out)
}
