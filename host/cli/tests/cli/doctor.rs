use std::net::TcpListener;

use crate::support::{Cli, Server};

/// The file that keeps what was found out.
const KEPT: &str = ".cache/artifacts/services";

#[test]
fn what_works_is_told_as_a_table() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    assert_eq!(cli.run(["doctor"]).code, Some(0));
    insta::assert_snapshot!(cli.transcript());
    assert_eq!(server.keys(), [""; 0], "nothing stays behind");
    let run = cli.run(["doctor", "--json"]);
    let found = run.json();
    assert_eq!(found["works"], true);
    assert_eq!(found["unfinished_uploads"]["count"], 0);
    for check in found["checks"].as_array().unwrap() {
        assert_eq!(check["finding"], "ok", "{check}");
    }
    assert!(run.text().lines().count() == 1);
}

#[test]
fn a_condition_that_is_honoured_does_not_vouch_for_the_other() {
    let server = Server::overwriting();
    let mut cli = Cli::on(&server);
    let found = cli.run(["doctor", "--json"]).json();
    for check in found["checks"].as_array().unwrap() {
        let ignored = ["if-match", "conditional-copy", "conditional-multipart"]
            .contains(&check["check"].as_str().unwrap());
        assert_eq!(check["finding"], if ignored { "ignored" } else { "ok" }, "{check}");
    }
}

#[test]
fn lines_are_no_wider_than_a_terminal() {
    let server = Server::careless();
    let mut cli = Cli::on(&server);
    let run = cli.run(["doctor"]);
    assert!(run.text().lines().all(|line| line.chars().count() <= 80), "{}", run.text());
}

#[test]
fn what_a_service_ignores_is_refused_once_it_was_found_out() {
    let server = Server::careless();
    let mut cli = Cli::on(&server);
    assert_eq!(cli.run_with_input(["put", "k", "--if-absent"], b"1").code, Some(0));
    // Nobody knows yet, and the service says that all is well.
    assert_eq!(cli.run_with_input(["put", "k", "--if-absent"], b"2").code, Some(0));
    assert_eq!(cli.run(["doctor"]).code, Some(0));
    cli.run_with_input(["put", "k", "--if-absent"], b"3");
    cli.run(["get", "k"]);
    cli.run(["delete", "k", "--if-match", "other"]);
    cli.run(["get", "k", "--if-none-match", "other"]);
    cli.run(["delete", "k", "--version-id", "1"]);
    insta::assert_snapshot!(cli.transcript());
    // Of another bucket nothing is known.
    let other = cli.run(["get", "k", "--if-match", "x", "--bucket", "other-bucket"]);
    assert!(!other.stderr.contains("ignores"), "{}", other.stderr);
    // Nor where nothing may be kept.
    let fresh = cli.run(["get", "k", "--if-match", "x", "--no-cache"]);
    assert_eq!(fresh.text(), "2");
}

#[test]
fn findings_that_cannot_be_read_are_told_and_do_no_harm() {
    let server = Server::careless();
    let mut cli = Cli::on(&server);
    cli.run_with_input(["put", "k"], b"1");
    cli.run(["doctor", "--quiet"]);
    let kept = std::fs::read_dir(cli.home(KEPT)).unwrap().next().unwrap().unwrap().path();
    for foreign in
        ["", "{}", "{\"endpoint\":\"http://h\",\"bucket\":\"b\",\"found_at\":1,\"findings\":{}}"]
    {
        std::fs::write(&kept, foreign).unwrap();
        let run = cli.run(["get", "k", "--if-match", "x"]);
        assert_eq!((run.code, run.text()), (Some(0), "1"));
        assert!(run.stderr.contains("run it again"), "{}", run.stderr);
    }
    cli.run(["doctor", "--no-cache"]);
    assert!(std::fs::read_to_string(&kept).unwrap().contains("http://h\""), "nothing is kept");
    cli.run(["doctor"]);
    assert_eq!(cli.run(["get", "k", "--if-match", "x"]).code, Some(1));
}

#[test]
fn what_stands_in_the_way_is_told() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.run(["doctor", "--bucket", "no-such-bucket"]);
    cli.set("AWS_SECRET_ACCESS_KEY", "hunter2");
    cli.run(["doctor"]);
    cli.unset("AWS_ACCESS_KEY_ID");
    cli.unset("AWS_SECRET_ACCESS_KEY");
    cli.run(["doctor"]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    cli.set("ARTIFACTS_ENDPOINT", &format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    cli.run(["doctor"]);
    cli.run(["doctor", "--older-than", "1h"]);
    cli.unset("ARTIFACTS_BUCKET");
    cli.run(["doctor"]);
    insta::assert_snapshot!(cli.transcript());
    assert!(!cli.home(KEPT).exists(), "what says nothing of the service is not kept");
    cli.set("ARTIFACTS_BUCKET", "test-bucket");
    let run = cli.run(["doctor", "--json"]);
    assert_eq!(run.json()["works"], false);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("\"kind\":\"doctor\""), "{}", run.stderr);
}
