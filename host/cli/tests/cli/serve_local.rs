#![cfg(unix)]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Output},
};

use crate::support::{Cli, interrupt};

/// A server that ends with its test, whichever way that ends.
struct Serving(Option<Child>);

impl Serving {
    /// Starts the server, and takes over the variables that it prints.
    fn start(cli: &mut Cli, args: &[&str]) -> Self {
        let mut child = cli.command([&["serve-local", "data"], args].concat()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let serving = Self(Some(child));
        for line in stdout.lines().take(5) {
            let line = line.unwrap();
            let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
            cli.set(name, value);
        }
        serving
    }

    /// Ends it as Ctrl-C does.
    fn interrupt(mut self) -> Output {
        let child = self.0.take().unwrap();
        interrupt(&child);
        child.wait_with_output().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn a_folder_is_served_until_it_is_interrupted() {
    let mut cli = Cli::new();
    let server = Serving::start(&mut cli, &[]);
    assert_eq!(cli.run_with_input(["put", "dir/k"], b"x").code, Some(0));
    assert_eq!(cli.read("data/artifacts/dir/k"), b"x");
    assert_eq!(cli.run(["get", "dir/k"]).text(), "x");
    cli.transcript();
    let output = server.interrupt();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "serving data; Ctrl-C ends it\n");
}

#[test]
fn bucket_and_keys_can_be_chosen() {
    let mut cli = Cli::new();
    let args = ["--bucket", "mine", "--access-key", "me", "--secret-key", "it's mine"];
    let server = Serving::start(&mut cli, &args);
    cli.set("AWS_SECRET_ACCESS_KEY", "it's mine");
    assert_eq!(cli.run_with_input(["put", "k"], b"x").code, Some(0));
    assert_eq!(cli.read("data/mine/k"), b"x");
    cli.set("AWS_SECRET_ACCESS_KEY", "another");
    assert_eq!(cli.run(["get", "k"]).code, Some(1));
    assert!(server.interrupt().status.success());
}

#[test]
fn what_is_wrong_is_told() {
    let mut cli = Cli::new();
    cli.write("file", "");
    cli.run(["serve-local", "file"]);
    cli.run(["serve-local", "data", "--bucket", "../other"]);
    cli.run(["serve-local", "data", "--access-key", "me"]);
    cli.set("ARTIFACTS_LOCAL_ACCESS_KEY", "me");
    cli.run(["serve-local", "data"]);
    insta::assert_snapshot!(cli.transcript());
}
