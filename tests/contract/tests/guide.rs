//! `docs/writing-a-policy.md`, followed to the letter: the folder is written, built
//! by cargo as it stands there, and its policy put in front of a store.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use artifact_s3::MemoryS3;
use artifact_store::{ArtifactStore, ErrorKind, Policy, PolicyGrant};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// The code blocks of the guide, in order: language and text.
fn blocks(guide: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((language.to_owned(), text.join("\n") + "\n"));
        }
    }
    blocks
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Writes and builds what the guide says; gives the component.
fn build(folder: &Path) -> Vec<u8> {
    let guide = fs::read_to_string(workspace().join("docs/writing-a-policy.md")).unwrap();
    let blocks = blocks(&guide);
    let languages: Vec<&str> = blocks.iter().map(|(language, _)| language.as_str()).collect();
    assert_eq!(languages, ["toml", "toml", "rust", "sh", "toml"], "the guide has other blocks");
    for (path, (_, text)) in
        ["Cargo.toml", ".cargo/config.toml", "src/lib.rs"].into_iter().zip(&blocks)
    {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    copy(&workspace().join("wit"), &folder.join("wit"));
    // The versions that are there already; nothing is looked up anew.
    fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();

    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(folder).args(["build", "--release"]);
    // What the outer cargo and its user set is not the guide's.
    for name in ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
        cargo.env_remove(name);
    }
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(folder.join("target/wasm32-unknown-unknown/release/no_drafts.wasm")).unwrap()
}

#[tokio::test]
async fn the_policy_of_the_guide_is_built_and_refuses_drafts() {
    let folder = tempfile::tempdir().unwrap();
    let policy = Policy::from_bytes(build(folder.path())).grant(PolicyGrant::all());
    let builder = ArtifactStore::builder().bucket("bucket").client(MemoryS3::new());
    let store = builder.policy(policy).start().await.unwrap();
    let error = store.put("drafts/1", "v").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PolicyDenied);
    assert_eq!(error.to_string(), "drafts are not kept: drafts/1");
    store.put("notes/1", "v").await.unwrap();
    assert_eq!(store.get("notes/1").await.unwrap().bytes().await.unwrap(), "v");
}
