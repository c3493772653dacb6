use crate::support::{Cli, Server};

#[test]
fn an_artifact_is_described_in_lines_and_as_json() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.run_with_input(["put", "notes.txt", "--meta", "Run=42"], b"0123456789");
    cli.run(["head", "notes.txt"]);
    cli.run(["head", "notes.txt", "--json"]);
    cli.run(["head", "nope"]);
    cli.run(["head", "nope", "--json"]);
    insta::assert_snapshot!(cli.transcript());
}
