//! What helps with policies: one file for each command.

use crate::{
    args::PolicyCommand, environment::Environment, failure::Failure, output::Output,
    settings::Settings,
};

mod check;

/// Does what the command line says. Nothing here needs a bucket.
pub async fn run(
    command: &PolicyCommand,
    settings: &Settings,
    env: &Environment,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        PolicyCommand::Check(args) => check::run(args, settings, env, output).await,
    }
}
