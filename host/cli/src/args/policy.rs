use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{NewArgs, RunArgs};

/// What `artifacts policy` understands.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Write a folder that builds a policy with plain cargo
    New(NewArgs),
    /// Show what a component is, what it would need, and whether it is granted that
    ///
    /// What it is granted, the `[[policy]]` in artifacts.toml that names the file says,
    /// and the flags besides; for a filter, the `[[filter]]`. An instance is made. No
    /// function of a policy is called, and of a filter the one that names its encoding.
    /// Ends with 1 where it could not be started so.
    Check(CheckArgs),
    /// Try a policy in front of a store in memory, and show what it asks for
    ///
    /// Nothing leaves this machine. The policy gets the settings and the grant of the
    /// `[[policy]]` in artifacts.toml that it is; where there is none, everything is
    /// granted for the trial, and told. Calls are written as for the program itself,
    /// and `then` stands between them:
    ///
    ///   artifacts policy run theirs.wasm put notes/1 FILE then get notes/1
    Run(RunArgs),
}

/// What `artifacts policy check` understands.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Component to look at
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    #[command(flatten)]
    pub grant: GrantArgs,
}

/// A grant on the command line; each flag is the key of that name in a `[[policy]]`.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Grant")]
pub struct GrantArgs {
    /// Let it import the digest of a body
    #[arg(long)]
    pub digest: bool,
    /// Let it ask what the time is
    #[arg(long)]
    pub clock: bool,
    /// Let it write so many records a second to the log
    #[arg(long, value_name = "N")]
    pub log_per_second: Option<u32>,
    /// Let it import WASI, with nothing behind it
    #[arg(long, value_name = "HOW", value_parser = ["empty"])]
    pub wasi: Option<String>,
}
