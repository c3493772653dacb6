#![cfg(unix)]

use std::{
    fs::File,
    io::Write,
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::support::{Cli, Server, Slow, Throttle, interrupt, signal};

/// A put of a gigabyte, which takes minutes; returns once its upload has begun.
fn put_in_parts(cli: &mut Cli, server: &Server) -> Child {
    let throttle = Throttle::before(&server.endpoint());
    cli.set("ARTIFACTS_ENDPOINT", &throttle.endpoint);
    File::create(cli.path("large")).unwrap().set_len(1 << 30).unwrap();
    let child = cli.command(["put", "k", "large"]).spawn().unwrap();
    cli.set("ARTIFACTS_ENDPOINT", &server.endpoint());
    let begun = Instant::now();
    while server.unfinished().is_empty() {
        assert!(begun.elapsed() < Duration::from_mins(1), "the upload does not begin");
        sleep(Duration::from_millis(5));
    }
    child
}

#[test]
fn a_put_in_parts_that_is_stopped_leaves_no_upload_unfinished() {
    for name in ["-INT", "-TERM"] {
        let server = Server::start();
        let mut cli = Cli::on(&server);
        let child = put_in_parts(&mut cli, &server);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130));
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            "aborting the unfinished upload… (Ctrl-C leaves it there)\nerror: interrupted\n"
        );
        assert_eq!(server.unfinished(), []);
        assert_eq!(server.keys(), [""; 0]);
    }
}

#[test]
fn what_a_killed_put_leaves_the_doctor_finds_and_aborts() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    let mut child = put_in_parts(&mut cli, &server);
    child.kill().unwrap();
    child.wait().unwrap();
    let found = cli.run(["doctor", "--json"]).json();
    assert_eq!(found["unfinished_uploads"]["count"], 1, "{found}");
    assert_eq!(found["unfinished_uploads"]["uploads"][0]["key"], "asm/k");
    // Elsewhere, and younger than that.
    cli.run(["doctor", "--abort-unfinished", "--prefix", "other/"]);
    cli.run(["doctor", "--abort-unfinished", "--older-than", "1h"]);
    assert_eq!(server.unfinished().len(), 1);
    let run = cli.run(["doctor", "--abort-unfinished"]);
    assert!(run.text().contains("\naborted asm/k ("), "{}", run.text());
    assert_eq!(run.code, Some(0));
    assert_eq!(server.unfinished(), []);
}

#[test]
fn a_doctor_who_is_stopped_leaves_nothing_behind() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    let throttle = Throttle::before(&server.endpoint());
    cli.set("ARTIFACTS_ENDPOINT", &throttle.endpoint);
    let child = cli.command(["doctor"]).spawn().unwrap();
    let begun = Instant::now();
    while server.keys().is_empty() {
        assert!(begun.elapsed() < Duration::from_mins(1), "nothing is stored");
    }
    interrupt(&child);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert_eq!(server.keys(), [""; 0]);
    assert_eq!(server.unfinished(), []);
}

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
