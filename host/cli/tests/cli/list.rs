use crate::support::{Cli, Server};

fn filled(server: &Server) -> Cli {
    let mut cli = Cli::on(server);
    for (key, bytes) in
        [("a", "1"), ("dir/one", "22"), ("dir/two", "333"), ("z with space", "0123456789")]
    {
        cli.run_with_input(["put", key], bytes.as_bytes());
    }
    // Outside the store's prefix.
    cli.run_with_input(["put", "secret", "--prefix", "other/"], b"x");
    cli.transcript();
    cli
}

#[test]
fn keys_are_listed_one_a_line() {
    let server = Server::start();
    let mut cli = filled(&server);
    cli.run(["list"]);
    cli.run(["ls", "dir/"]);
    cli.run(["list", "nothing"]);
    cli.run(["list", "--delimiter", "/"]);
    cli.run(["list", "--limit", "2"]);
    cli.run(["list", "--start-after", "dir/one"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn the_long_form_adds_size_date_and_etag_in_columns() {
    let server = Server::start();
    let mut cli = filled(&server);
    cli.run(["list", "-l"]);
    cli.run(["list", "-l", "--delimiter", "/"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn json_is_one_object_a_line() {
    let server = Server::start();
    let mut cli = filled(&server);
    cli.run(["list", "--json", "--delimiter", "/"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn all_pages_are_listed_and_a_limit_counts_over_all() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    let keys: Vec<String> = (0..1005).map(|n| format!("k{n:04}")).collect();
    server.fill(&keys);
    let listed = cli.run(["list"]);
    assert_eq!(listed.text().lines().collect::<Vec<_>>(), keys);
    let listed = cli.run(["list", "--limit", "1003"]);
    assert_eq!(listed.text().lines().count(), 1003);
    assert_eq!(cli.run(["list", "--limit", "0"]).code, Some(2));
}
