//! `docs/writing-a-policy.md`, followed to the letter: the folder is made, tested and
//! built as the page says, and its policy tried and put in front of a store.

use std::{fs, path::Path, process::Command};

use crate::support::{Cli, Server};

/// The code blocks of a page, in order: language and text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((language.to_owned(), text.join("\n") + "\n"));
        }
    }
    blocks
}

/// A shell in which the program is on the path, and cargo asks no registry.
fn shell(cli: &Cli, folder: &Path, script: &str) -> Command {
    let mut shell = cli.isolated("sh", ["-ec", script]);
    shell.current_dir(folder);
    let program = Path::new(env!("CARGO_BIN_EXE_artifacts")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    shell.env("PATH", format!("{}:{path}", program.display()));
    // Where rustup and cargo keep what is installed is the outer user's.
    let home = std::env::var("HOME").unwrap_or_default();
    for (name, otherwise) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        let place = std::env::var(name).unwrap_or(format!("{home}/{otherwise}"));
        shell.env(name, place);
    }
    if let Ok(toolchain) = std::env::var("RUSTUP_TOOLCHAIN") {
        shell.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    shell.env("CARGO_NET_OFFLINE", "true");
    shell
}

#[test]
fn the_guide_can_be_followed() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let page = fs::read_to_string(workspace.join("docs/writing-a-policy.md")).unwrap();
    let blocks = blocks(&page);
    let languages: Vec<&str> = blocks.iter().map(|(language, _)| language.as_str()).collect();
    assert_eq!(languages, ["sh", "rust", "rust", "sh", "sh", "text", "toml", "sh"]);

    let server = Server::start();
    let mut cli = Cli::on(&server);
    let folder = cli.path("no-drafts");
    let (mut said, mut sources) = (String::new(), ["src/lib.rs", "src/main.rs"].into_iter());
    for (language, text) in &blocks {
        match language.as_str() {
            "sh" => {
                let at = if folder.exists() { folder.clone() } else { cli.path("") };
                // The target is there, or nothing here would have been built.
                let script = text.replace("rustup target add wasm32-unknown-unknown\n", "");
                let output = shell(&cli, &at, &script).output().unwrap();
                let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(output.status.success(), "{script}{stderr}");
                said = String::from_utf8(output.stdout).unwrap();
                // The versions that are there already; nothing is looked up anew.
                let lock = folder.join("Cargo.lock");
                if !lock.exists() {
                    fs::copy(workspace.join("Cargo.lock"), lock).unwrap();
                }
            }
            "rust" => {
                let source = fs::read_to_string(folder.join(sources.next().unwrap())).unwrap();
                assert!(source.contains(text.trim_end()), "not in the template:\n{text}");
            }
            "text" => assert!(said.starts_with(text.trim_end()), "the trial said:\n{said}"),
            _ => fs::write(folder.join("artifacts.toml"), text).unwrap(),
        }
    }
    // What the last commands were to show.
    let run = cli.run([
        "--config",
        "no-drafts/artifacts.toml",
        "put",
        "drafts/1",
        "no-drafts/Cargo.toml",
    ]);
    assert_eq!(run.stderr, "error: keys under drafts/ are not kept: drafts/1\n");
    let listed = cli.run(["list"]);
    assert_eq!(listed.text(), "notes/1\n");
}
