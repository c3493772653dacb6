use artifact_guests::{filters, policies};

use crate::support::Cli;

/// A component that exports a store of no functions, and imports what `imports` says.
fn component(imports: &str) -> Vec<u8> {
    let text = format!(
        r#"(component {imports} (instance $s) (export "agent:artifacts/store@0.2.0" (instance $s)))"#
    );
    wat::parse_str(text).unwrap()
}

#[test]
fn a_policy_is_told_from_a_greedy_one() {
    let mut cli = Cli::new();
    cli.write("good.wasm", policies::TENANT);
    cli.write("greedy.wasm", component(r#"(import "wasi:http/types@0.2.0" (instance))"#));
    cli.write("thief.wasm", component(r#"(import "agent:artifacts/s3@0.2.0" (instance))"#));
    let good = cli.run(["policy", "check", "good.wasm"]);
    assert_eq!(good.code, Some(0));
    for file in ["greedy.wasm", "thief.wasm"] {
        assert_eq!(cli.run(["policy", "check", file]).code, Some(1), "{file}");
    }
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn what_a_policy_needs_is_granted_by_the_file_or_by_flags() {
    let mut cli = Cli::new();
    cli.write("bin/digest.wasm", policies::CONTENT_ADDRESSED);
    assert_eq!(cli.run(["policy", "check", "bin/digest.wasm"]).code, Some(1));
    assert_eq!(cli.run(["policy", "check", "bin/digest.wasm", "--digest"]).code, Some(0));
    cli.write("wasi.wasm", component(r#"(import "wasi:io/poll@0.2.6" (instance))"#));
    cli.run(["policy", "check", "wasi.wasm", "--wasi", "empty"]);
    let entry = "[[policy]]\nfile = \"bin/../bin/digest.wasm\"\noperations = [\"put\"]\n";
    cli.write("artifacts.toml", entry);
    assert_eq!(cli.run(["policy", "check", "bin/digest.wasm"]).code, Some(1));
    cli.write("granted.toml", format!("{entry}digest = true\n"));
    let granted = ["policy", "check", "bin/digest.wasm", "--config", "granted.toml"];
    assert_eq!(cli.run(granted).code, Some(0));
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn a_filter_is_checked_as_its_entry_has_it() {
    let mut cli = Cli::new();
    cli.write("pack.wasm", filters::GZIP);
    cli.run(["policy", "check", "pack.wasm"]);
    let entry = "[[filter]]\nfile = \"pack.wasm\"\n";
    cli.write("artifacts.toml", format!("{entry}growth = 100\n\n{entry}name = \"again\"\n"));
    assert_eq!(cli.run(["policy", "check", "pack.wasm"]).code, Some(0));
    cli.write("small.toml", format!("{entry}memory-bytes = 65536\n"));
    let small = ["policy", "check", "pack.wasm", "--config", "small.toml"];
    let small = cli.command(small).output().unwrap();
    assert_eq!(small.status.code(), Some(1));
    let stderr = String::from_utf8(small.stderr).unwrap();
    assert!(stderr.contains("over its limit of bytes of memory: allowed 65536"), "{stderr}");
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn json_says_the_same() {
    let mut cli = Cli::new();
    cli.write("digest.wasm", policies::CONTENT_ADDRESSED);
    let run = cli.run(["policy", "check", "digest.wasm", "--json"]);
    assert_eq!(run.code, Some(1));
    let report = run.json();
    assert_eq!(report["kind"], "component");
    assert_eq!(report["size"], policies::CONTENT_ADDRESSED.len());
    assert_eq!(report["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(report["worlds"], serde_json::json!(["policy"]));
    assert_eq!(report["exports"], serde_json::json!(["agent:artifacts/store@0.2.0"]));
    assert_eq!(
        report["needs"],
        serde_json::json!([
            { "import": "agent:artifacts/digest", "setting": "digest = true", "granted": false }
        ])
    );
    assert_eq!((&report["configured"], &report["fits"]), (&false.into(), &false.into()));
    assert!(run.stderr.contains("PolicyGrant::digest(true)"), "{}", run.stderr);
    let run = cli.run(["policy", "check", "digest.wasm", "--digest", "--json"]);
    assert_eq!((run.code, &run.json()["fits"]), (Some(0), &true.into()));
}

#[test]
fn what_is_no_policy_is_told() {
    let mut cli = Cli::new();
    cli.write("text", "no wasm");
    cli.write("policy.wat", "(component)");
    cli.write("module.wasm", b"\0asm\x01\0\0\0");
    cli.write("empty.wasm", b"\0asm\x0d\0\x01\0");
    cli.write("shapeless.wasm", component(""));
    let broken = component("");
    cli.write("broken.wasm", &broken[..broken.len() - 1]);
    for file in [
        "no.wasm",
        "text",
        "policy.wat",
        "module.wasm",
        "empty.wasm",
        "shapeless.wasm",
        "broken.wasm",
    ] {
        assert_eq!(cli.run(["policy", "check", file]).code, Some(1), "{file}");
    }
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn compiled_code_is_kept_in_the_users_cache_unless_that_is_not_wanted() {
    let mut cli = Cli::new();
    cli.write("good.wasm", policies::TENANT);
    let dir = cli.home(".cache/artifacts/components");
    cli.run(["policy", "check", "good.wasm", "--no-cache"]);
    cli.set("ARTIFACTS_NO_CACHE", "true");
    cli.run(["policy", "check", "good.wasm"]);
    assert!(!dir.exists());
    cli.unset("ARTIFACTS_NO_CACHE");
    if cfg!(not(unix)) {
        return;
    }
    let files = || std::fs::read_dir(&dir).unwrap().count();
    assert_eq!(cli.run(["policy", "check", "good.wasm"]).code, Some(0));
    // The policy, and the store component that comes with the program.
    assert_eq!(files(), 2);
    assert_eq!(cli.run(["policy", "check", "good.wasm"]).code, Some(0));
    assert_eq!(files(), 2);
    for entry in std::fs::read_dir(&dir).unwrap() {
        std::fs::write(entry.unwrap().path(), "damaged").unwrap();
    }
    assert_eq!(cli.run(["policy", "check", "good.wasm"]).code, Some(0));
    let whole =
        |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().metadata().unwrap().len() > 1000;
    assert!(std::fs::read_dir(&dir).unwrap().all(whole));
}
