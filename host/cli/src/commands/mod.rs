//! One file for each command.

use std::sync::OnceLock;

use artifact_store::{ArtifactStore, s3::HttpS3};

use crate::{
    args::{Cli, Command},
    connect,
    environment::Environment,
    failure::Failure,
    interrupt::{settled, unless_interrupted},
    output::Output,
    settings::Settings,
};

mod completions;
mod config;
mod delete;
mod demo;
mod doctor;
mod get;
mod head;
mod list;
mod policy;
mod put;
mod recorder;
mod serve_local;

/// Does what the command line says.
pub async fn run(cli: &Cli, env: &Environment, output: &Output) -> Result<(), Failure> {
    match &cli.command {
        Command::Completions { shell } => completions::run(*shell, output),
        // Ctrl-C is how it ends.
        Command::ServeLocal(args) => serve_local::run(args, &cli.global, env, output).await,
        _ => {
            let client = OnceLock::new();
            let result = unless_interrupted(run_once(cli, env, output, &client)).await;
            if let Some(client) = client.get() {
                let interrupted = result.as_ref().is_err_and(Failure::is_interrupted);
                settled(client, interrupted, output).await;
            }
            result
        }
    }
}

async fn run_once(
    cli: &Cli,
    env: &Environment,
    output: &Output,
    client: &OnceLock<HttpS3>,
) -> Result<(), Failure> {
    if matches!(cli.command, Command::Demo) {
        return demo::run(output).await;
    }
    let settings = Settings::resolve(&cli.global, env)?;
    let store = Store { settings: &settings, env, client };
    match &cli.command {
        Command::Put(args) => put::run(args, &store, output).await,
        Command::Get(args) => get::run(args, &store, output).await,
        Command::Head(args) => head::run(args, &store, output).await,
        Command::List(args) => list::run(args, &store, output).await,
        Command::Delete(args) => delete::run(args, &store, output).await,
        Command::Policy(command) => {
            policy::run(command, &settings, (env, cli.global.verbose), output).await
        }
        // It is large, and would make the others so.
        Command::Doctor(args) => Box::pin(doctor::run(args, &store, output)).await,
        Command::Config => config::run(&settings, env, output).await,
        Command::Demo | Command::ServeLocal(_) | Command::Completions { .. } => Ok(()),
    }
}

/// A store that is started when a command has checked everything else.
struct Store<'a> {
    settings: &'a Settings,
    env: &'a Environment,
    /// The client, once there is one: it may have to clean up when the command has ended.
    client: &'a OnceLock<HttpS3>,
}

impl Store<'_> {
    async fn start(&self) -> Result<ArtifactStore, Failure> {
        // Without a bucket there is nothing to connect to.
        self.settings.bucket()?;
        connect::store(self.settings, self.env, self.client().await?).await
    }

    async fn client(&self) -> Result<HttpS3, Failure> {
        let client = connect::client(self.settings, self.env).await?;
        Ok(self.client.get_or_init(|| client).clone())
    }
}
