#![cfg(unix)]

use std::{
    io::{BufRead, BufReader},
    process::Child,
};

use crate::support::{Cli, interrupt};

/// Starts the server, and takes over the variables that it prints.
fn start(cli: &mut Cli, args: &[&str]) -> Child {
    let mut child = cli.command([&["serve-local", "data"], args].concat()).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    for line in stdout.lines().take(5) {
        let line = line.unwrap();
        let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
        cli.set(name, value);
    }
    child
}

#[test]
fn a_folder_is_served_until_it_is_interrupted() {
    let mut cli = Cli::new();
    let child = start(&mut cli, &[]);
    assert_eq!(cli.run_with_input(["put", "dir/k"], b"x").code, Some(0));
    assert_eq!(cli.read("data/artifacts/dir/k"), b"x");
    assert_eq!(cli.run(["get", "dir/k"]).text(), "x");
    cli.transcript();
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "serving data; Ctrl-C ends it\n");
}

#[test]
fn bucket_and_keys_can_be_chosen() {
    let mut cli = Cli::new();
    let args = ["--bucket", "mine", "--access-key", "me", "--secret-key", "it's mine"];
    let child = start(&mut cli, &args);
    cli.set("AWS_SECRET_ACCESS_KEY", "it's mine");
    assert_eq!(cli.run_with_input(["put", "k"], b"x").code, Some(0));
    assert_eq!(cli.read("data/mine/k"), b"x");
    cli.set("AWS_SECRET_ACCESS_KEY", "another");
    assert_eq!(cli.run(["get", "k"]).code, Some(1));
    interrupt(&child);
    assert!(child.wait_with_output().unwrap().status.success());
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
