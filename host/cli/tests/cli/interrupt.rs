#![cfg(unix)]

use std::{io::Write, process::Stdio};

use crate::support::{Cli, Slow, interrupt};

#[test]
fn a_get_that_is_stopped_leaves_no_part_and_the_old_file() {
    let slow = Slow::stalling();
    let cli = Cli::at(&slow.endpoint);
    cli.write("file", "old");
    let child = cli.command(["get", "k", "-o", "file"]).spawn().unwrap();
    slow.wait();
    assert_eq!(cli.names().len(), 2, "the part is beside the file: {:?}", cli.names());
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "error: interrupted\n");
    assert_eq!(cli.names(), ["file"]);
    assert_eq!(cli.read("file"), b"old");
}

#[test]
fn a_put_that_is_stopped_ends_at_once_and_leaves_nothing() {
    let slow = Slow::silent();
    let cli = Cli::at(&slow.endpoint);
    cli.write("file", vec![b'x'; 3_000_000]);
    let child = cli.command(["put", "k", "file"]).spawn().unwrap();
    slow.wait();
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "error: interrupted\n");
    assert_eq!(cli.temporary_names(), [""; 0]);
}

#[test]
fn a_put_that_waits_for_its_input_can_be_stopped() {
    let slow = Slow::silent();
    let cli = Cli::at(&slow.endpoint);
    let mut command = cli.command(["put", "k", "-"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // More than a pipe holds: when it is written, the program has begun to read.
    stdin.write_all(&vec![b'x'; 300_000]).unwrap();
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(cli.temporary_names(), [""; 0]);
    drop(stdin);
}

#[test]
fn a_timeout_is_a_failure_of_its_own() {
    let slow = Slow::silent();
    let mut cli = Cli::at(&slow.endpoint);
    cli.run(["get", "k", "--timeout", "300ms"]);
    cli.run(["put", "k", "/dev/null", "--timeout", "300ms", "--json"]);
    insta::assert_snapshot!(cli.transcript());
}
