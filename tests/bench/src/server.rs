//! Servers in processes of their own.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

use crate::clients::Service;

/// A server that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    /// How it is reached.
    pub(crate) service: Service,
}

impl Server {
    /// The server that stores nothing: see [`crate::sink`].
    pub(crate) fn sink() -> anyhow::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        let (process, address) =
            first_line(command.arg("sink")).context("cannot start the sink")?;
        // It asks nobody who they are.
        let service = Service {
            endpoint: format!("http://{address}"),
            bucket: "bench".to_owned(),
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
        };
        Ok(Self { process, service })
    }

    /// `SeaweedFS` as it is by default, on any core. Fails where it cannot be had.
    pub(crate) fn seaweedfs() -> anyhow::Result<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../servers/seaweedfs");
        let (process, line) = first_line(Command::new(script).arg("--serve"))?;
        // Shell: the name of a variable, and in quotes endpoint, bucket and the two keys.
        let setting = line.split_once('=').map(|(_, value)| value.trim_matches('\''));
        let words: Vec<&str> = setting.unwrap_or_default().split(' ').collect();
        let [endpoint, bucket, id, secret] = words[..] else {
            anyhow::bail!("it printed {line:?}");
        };
        let service = Service {
            endpoint: endpoint.to_owned(),
            bucket: bucket.to_owned(),
            access_key_id: id.to_owned(),
            secret_access_key: secret.to_owned(),
        };
        Ok(Self { process, service })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A signal that can be caught, for a script that has to stop what it started. That
        // the server is gone already is as well.
        let id = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        let _ = id.map(|id| kill_process(id, Signal::TERM));
        let _ = self.process.wait();
    }
}

/// Starts a server, which prints one line when it is ready.
fn first_line(command: &mut Command) -> anyhow::Result<(Child, String)> {
    // At the end of its input the sink knows that this process is gone.
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let stdout = process.stdout.take().context("a server without output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    if line.is_empty() {
        let status = process.wait()?;
        anyhow::bail!("the server did not start: {status}");
    }
    Ok((process, line.trim().to_owned()))
}
