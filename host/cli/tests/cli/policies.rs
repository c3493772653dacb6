use crate::support::{Cli, Server};

#[test]
fn policies_of_the_file_stand_in_front_of_the_store_in_order() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.write("small", "diff");
    cli.write("large", [0; 2000]);
    cli.write(
        "artifacts.toml",
        "[[policy]]\nbundled = \"key-rules\"\nsettings = { deny = \"**.exe\", max-bytes = \"1000\" }\n\n\
         [[policy]]\nbundled = \"tenant\"\nname = \"acme\"\nsettings = { tenant = \"acme\" }\n\
         next-calls = 4\nwall-time-ms = 60000\n",
    );
    cli.run(["put", "runs/1", "small"]);
    cli.run(["put", "setup.exe", "small"]);
    cli.run(["put", "large", "large"]);
    cli.run(["list"]);
    cli.run(["get", "nope"]);
    // What the store holds, without the policies; and what a reader may do.
    cli.write("artifacts.toml", "[[policy]]\nbundled = \"read-only\"\n");
    cli.run(["list"]);
    cli.run(["delete", "acme/runs/1"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn artifacts_are_kept_under_their_digest_until_a_date() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.write("small", "diff");
    cli.write(
        "artifacts.toml",
        "[[policy]]\nbundled = \"audit\"\n\n\
         [[policy]]\nbundled = \"content-addressed\"\nsettings = { mode = \"assign\" }\n\n\
         [[policy]]\nbundled = \"retention\"\nsettings = { keep-until = \"2999-12-31\" }\n",
    );
    cli.run(["put", "patches/{sha256}.patch", "small"]);
    cli.run(["list"]);
    cli.run(["put", "patches/{sha256}.patch", "small"]);
    cli.run(["put", "patches/fix.patch", "small"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn a_policy_that_cannot_be_run_is_told() {
    let mut cli = Cli::at("http://127.0.0.1:9");
    let mut with = |text: &str| {
        cli.write("artifacts.toml", text);
        cli.run(["list"]);
    };
    with("[[policy]]\nname = \"nameless\"\n");
    with("[[policy]]\nbundled = \"tenant\"\n");
    with("[[policy]]\nbundled = \"retention\"\n");
    with("[[policy]]\nbundled = \"retention\"\nclock = false\nsettings = { keep-for = \"1d\" }\n");
    with("[[policy]]\nfile = \"theirs.wasm\"\n");
    with("[[policy]]\nfile = \"theirs.wasm\"\noperations = [\"list\"]\n");
    with("[[policy]]\nfile = \"artifacts.toml\"\noperations = [\"list\"]\n");
    with("[[policy]]\nfile = \"theirs.wasm\"\noperations = [\"format\"]\n");
    insta::assert_snapshot!(cli.transcript());
}
