use std::{fs, io, path::Path};

use serde_json::json;

use crate::{
    args::NewArgs,
    failure::Failure,
    output::{Output, printable},
};

/// What the policy of the template is called.
const TEMPLATE: &str = "my-policy";

macro_rules! template {
    ($($path:literal)*) => { [$(($path, include_str!(concat!("../../../templates/policy/", $path)))),*] };
}

macro_rules! contract {
    ($($path:literal)*) => { [$(($path, include_str!(concat!("../../../../../", $path)))),*] };
}

const FILES: [(&str, &str); 6] = template![
    "Cargo.toml" ".cargo/config.toml" ".gitignore" "README.md" "src/lib.rs" "src/main.rs"
];

/// The WIT package, with what it depends on.
const CONTRACT: [(&str, &str); 11] = contract![
    "wit/clock.wit" "wit/content.wit" "wit/digest.wit" "wit/filter.wit" "wit/log.wit" "wit/objects.wit" "wit/s3.wit"
    "wit/store.wit" "wit/types.wit" "wit/worlds.wit" "wit/deps/wasi-config/store.wit"
];

/// Writes a folder that builds a policy with plain cargo.
pub fn run(args: &NewArgs, output: &Output) -> Result<(), Failure> {
    let folder = &args.folder;
    let name = name(folder)?;
    make(folder).map_err(|error| Failure::output(folder, error))?;
    for (path, text) in FILES.iter().chain(&CONTRACT) {
        let file = folder.join(path);
        write(&file, &text.replace(TEMPLATE, name))
            .map_err(|error| Failure::output(&file, error))?;
    }
    let shown = folder.display().to_string();
    if output.json {
        return output.json(&json!({ "name": name, "folder": shown }));
    }
    output
        .say(&printable(&format!("wrote the policy {name} into {shown}: its README says how on")));
    Ok(())
}

/// The last part of the path, as far as cargo takes it as a package's name.
fn name(folder: &Path) -> Result<&str, Failure> {
    // Binaries of these names would be in the way of cargo's own folders.
    const TAKEN: [&str; 4] = ["build", "deps", "examples", "incremental"];
    let sound = |name: &&str| {
        let first = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        first && name.bytes().all(rest) && name.len() <= 64 && !TAKEN.contains(name)
    };
    folder.file_name().and_then(|name| name.to_str()).filter(sound).ok_or_else(|| {
        Failure::usage(format!(
            "{:?} is no name for a policy: take 1 to 64 of a-z, 0-9, `-` and `_`, a letter first",
            folder.display().to_string()
        ))
    })
}

/// Makes the folder; what is there already is not touched.
fn make(folder: &Path) -> io::Result<()> {
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above)?;
    }
    fs::create_dir(folder)
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(Path::new("")))?;
    fs::write(file, text)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::PathBuf};

    use super::*;

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn the_whole_contract_and_the_whole_template_are_written() {
        let cli = Path::new(env!("CARGO_MANIFEST_DIR"));
        let workspace = cli.ancestors().nth(2).unwrap();
        for (embedded, root, under) in [
            (&FILES[..], cli.join("templates/policy"), ""),
            (&CONTRACT[..], workspace.to_owned(), "wit"),
        ] {
            let embedded: BTreeSet<_> =
                embedded.iter().map(|(path, _)| PathBuf::from(path)).collect();
            let there = files(&root.join(under)).into_iter();
            let there: BTreeSet<_> = there
                .map(|path| path.strip_prefix(&root).unwrap().to_owned())
                .filter(|path| !path.starts_with("wit/released"))
                .collect();
            assert_eq!(embedded, there);
        }
    }

    #[test]
    fn names_are_those_that_cargo_takes() {
        assert_eq!(name(Path::new("a/b/no-drafts_2")).unwrap(), "no-drafts_2");
        for wrong in ["", ".", "..", "/", "2x", "-x", "No", "a b", "ü", "deps", "x.y", "a/.."] {
            assert!(name(Path::new(wrong)).is_err(), "{wrong}");
        }
    }
}
