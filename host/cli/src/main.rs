//! The program `artifacts`: puts, gets, describes, lists and deletes artifacts.
//!
//! Everything that it does, the library `artifact-store` does; here are the
//! command line, the settings, and what is shown.

#![expect(unreachable_pub, reason = "a program: `pub` here means for the other modules")]

use std::process::ExitCode;

use clap::Parser;

mod args;
mod commands;
mod config_file;
mod connect;
mod environment;
mod failure;
mod findings;
mod interrupt;
mod output;
mod settings;

use args::Cli;
use environment::Environment;
use failure::{Exit, Failure};
use output::Output;

fn main() -> ExitCode {
    if let Some(done) = artifact_store::compile_if_asked() {
        return done;
    }
    let env = Environment::of_process();
    let cli = Cli::try_parse()
        .and_then(|cli| cli.check_policies(std::env::args_os().skip(1)).map(|()| cli));
    let cli = match cli {
        Ok(cli) => cli,
        Err(error) => return output::usage(&error).into(),
    };
    let output = Output::new(&cli.global, &env);
    match run(&cli, &env, &output) {
        Ok(()) => Exit::Done.into(),
        // Whoever read our output has seen enough: no failure of ours.
        Err(failure) if failure.is_broken_pipe() => Exit::Done.into(),
        Err(failure) => {
            output.failure(&failure);
            failure.exit().into()
        }
    }
}

fn run(cli: &Cli, env: &Environment, output: &Output) -> Result<(), Failure> {
    if !cli.global.quiet || cli.global.verbose > 0 {
        output::trace(cli.global.verbose, env);
    }
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::config("cannot start the runtime").caused_by(error))?;
    let result = runtime.block_on(commands::run(cli, env, output));
    // A thread that waits for standard input would hold up the end.
    runtime.shutdown_background();
    result
}
