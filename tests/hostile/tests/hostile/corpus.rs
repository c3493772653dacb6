//! What the targets in `fuzz/` begin with, and what they have found: played back. Each
//! input gives an answer or an error, and after all of them the sandbox serves.

use std::{fs, path::PathBuf};

use artifact_store::Operation::Head;

use crate::support::{fuzzed, store};

/// The inputs of a target, by the names of their files.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files.into_iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect()
}

async fn played(target: &'static str, fuzzed: fn(&[u8])) {
    // A runtime of their own drives them.
    let play = move || {
        for (file, bytes) in corpus(target) {
            let outcome = std::panic::catch_unwind(|| fuzzed(&bytes));
            assert!(outcome.is_ok(), "{}", file.display());
        }
    };
    tokio::task::spawn_blocking(play).await.unwrap();
    store("").await.serves_on(Head).await;
}

#[tokio::test]
async fn any_bytes() {
    played("load", fuzzed::load).await;
}

#[tokio::test]
async fn modules_that_were_made_up() {
    played("smith", fuzzed::smith).await;
}
