use std::{
    io,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::Spanned;

use crate::{
    environment::Environment,
    failure::Failure,
    settings::{FilterEntry, PolicyEntry},
};

/// The name that is looked for.
pub const FILE_NAME: &str = "artifacts.toml";

/// A configuration file that was read.
#[derive(Debug)]
pub struct ConfigFile {
    pub path: PathBuf,
    pub keys: Keys,
    text: String,
}

/// What a configuration file can say. A key that is not here is an error, so that
/// a slip of the pen never passes for a setting.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    pub bucket: Option<Spanned<String>>,
    pub prefix: Option<Spanned<String>>,
    pub endpoint: Option<Spanned<String>>,
    pub region: Option<Spanned<String>>,
    pub addressing: Option<Spanned<String>>,
    pub anonymous: Option<Spanned<bool>>,
    pub profile: Option<Spanned<String>>,
    pub timeout: Option<Spanned<String>>,
    pub part_size: Option<Spanned<String>>,
    pub parallel: Option<Spanned<usize>>,
    pub upload_checksum: Option<Spanned<String>>,
    pub component: Option<Spanned<String>>,
    pub no_cache: Option<Spanned<bool>>,
    // What stands in front of the store: policies and filters, as they meet a call.
    #[serde(default)]
    pub policy: Vec<Spanned<PolicyEntry>>,
    #[serde(default)]
    pub filter: Vec<Spanned<FilterEntry>>,
}

impl ConfigFile {
    /// Reads the file that `named` says, or else the first one that is found.
    pub fn find(named: Option<PathBuf>, env: &Environment) -> Result<Option<Self>, Failure> {
        if let Some(path) = named {
            let text = read(&path)?;
            return Self::parse(path, text).map(Some);
        }
        for path in Self::places(env) {
            match std::fs::metadata(&path) {
                Ok(_) => {
                    let text = read(&path)?;
                    return Self::parse(path, text).map(Some);
                }
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(unreadable(&path, error)),
            }
        }
        Ok(None)
    }

    /// Where a file is looked for, in order.
    pub fn places(env: &Environment) -> Vec<PathBuf> {
        let user = env.config_dir.as_ref().map(|dir| dir.join("artifacts").join(FILE_NAME));
        [Some(PathBuf::from(FILE_NAME)), user].into_iter().flatten().collect()
    }

    fn parse(path: PathBuf, text: String) -> Result<Self, Failure> {
        match toml::from_str(&text) {
            Ok(keys) => Ok(Self { path, keys, text }),
            Err(error) => {
                let line = error.span().map(|span| line_of(&text, span.start));
                Err(broken(&path, &text, line, error.message()))
            }
        }
    }

    /// The line that a value stands on, counted from 1.
    pub fn line<T>(&self, value: &Spanned<T>) -> usize {
        self.line_at(value.span().start)
    }

    /// The line of a place in the text, counted from 1.
    pub fn line_at(&self, offset: usize) -> usize {
        line_of(&self.text, offset)
    }

    /// A value that is understood by TOML but not by us.
    pub fn reject<T>(&self, value: &Spanned<T>, why: &str) -> Failure {
        broken(&self.path, &self.text, Some(self.line(value)), why)
    }

    /// A path in the file counts from the folder of the file.
    pub fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, error))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn unreadable(path: &Path, error: io::Error) -> Failure {
    Failure::config(format!("cannot read the configuration file {}", path.display()))
        .caused_by(error)
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&b| b == b'\n').count() + 1
}

/// File, line and key; never the value, which may be a secret in the wrong place.
fn broken(path: &Path, text: &str, line: Option<usize>, why: &str) -> Failure {
    let mut place = vec![path.display().to_string()];
    if let Some(line) = line {
        place[0] = format!("{}:{line}", place[0]);
        let content = text.lines().nth(line - 1).unwrap_or_default();
        place.extend(content.split_once('=').map(|(key, _)| key.trim().to_owned()));
    }
    // A parser's message may have several lines; an error has one.
    let why: Vec<&str> = why.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Failure::config(format!("{}: {}", place.join(": "), why.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ConfigFile, String> {
        ConfigFile::parse("dir/artifacts.toml".into(), text.to_owned())
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_value_knows_its_line() {
        let file = parse("# ours\nbucket = \"b\"\n\nanonymous = true\n").unwrap();
        assert_eq!(file.line(file.keys.bucket.as_ref().unwrap()), 2);
        assert_eq!(file.line(file.keys.anonymous.as_ref().unwrap()), 4);
        assert_eq!(file.resolve("store.wasm"), Path::new("dir/store.wasm"));
    }

    #[test]
    fn what_is_wrong_is_told_with_file_line_and_key() {
        for (text, place) in [
            ("bucket = \"b\"\nbuckett = \"c\"\n", "dir/artifacts.toml:2: buckett: unknown field"),
            ("bucket = 5\n", "dir/artifacts.toml:1: bucket: invalid type"),
            ("a\n\nbucket = \"b\n", "dir/artifacts.toml:1: "),
            ("bucket = \"a\"\nbucket = \"b\"\n", "dir/artifacts.toml:2: bucket: duplicate"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(place), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_secret_in_the_wrong_place_is_not_repeated() {
        let error = parse("secret-access-key = \"hunter2\"\n").unwrap_err();
        assert!(error.contains("secret-access-key") && !error.contains("hunter2"), "{error}");
    }
}
