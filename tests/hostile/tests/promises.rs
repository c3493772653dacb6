//! SECURITY.md names the test that holds each promise: all of them are there.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

#[test]
fn every_promise_names_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let security = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let promises = security.split("## Promises").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut sources = String::new();
    for folder in ["tests", "host", "guest"] {
        read_all(&root.join(folder), &mut sources);
    }
    let mut named = 0;
    for row in promises.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let mut tests =
            row.split('`').skip(1).step_by(2).filter(|name| is_function(name)).peekable();
        assert!(tests.peek().is_some(), "no test is named: {row}");
        for test in tests {
            assert!(sources.contains(&format!("fn {test}(")), "there is no test `{test}`");
            named += 1;
        }
    }
    assert!(named > 40, "{named}");
}

/// A test, and no path, setting or type.
fn is_function(name: &str) -> bool {
    !name.contains(['.', '/'])
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn read_all(folder: &Path, sources: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
