use artifact_guests::policies;

use crate::support::Cli;

#[test]
fn a_trial_shows_what_a_policy_asks_for() {
    let mut cli = Cli::new();
    cli.write("tenant.wasm", policies::TENANT);
    cli.write("file.txt", "diff");
    cli.run([
        "policy",
        "run",
        "tenant.wasm",
        "--set",
        "tenant=acme",
        "--with",
        "other/x=file.txt",
        "put",
        "notes/1",
        "file.txt",
        "--meta",
        "a=b",
        "then",
        "get",
        "notes/1",
        "--range",
        "0-1",
        "then",
        "list",
        "then",
        "delete",
        "notes/1",
        "then",
        "head",
        "notes/1",
        "then",
        "get",
        "../x",
    ]);
    cli.run([
        "policy",
        "run",
        "tenant.wasm",
        "--operations",
        "put",
        "--set",
        "tenant=acme",
        "list",
    ]);
    cli.run([
        "policy",
        "run",
        "tenant.wasm",
        "--keys-under",
        "other/",
        "--set",
        "tenant=acme",
        "put",
        "k",
        "file.txt",
        "--json",
    ]);
    cli.run(["--json", "policy", "run", "tenant.wasm", "--set", "tenant=acme", "get", "k"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn a_trial_takes_the_grant_of_the_file_and_bundled_policies() {
    let mut cli = Cli::new();
    cli.write("mine.wasm", policies::KEY_RULES);
    cli.write("file", "diff");
    cli.write(
        "artifacts.toml",
        "[[policy]]\nfile = \"mine.wasm\"\nname = \"mine\"\noperations = [\"put\"]\n\
         keys = [\"a/**\"]\nlog-per-second = 5\nsettings = { deny = \"**.exe\" }\n",
    );
    cli.run(["policy", "run", "mine", "put", "a/x.exe", "file", "then", "put", "a/x", "file"]);
    cli.run(["policy", "run", "./mine.wasm", "put", "b/x", "file"]);
    cli.run(["policy", "run", "key-rules", "--set", "deny=**.exe", "put", "x.exe", "file"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn a_trial_that_cannot_be_made_is_told() {
    let mut cli = Cli::new();
    cli.write("mine.wasm", policies::READ_ONLY);
    cli.run(["policy", "run", "mine.wasm"]);
    cli.run(["policy", "run", "mine.wasm", "frobnicate"]);
    cli.run(["policy", "run", "mine.wasm", "list", "then"]);
    cli.run(["policy", "run", "mine.wasm", "put", "k", "nope"]);
    cli.run(["policy", "run", "mine.wasm", "--with", "k=nope", "list"]);
    cli.run(["policy", "run", "mine.wasm", "--with", "a/../b=mine.wasm", "list"]);
    cli.run(["policy", "run", "nope.wasm", "list"]);
    cli.run(["policy", "run", "tenant", "list"]);
    insta::assert_snapshot!(cli.transcript());
}
