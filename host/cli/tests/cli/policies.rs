use artifact_guests::policies;

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

#[test]
fn what_is_granted_is_checked_with_its_place() {
    let mut cli = Cli::at("http://127.0.0.1:9");
    for line in [
        "keys = [\"[a\"]",
        "keys = []",
        "keys = \"*\"",
        "next-calls = 0",
        "wall-time-ms = -1",
        "digest = \"yes\"",
        "clock = 1",
        "log-per-second = 5000000000",
        "memory-bytes = 17000000",
        "memory-bytes = 5",
        "fuel = 0",
        "handles = 1.5",
        "on-failure = \"ignore\"",
        "wasi = true",
    ] {
        cli.write("artifacts.toml", format!("[[policy]]\nbundled = \"read-only\"\n{line}\n"));
        cli.run(["list"]);
    }
    cli.write("artifacts.toml", "[[filter]]\nname = \"pack\"\n");
    cli.run(["list"]);
    cli.write("artifacts.toml", "[[filter]]\nbundled = \"encrypt\"\n");
    cli.run(["list"]);
    cli.write("artifacts.toml", "[[filter]]\nfile = \"pack.wasm\"\ngrowth = 0\n");
    cli.run(["list"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn every_grant_and_limit_reaches_the_policy() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.write("file", "diff");
    let mut with = |lines: &str, args: &[&str]| {
        cli.write("artifacts.toml", format!("[[policy]]\nbundled = \"key-rules\"\n{lines}\n"));
        match args {
            [one] => cli.run([one]),
            [one, two] => cli.run([one, two]),
            [one, two, three, ..] => cli.run([one, two, three]),
            [] => unreachable!("a command"),
        };
    };
    with(
        "keys = [\"*/releases/**\"]\non-failure = \"closed\"\nclock = true\ndigest = true\n\
         wasi = \"empty\"\nlog-per-second = 10\nmemory-bytes = 8000000\nhostcall-bytes = 100000\nhandles = 8\n\
         fuel = 100000000\nnext-calls = 2\nwall-time-ms = 60000",
        &["put", "app/releases/1", "file"],
    );
    with("keys = [\"*/releases/**\"]", &["put", "app/drafts/1", "file"]);
    with("keys-under = \"app/\"", &["get", "lib/1"]);
    with("operations = [\"get\"]", &["list"]);
    with("fuel = 1", &["list"]);
    with("memory-bytes = 65536", &["list"]);
    with("handles = 1", &["put", "app/releases/2", "file"]);
    with("hostcall-bytes = 1", &["list"]);
    // What cannot run stands aside, where the file says so.
    with("hostcall-bytes = 1\non-failure = \"open\"", &["list"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn a_flag_says_which_policies_stand_in_front() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.write("file", "diff");
    cli.write("sub/theirs.wasm", policies::READ_ONLY);
    cli.write(
        "artifacts.toml",
        "[[policy]]\nfile = \"sub/theirs.wasm\"\noperations = [\"get\", \"list\"]\n\n\
         [[policy]]\nname = \"acme\"\nbundled = \"tenant\"\nsettings = { tenant = \"acme\" }\n\n\
         [[policy]]\nname = \"umbrella\"\nbundled = \"tenant\"\nsettings = { tenant = \"umbrella\" }\n",
    );
    // All of them; one by its name; one by its file, by another path to it.
    cli.run(["put", "a", "file"]);
    cli.run(["--policy", "acme", "put", "a", "file"]);
    cli.run(["--policy", "sub/../sub/theirs.wasm", "list"]);
    cli.run(["put", "a", "file", "--policy", "umbrella", "--policy", "acme"]);
    cli.run(["--policy", "sub/theirs.wasm", "list", "--policy", "acme"]);
    cli.run(["--policy", "sub/theirs.wasm", "list"]);
    // What is not clear, or not there.
    cli.run(["--policy", "tenant", "list"]);
    cli.run(["--policy", "nope", "list"]);
    cli.run(["--policy", "read-only", "list"]);
    cli.write("other.wasm", policies::READ_ONLY);
    cli.run(["--policy", "other.wasm", "list"]);
    cli.run(["--policy", "other.wasm", "list", "--json"]);
    std::fs::remove_file(cli.path("artifacts.toml")).unwrap();
    cli.run(["--policy", "other.wasm", "list"]);
    cli.write("conf/mine.toml", "");
    cli.run(["--policy", "other.wasm", "--config", "conf/mine.toml", "list"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn filters_of_the_file_stay_whatever_a_flag_says() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    let text = "the same line again\n".repeat(1000);
    cli.write("file.txt", &text);
    let key = "0123456789abcdef".repeat(4);
    let filters = format!(
        "[[filter]]\nbundled = \"gzip\"\noutput-bytes = 100000\n\n\
         [[policy]]\nbundled = \"key-rules\"\nsettings = {{ deny = \"*.exe\" }}\n\n\
         [[filter]]\nbundled = \"encrypt\"\nname = \"sealed\"\nmemory-bytes = 4000000\n\
         settings = {{ key = \"{key}\" }}\n\n\
         [[policy]]\nname = \"acme\"\nbundled = \"tenant\"\nsettings = {{ tenant = \"acme\" }}\n"
    );
    cli.write("artifacts.toml", filters);
    let config = cli.command(["config"]).output().unwrap();
    let config = String::from_utf8(config.stdout).unwrap();
    assert!(config.contains("gzip, key-rules, encrypt, tenant"), "{config}");
    assert!(!config.contains(&key), "{config}");
    let config = cli.command(["--policy", "acme", "config"]).output().unwrap();
    let config = String::from_utf8(config.stdout).unwrap();
    assert!(config.contains("gzip, encrypt, tenant"), "{config}");

    // Quiet: the etag is that of the encrypted bytes, and never the same twice.
    cli.run(["put", "a.txt", "file.txt", "--quiet"]);
    let read = cli.command(["--policy", "acme", "get", "a.txt"]).output().unwrap();
    assert!(read.stdout == text.as_bytes(), "{}", String::from_utf8_lossy(&read.stderr));
    cli.run(["put", "a.exe", "file.txt"]);
    cli.run(["get", "a.txt", "--range", "0-10"]);
    // Without them it is what it is stored as.
    std::fs::remove_file(cli.path("artifacts.toml")).unwrap();
    let stored = cli.command(["get", "acme/a.txt"]).output().unwrap().stdout;
    assert!(!stored.is_empty() && stored.len() < 1000, "{} bytes", stored.len());
    // A key that is none is not repeated.
    cli.write(
        "artifacts.toml",
        "[[filter]]\nbundled = \"encrypt\"\nsettings = { key = \"hunter2\" }\n",
    );
    cli.run(["put", "b", "file.txt"]);
    insta::assert_snapshot!(cli.transcript());
}
