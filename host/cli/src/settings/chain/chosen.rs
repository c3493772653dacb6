use std::{fs, path::Path};

use super::policy::{Bundled, PolicyEntry};
use crate::{
    config_file::{ConfigFile, FILE_NAME},
    failure::Failure,
};

/// The one entry that `wanted` names, if there is one: by its name, by the name of
/// the bundled policy, or by its file.
pub fn find<'a>(
    wanted: &Path,
    entries: &[&'a PolicyEntry],
) -> Result<Option<&'a PolicyEntry>, Failure> {
    let mut called = entries.iter().copied().filter(|entry| entry.is_called(wanted));
    match (called.next(), called.next()) {
        (Some(_), Some(_)) => Err(Failure::usage(format!(
            "several [[policy]] entries are {}: give each a `name`, and say which",
            wanted.display()
        ))),
        (first, _) => Ok(first),
    }
}

/// The one entry that `wanted` names. Without one nothing is granted.
pub fn required<'a>(
    wanted: &Path,
    entries: &[&'a PolicyEntry],
    file: Option<&ConfigFile>,
) -> Result<&'a PolicyEntry, Failure> {
    match find(wanted, entries)? {
        Some(entry) => Ok(entry),
        None => Err(missing(wanted, file)),
    }
}

fn missing(wanted: &Path, file: Option<&ConfigFile>) -> Failure {
    let place = file.map_or(Path::new(FILE_NAME), |file| &file.path);
    let (shown, at) = (wanted.display(), place.display());
    let entry = if Bundled::named(wanted.as_os_str()).is_some() {
        format!("bundled = \"{shown}\"")
    } else if wanted.is_file() {
        let path = toml::Value::from(beside(place, wanted).display().to_string());
        format!(
            "file = {path}\noperations = [\"put\", \"get\", \"head\", \"delete\", \"list\"] # only those that it may call"
        )
    } else {
        return Failure::usage(format!(
            "no policy is {shown}: there is no such file, and no [[policy]] of this name in {at}"
        ));
    };
    let error =
        format!("no [[policy]] in {at} is {shown}, and what is not granted there is denied");
    Failure::usage(error).advised(format!(
        "add an entry such as this; without --policy, it then stands in front of every call:\n\n[[policy]]\n{entry}"
    ))
}

/// The path as the configuration file has to say it.
fn beside(place: &Path, wanted: &Path) -> std::path::PathBuf {
    if place.parent().is_none_or(|folder| folder.as_os_str().is_empty()) {
        return wanted.to_owned();
    }
    fs::canonicalize(wanted).unwrap_or_else(|_| wanted.to_owned())
}
