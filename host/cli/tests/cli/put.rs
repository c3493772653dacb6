use std::process::Stdio;

use crate::support::{Cli, Server};

#[test]
fn a_large_file_goes_up_in_parts_of_the_size_that_is_set() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.write("large", vec![b'x'; 13 << 20]);
    cli.write("artifacts.toml", "part-size = \"6 MiB\"\nparallel = 2\n");
    assert_eq!(cli.run(["put", "k", "large", "--upload-checksum", "crc32c"]).code, Some(0));
    assert_eq!(server.requests(), ["PUT /test-bucket/asm/k"], "below the threshold");
    cli.write("large", vec![b'x'; 17 << 20]);
    assert_eq!(cli.run(["put", "k", "large"]).code, Some(0));
    let parts = server.requests().iter().filter(|line| line.contains("partNumber=")).count();
    assert_eq!(parts, 3);
    let head = cli.run(["head", "k"]);
    assert!(head.text().contains("size: 17825792"), "{}", head.text());
}

#[test]
fn a_file_is_stored_and_confirmed() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.write("patch.diff", "--- a\n+++ b\n");
    cli.run(["put", "patch-1", "patch.diff"]);
    cli.run(["put", "patch-1", "patch.diff", "--quiet"]);
    cli.run(["put", "patch-1", "patch.diff", "--json"]);
    cli.run(["get", "patch-1"]);
    insta::assert_snapshot!(cli.transcript());
    assert_eq!(server.requests()[0], "PUT /test-bucket/asm/patch-1");
}

#[test]
fn every_option_is_stored_and_comes_back() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.run_with_input(
        [
            "put",
            "k",
            "--content-type",
            "text/x-diff",
            "--content-encoding",
            "identity",
            "--content-disposition",
            "inline",
            "--content-language",
            "en",
            "--cache-control",
            "no-store",
            "--expires",
            "Wed, 21 Oct 2026 07:28:00 GMT",
            "--meta",
            "Owner=team a",
            "--meta",
            "build=7",
            "--checksum",
            "sha256",
            "--storage-class",
            "STANDARD",
        ],
        b"content",
    );
    cli.run(["head", "k"]);
    cli.run(["head", "k", "--json"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn conditions_hold_the_write_back() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.run_with_input(["put", "k", "--if-absent"], b"one");
    cli.run_with_input(["put", "k", "--if-absent"], b"two");
    cli.run_with_input(["put", "k", "--if-match", "0000"], b"three");
    // The etag of `one`.
    cli.run_with_input(["put", "k", "--if-match", "\"f97c5d29941bfb1b2fdab0874906ab82\""], b"four");
    let run = cli.run(["get", "k"]);
    assert_eq!(run.text(), "four");
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn the_content_type_is_guessed_from_the_name() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.write("page.html", "<p>");
    cli.write("noname", "x");
    for (args, expected) in [
        (["put", "a", "page.html"], Some("text/html")),
        (["put", "b.json", "noname"], Some("application/json")),
        (["put", "c.png", "-"], Some("image/png")),
        // What S3 takes where it is told nothing.
        (["put", "d", "-"], Some("binary/octet-stream")),
    ] {
        assert_eq!(cli.run(args).code, Some(0));
        let info = cli.run(["head", args[1], "--json"]).json();
        assert_eq!(info["content_type"].as_str(), expected, "{args:?}");
    }
}

#[test]
fn standard_input_is_stored_from_a_pipe_and_from_a_file() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    let large = vec![b'x'; 3_000_000];
    assert_eq!(cli.run_with_input(["put", "piped", "-"], &large).code, Some(0));
    assert_eq!(cli.run(["get", "piped"]).stdout, large);

    cli.write("large", &large);
    let file = std::fs::File::open(cli.path("large")).unwrap();
    let status = cli.command(["put", "redirected"]).stdin(Stdio::from(file)).status().unwrap();
    assert!(status.success());
    assert_eq!(cli.run(["get", "redirected"]).stdout, large);

    cli.transcript();
    cli.run_with_input(["put", "empty"], b"");
    cli.run(["head", "empty"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn odd_keys_are_kept_to_the_byte() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    let keys = ["a//b", "a b", "k?acl", "k#frag", "%2F", "ключ", "--", "-k", "a&b=c+d"];
    for key in keys {
        assert_eq!(cli.run_with_input(["put", "--", key, "-"], key.as_bytes()).code, Some(0));
        assert_eq!(cli.run(["get", "--", key]).text(), key);
    }
    let listed = cli.run(["list"]);
    let mut sorted = keys;
    sorted.sort_unstable();
    assert_eq!(listed.text().lines().collect::<Vec<_>>(), sorted);
}

#[test]
fn verbose_tells_of_calls_and_requests() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    let run = cli.run_with_input(["put", "k", "-v"], b"x");
    assert!(run.stderr.contains("operation=PutObject"), "{}", run.stderr);
    assert!(
        run.stderr.contains("artifact_store.call{operation=\"put\" key=\"k\""),
        "{}",
        run.stderr
    );
    assert!(run.stdout.is_empty());
    // `transcript` looks for the secret.
    cli.run_with_input(["put", "k", "-vvv"], b"x");
    assert!(cli.transcript().contains("status=200"));
}
