//! What helps with policies: one file for each command.

use crate::{
    args::PolicyCommand, environment::Environment, failure::Failure, output::Output,
    settings::Settings,
};

mod check;
mod new;
mod run;
mod seen;

/// Does what the command line says. Nothing here needs a bucket.
pub async fn run(
    command: &PolicyCommand,
    settings: &Settings,
    (env, verbose): (&Environment, u8),
    output: &Output,
) -> Result<(), Failure> {
    match command {
        PolicyCommand::New(args) => new::run(args, output),
        PolicyCommand::Check(args) => check::run(args, settings, env, output).await,
        PolicyCommand::Run(args) => run::run(args, settings, (env, verbose), output).await,
    }
}
