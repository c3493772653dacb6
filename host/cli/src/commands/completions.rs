use clap::CommandFactory;

use crate::{args::Cli, failure::Failure, output::Output};

/// Prints a completion script for a shell.
pub fn run(shell: clap_complete::Shell, output: &Output) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "artifacts", &mut script);
    output.data(&String::from_utf8_lossy(&script))
}
