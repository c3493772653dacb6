use crate::support::Cli;

#[test]
fn a_folder_is_written_and_nothing_is_overwritten() {
    let mut cli = Cli::new();
    cli.run(["policy", "new", "sub/no-drafts"]);
    cli.run(["policy", "new", "json", "--json"]);
    let manifest = String::from_utf8(cli.read("sub/no-drafts/Cargo.toml")).unwrap();
    assert!(manifest.contains("name = \"no-drafts\""), "{manifest}");
    let readme = String::from_utf8(cli.read("sub/no-drafts/README.md")).unwrap();
    assert!(readme.contains("release/no-drafts.wasm"), "{readme}");
    cli.run(["policy", "new", "sub/no-drafts"]);
    cli.write("file", "");
    cli.run(["policy", "new", "file"]);
    cli.run(["policy", "new", "file/below"]);
    cli.run(["policy", "new", "No Drafts"]);
    cli.run(["policy", "new", ".."]);
    cli.run(["policy", "new"]);
    assert_eq!(cli.names(), ["file", "json", "sub"]);
    insta::assert_snapshot!(cli.transcript());
}
