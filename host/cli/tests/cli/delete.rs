use crate::support::{Cli, Server};

#[test]
fn artifacts_are_deleted_and_a_second_time_is_fine() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    for key in ["a", "b", "-c"] {
        cli.run_with_input(["put", "--", key], b"x");
    }
    cli.transcript();
    cli.run(["delete", "a", "never-there"]);
    cli.run(["rm", "a", "--quiet"]);
    cli.run(["delete", "--json", "b", "--", "-c"]);
    cli.run(["list"]);
    cli.run(["delete"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn one_that_fails_does_not_hold_up_the_others() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.run_with_input(["put", "a"], b"x");
    cli.run_with_input(["put", "b"], b"x");
    cli.transcript();
    cli.run(["delete", "a", "../x", "b"]);
    cli.run(["delete", "--json", "../x", "b"]);
    cli.run(["list"]);
    insta::assert_snapshot!(cli.transcript());
}
