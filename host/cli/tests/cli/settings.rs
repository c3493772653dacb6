use crate::support::{Cli, Server};

#[test]
fn config_shows_every_setting_and_where_it_comes_from() {
    let mut cli = Cli::new();
    cli.set("AWS_ACCESS_KEY_ID", "id");
    cli.set("AWS_SECRET_ACCESS_KEY", "hunter2");
    cli.set("AWS_REGION", "eu-west-1");
    cli.set("ARTIFACTS_PREFIX", "from-env/");
    cli.write(
        "artifacts.toml",
        "# ours\nbucket = \"from-file\"\nprefix = \"from-file/\"\n\nendpoint = \"http://s3.test\"\n\
         addressing = \"virtual-host\"\ntimeout = \"5m\"\ncomponent = \"mine.wasm\"\n",
    );
    cli.run(["config", "--bucket", "from-flag"]);
    cli.run(["config", "--bucket", "from-flag", "--json"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn config_shows_the_defaults_and_what_is_missing() {
    let mut cli = Cli::new();
    cli.run(["config"]);
    cli.run(["config", "--endpoint", "http://127.0.0.1:9", "--anonymous"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn a_profile_that_is_named_signs_whatever_keys_the_environment_holds() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    let profile = "[prod]\naws_access_key_id = other\naws_secret_access_key = hunter2\n";
    cli.write_home(".aws/credentials", profile);
    cli.run_with_input(["put", "k"], b"1");
    let refused = |cli: &mut Cli, args: [&str; 4]| {
        let run = cli.run(args);
        assert!(run.stderr.contains("access denied"), "{}", run.stderr);
    };
    refused(&mut cli, ["get", "k", "--profile", "prod"]);
    // Which AWS's own variable does not do.
    cli.set("AWS_PROFILE", "prod");
    assert_eq!(cli.run(["get", "k"]).text(), "1");
    cli.set("ARTIFACTS_PROFILE", "prod");
    refused(&mut cli, ["get", "k", "--output", "-"]);
}

#[test]
fn a_password_in_an_endpoint_is_not_shown() {
    let mut cli = Cli::new();
    cli.run(["config", "--endpoint", "http://me:hunter2@127.0.0.1:9"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn a_file_is_found_in_the_folder_then_in_the_users_configuration() {
    let mut cli = Cli::new();
    let bucket = |cli: &mut Cli, args: [&str; 4]| {
        let config = cli.run(args).json();
        config["bucket"]["value"].as_str().unwrap().to_owned()
    };
    let plain = ["config", "--json", "--region", "x"];
    cli.write_home(".config/artifacts/artifacts.toml", "bucket = \"of-the-user\"\n");
    assert_eq!(bucket(&mut cli, plain), "of-the-user");
    cli.write("artifacts.toml", "bucket = \"of-the-folder\"\n");
    assert_eq!(bucket(&mut cli, plain), "of-the-folder");
    cli.write("other.toml", "bucket = \"named\"\nregion = \"x\"\n");
    cli.set("ARTIFACTS_CONFIG", "other.toml");
    assert_eq!(bucket(&mut cli, plain), "named");
    cli.write("flag.toml", "bucket = \"flagged\"\nregion = \"x\"\n");
    assert_eq!(bucket(&mut cli, ["config", "--json", "--config", "flag.toml"]), "flagged");
}

#[test]
fn a_setting_from_a_file_reaches_the_store() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.unset("ARTIFACTS_BUCKET");
    cli.unset("ARTIFACTS_ENDPOINT");
    cli.write(
        "artifacts.toml",
        format!(
            "bucket = \"test-bucket\"\nprefix = \"unused/\"\nendpoint = {:?}\nregion = \"eu-west-1\"\n",
            server.endpoint()
        ),
    );
    assert_eq!(cli.run_with_input(["put", "k"], b"x").code, Some(0));
    // The environment's prefix stands over the file's.
    assert_eq!(server.requests(), ["PUT /test-bucket/asm/k"]);
}
