//! What a cache keeps, and what it does not believe.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{CodeCache, Compiler, answer, compile, component, set_mode};

fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Compiles with a cache in `dir`; the one file that is then there.
fn compile_into(dir: &Path) -> PathBuf {
    let compiler = Compiler::default().cache(CodeCache::new(dir));
    assert_eq!(answer(&compile(&compiler, component()).unwrap()), 7);
    let files = files(dir);
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

/// Compiles from the cache in `dir` alone: no other compiler is there.
fn is_found(dir: &Path) -> bool {
    let compiler = Compiler::program("no/such/compiler").cache(CodeCache::new(dir));
    compile(&compiler, component()).is_ok_and(|component| answer(&component) == 7)
}

pub(crate) fn kept() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("new/components");
    assert!(!is_found(&dir));
    compile_into(&dir);
    assert_eq!(is_found(&dir), cfg!(unix));
}

pub(crate) fn damaged() {
    let dir = tempfile::tempdir().unwrap();
    let file = compile_into(dir.path());
    let whole = fs::read(&file).unwrap();
    for at in [0, 20, 60, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&file, &bytes).unwrap();
        assert!(!is_found(dir.path()), "{at}");
        fs::write(&file, &whole[..at]).unwrap();
        assert!(!is_found(dir.path()), "{at}");
    }
    assert_eq!(compile_into(dir.path()), file);
    assert!(is_found(dir.path()));
}

pub(crate) fn writable() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("components");
    let file = compile_into(&dir);
    set_mode(&file, 0o660);
    assert!(!is_found(&dir));
    set_mode(&file, 0o600);
    set_mode(&dir, 0o777);
    assert!(!is_found(&dir));
    set_mode(&dir, 0o700);
    assert!(is_found(&dir));
    // A link to the very same bytes, which somebody else could change.
    let elsewhere = dir.with_file_name("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    assert!(!is_found(&dir));
}

pub(crate) fn private() {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("components");
        let file = compile_into(&dir);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(&file)), (0o700, 0o600));
    }
}

pub(crate) fn evicted() {
    if cfg!(not(unix)) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let size = fs::metadata(compile_into(dir.path())).unwrap().len();
    fs::write(dir.path().join("not-ours"), [0; 100]).unwrap();
    let compiler = Compiler::default().cache(CodeCache::new(dir.path()).max_bytes(size * 5 / 2));
    let other = |bytes: &[u8]| {
        let text = format!("(component (core module (data \"{}\")))", bytes.escape_ascii());
        compile(&compiler, wat::parse_str(text).unwrap()).unwrap();
    };
    // The first one was used long ago, until it is used again.
    let first = files(dir.path()).into_iter().find(|path| path.extension().is_some()).unwrap();
    let long_ago = SystemTime::now() - Duration::from_hours(1);
    fs::File::open(&first).unwrap().set_modified(long_ago).unwrap();
    assert!(is_found(dir.path()));
    let touched = fs::metadata(&first).unwrap().modified().unwrap();
    assert!(touched > long_ago + Duration::from_mins(30), "{touched:?}");
    fs::File::open(&first).unwrap().set_modified(long_ago).unwrap();
    for text in [b"a", b"b", b"c", b"d"] {
        other(text);
    }
    assert!(!first.exists());
    let total: u64 = files(dir.path())
        .iter()
        .filter(|path| path.extension().is_some())
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    assert!(total <= size * 5 / 2, "{total}");
    assert!(dir.path().join("not-ours").exists());
}
