use crate::support::{Cli, Server, Throttle};

fn stored(cli: &mut Cli) {
    cli.run_with_input(["put", "k"], b"0123456789");
    cli.transcript();
}

#[test]
fn standard_output_is_the_artifact_and_nothing_else() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    let bytes: Vec<u8> = (0..=255).collect();
    cli.run_with_input(["put", "bytes"], &bytes);
    for args in
        [vec!["get", "bytes"], vec!["get", "bytes", "-o", "-"], vec!["get", "bytes", "--json"]]
    {
        let output = cli.command(&args).output().unwrap();
        assert_eq!(output.stdout, bytes, "{args:?}");
        assert!(output.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn a_file_is_written_and_confirmed() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    stored(&mut cli);
    cli.run(["get", "k", "-o", "file"]);
    assert_eq!(cli.read("file"), b"0123456789");
    cli.run(["get", "k", "-o", "file", "--range", "0-3"]);
    assert_eq!(cli.read("file"), b"0123");
    cli.run(["get", "k", "-qo", "file"]);
    cli.run(["get", "k", "-o", "file", "--json"]);
    assert_eq!(cli.names(), ["file"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn a_large_artifact_comes_into_a_file_by_several_requests() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    // Where parts come quickly, one request reads them all.
    let throttle = Throttle::of_answers(&server.endpoint());
    cli.set("ARTIFACTS_ENDPOINT", &throttle.endpoint);
    let large: Vec<u8> = (0..40_000_000_u32).map(|n| (n * 7 / 3).to_le_bytes()[0]).collect();
    cli.run_with_input(["put", "large"], &large);
    let before = server.requests().len();
    assert_eq!(cli.run(["get", "large", "-o", "file"]).code, Some(0));
    assert!(cli.read("file") == large);
    assert_eq!(cli.names(), ["file"]);
    // The first 8 MiB are those of the first request; somebody else asked for the last.
    let requests = server.requests();
    assert!(requests.len() > before + 1, "{:?}", &requests[before..]);
}

#[test]
fn ranges_are_parts_of_the_artifact() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    stored(&mut cli);
    cli.run(["get", "k", "--range", "2-4"]);
    cli.run(["get", "k", "--range", "bytes=7-"]);
    cli.run(["get", "k", "--range", "-3"]);
    cli.run(["get", "k", "--range", "10-"]);
    cli.run(["get", "k", "--range", "4-2"]);
    cli.run(["get", "k", "--range", "some"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn conditions_hold_the_read_back() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    stored(&mut cli);
    // The etag of the artifact.
    let etag = "781e5e245d69b566979b86e28d23f2c7";
    cli.run(["get", "k", "--if-match", etag]);
    cli.run(["get", "k", "--if-match", "other"]);
    cli.run(["get", "k", "--if-none-match", etag]);
    cli.run(["get", "k", "--if-none-match", "other"]);
    cli.run(["get", "k", "--if-modified-since", "2001-02-03"]);
    cli.run(["get", "k", "--if-unmodified-since", "2001-02-03T04:05:06Z"]);
    cli.run(["get", "k", "--if-unmodified-since", "yesterday"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn what_is_not_there_is_told_without_the_prefix() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.run(["get", "nope"]);
    cli.run(["get", "nope", "--json"]);
    insta::assert_snapshot!(cli.transcript());
}
