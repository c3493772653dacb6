use crate::support::{Cli, Server};

#[test]
fn each_outcome_has_its_exit_code() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.run_with_input(["put", "k"], b"x");
    for (args, code) in [
        (vec!["get", "k"], 0),
        (vec!["get", "k", "--bucket", "no-such-bucket"], 1),
        (vec!["get", "../k"], 1),
        (vec!["get"], 2),
        (vec!["get", "k", "--no-such-flag"], 2),
        (vec!["get", "k", "--path-style", "--virtual-host"], 2),
        (vec!["get", "nope"], 3),
        (vec!["head", "nope"], 3),
        (vec!["get", "k", "--if-match", "other"], 4),
        (vec!["put", "k", "/dev/null", "--if-absent"], 4),
    ] {
        let status = cli.command(&args).status().unwrap();
        assert_eq!(status.code(), Some(code), "{args:?}");
    }
}

#[test]
fn a_wrong_command_line_is_told_as_text_and_as_json() {
    let mut cli = Cli::new();
    cli.run(["get"]);
    cli.run(["fetch", "k"]);
    cli.run(["put", "k", "f", "--meta", "novalue"]);
    cli.run(["put", "k", "f", "--kms-key", "id"]);
    cli.run(["get", "k", "--timeout", "soon", "--json"]);
    cli.run(["get", "--json"]);
    cli.run(["get", "--", "--json", "-x"]);
    insta::assert_snapshot!(cli.transcript());
}
