use std::net::TcpListener;

use crate::support::{Cli, Server};

#[test]
fn no_bucket() {
    let mut cli = Cli::new();
    cli.run(["get", "k"]);
    cli.run(["get", "k", "--json"]);
    cli.run(["get", "k", "--bucket", "../other", "--region", "x"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn no_credentials() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.unset("AWS_ACCESS_KEY_ID");
    cli.unset("AWS_SECRET_ACCESS_KEY");
    cli.run(["get", "k"]);
    cli.run(["get", "k", "--profile", "work"]);
    assert_eq!(server.requests(), [""; 0]);
    cli.run(["get", "k", "--anonymous"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn no_region_where_one_is_needed() {
    let mut cli = Cli::new();
    cli.run(["get", "k", "--bucket", "test-bucket"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn an_endpoint_that_is_none() {
    let mut cli = Cli::at("nonsense");
    cli.run(["get", "k"]);
    cli.run(["get", "k", "--endpoint", "ftp://127.0.0.1"]);
    cli.run(["get", "k", "--endpoint", "http://me:hunter2@127.0.0.1/?x=1", "--json"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn parts_and_checksums_that_cannot_be() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.run(["put", "k", "/dev/null", "--part-size", "1MiB"]);
    cli.run(["put", "k", "/dev/null", "--part-size", "large"]);
    cli.run(["put", "k", "/dev/null", "--parallel", "0"]);
    cli.run(["put", "k", "/dev/null", "--upload-checksum", "md5"]);
    assert_eq!(server.requests(), [""; 0], "nothing is sent");
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn an_endpoint_where_nothing_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut cli = Cli::at(&format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    cli.run(["get", "k"]);
    cli.run(["put", "k", "/dev/null", "--json"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn a_wrong_secret() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.set("AWS_SECRET_ACCESS_KEY", "hunter2");
    cli.run(["get", "k"]);
    cli.run(["put", "k", "/dev/null", "--json"]);
    insta::assert_snapshot!(cli.transcript());
    // `transcript` looks for the secret in what `-v` tells, too.
    cli.run(["get", "k", "-vvv"]);
    assert!(cli.transcript().contains("403"));
}

#[test]
fn a_bucket_that_is_not_there_is_no_missing_artifact() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.run(["get", "k", "--bucket", "no-such-bucket"]);
    cli.run(["list", "--bucket", "no-such-bucket"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn keys_that_break_a_rule() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    let long = "x".repeat(1025);
    cli.run(["get", ""]);
    cli.run(["get", &long]);
    cli.run(["delete", "../../other/secret", "x/..", "."]);
    cli.run(["put", "a\nb", "/dev/null"]);
    cli.run(["head", "\u{1b}[31mred"]);
    cli.run(["get", "/k", "--prefix", ""]);
    cli.run(["get", "../k", "--json"]);
    assert_eq!(server.requests(), [""; 0], "nothing is sent");
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn options_that_cannot_be_sent() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.run(["put", "k", "/dev/null", "--meta", "bad name=x"]);
    cli.run(["put", "k", "/dev/null", "--content-type", "a\nb"]);
    assert_eq!(server.requests(), [""; 0], "nothing is sent");
    insta::assert_snapshot!(cli.transcript());
}

/// The first bytes of every component.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

#[test]
fn components_that_cannot_be_run() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.write("text", "no wasm");
    cli.write("module.wasm", b"\0asm\x01\0\0\0");
    cli.write("empty.wasm", COMPONENT);
    // (component (import "wasi:filesystem/preopens@0.2.0" (instance)))
    let name = b"wasi:filesystem/preopens@0.2.0";
    let mut curious = COMPONENT.to_vec();
    curious.extend([7, 3, 1, 0x42, 0]);
    curious.extend([
        10,
        u8::try_from(name.len()).unwrap() + 5,
        1,
        0,
        u8::try_from(name.len()).unwrap(),
    ]);
    curious.extend(name);
    curious.extend([5, 0]);
    cli.write("curious.wasm", &curious);
    cli.write("broken.wasm", &curious[..curious.len() - 3]);
    for file in ["missing.wasm", "text", "module.wasm", "empty.wasm", "curious.wasm", "broken.wasm"]
    {
        cli.run(["get", "k", "--component", file]);
    }
    assert_eq!(server.requests(), [""; 0], "nothing is sent");
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn configuration_files_that_are_broken() {
    let mut cli = Cli::new();
    cli.write("unknown.toml", "bucket = \"b\"\nbukket = \"c\"\n");
    cli.write("type.toml", "# ours\n\nanonymous = \"yes\"\n");
    cli.write("syntax.toml", "bucket = \"b\n");
    cli.write("value.toml", "bucket = \"b\"\ntimeout = \"soon\"\n");
    cli.write("secret.toml", "bucket = \"b\"\nsecret-access-key = \"hunter2\"\n");
    cli.write("table.toml", "[store]\nbucket = \"b\"\n");
    for file in [
        "unknown.toml",
        "type.toml",
        "syntax.toml",
        "value.toml",
        "secret.toml",
        "table.toml",
        "no.toml",
    ] {
        cli.run(["get", "k", "--config", file]);
    }
    cli.run(["get", "k", "--config", "unknown.toml", "--json"]);
    cli.set("ARTIFACTS_ADDRESSING", "dns");
    cli.run(["get", "k"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn a_file_that_cannot_be_stored() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.run(["put", "k", "missing"]);
    cli.run(["put", "k", "."]);
    cli.run(["put", "k", "missing", "--json"]);
    assert_eq!(server.requests(), [""; 0], "nothing is sent");
    insta::assert_snapshot!(cli.transcript());
}
