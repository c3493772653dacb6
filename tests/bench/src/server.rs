//! Servers in processes of their own, which end with whoever started them.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::Context;

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
        let mut process = Command::new(env::current_exe()?)
            .arg("sink")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the sink")?;
        let stdout = process.stdout.take().context("the sink's output")?;
        let mut address = String::new();
        BufReader::new(stdout).read_line(&mut address)?;
        // It asks nobody who they are.
        let service = Service {
            endpoint: format!("http://{}", address.trim()),
            bucket: "bench".to_owned(),
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
        };
        Ok(Self { process, service })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has nothing to lose; that it is gone already is as well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
