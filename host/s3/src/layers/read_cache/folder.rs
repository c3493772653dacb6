use std::{
    ffi::OsStr,
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};

use super::entry::Entry;
use crate::{Bucket, ObjectKey};

/// How the names of files begin that are being written.
const TEMPORARY: &str = "writing-";

/// How the names of files end that are whole.
const EXTENSION: &str = "object";

/// What was being written for so long belongs to a process that is gone.
const ABANDONED: Duration = Duration::from_hours(24);

/// Files of a bounded total size.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    max_bytes: u64,
    /// Bytes added since the folder was last looked through.
    added: Mutex<u64>,
}

impl Folder {
    pub(super) fn open(path: PathBuf, max_bytes: u64) -> io::Result<Self> {
        let folder = Self { path, max_bytes, added: Mutex::new(0) };
        let opened = create(&folder.path)
            .and_then(|()| check_owner(&folder.path, &folder.temporary()?))
            .and_then(|()| folder.make_room(max_bytes));
        opened.map_err(|error| {
            let path = folder.path.display();
            io::Error::new(error.kind(), format!("the read cache cannot use {path}: {error}"))
        })?;
        Ok(folder)
    }

    pub(super) fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// The file of an object, one for all its versions: the newest that was read.
    pub(super) fn name(bucket: &Bucket, key: &ObjectKey) -> String {
        let digest = Sha256::digest(format!("{bucket}/{key}"));
        let mut name = String::with_capacity(64 + 1 + EXTENSION.len());
        for byte in digest {
            // Writing to a string cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        name + "." + EXTENSION
    }

    /// An object that was kept, not checked yet.
    pub(super) fn find(&self, name: &str) -> Option<Entry> {
        match Entry::open(&self.path.join(name)) {
            Ok(Some(entry)) => Some(entry),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Ok(None) | Err(_) => self.damaged(name),
        }
    }

    /// The entry, if its bytes are as they were written.
    pub(super) fn check(&self, name: &str, mut entry: Entry) -> Option<Entry> {
        if !entry.is_whole().unwrap_or(false) {
            return self.damaged(name);
        }
        entry.touch();
        Some(entry)
    }

    fn damaged(&self, name: &str) -> Option<Entry> {
        tracing::warn!(file = %self.path.join(name).display(), "a file of the read cache is damaged: removed");
        let _ = self.remove(name);
        None
    }

    /// None where it could not be: another process may have been faster.
    pub(super) fn remove(&self, name: &str) -> Option<()> {
        fs::remove_file(self.path.join(name)).ok()
    }

    /// A file to write to, readable to this user alone.
    pub(super) fn temporary(&self) -> io::Result<NamedTempFile> {
        tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(&self.path)
    }

    /// Gives a file its name, after making room for it.
    pub(super) fn store(&self, file: TempPath, name: &str, size: u64) -> io::Result<()> {
        // Looking through the folder takes a while where there are many files. A sixteenth
        // of the bound stays free, so that it is not done for each.
        let slack = self.max_bytes / 16;
        let Some(limit) = (self.max_bytes - slack).checked_sub(size) else {
            return Ok(());
        };
        let mut added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
        if added.saturating_add(size) > slack {
            self.make_room(limit)?;
            *added = 0;
        }
        file.persist(self.path.join(name)).map_err(|error| error.error)?;
        *added += size;
        Ok(())
    }

    /// Removes what was not read for longest, until at most `limit` bytes are left.
    fn make_room(&self, limit: u64) -> io::Result<()> {
        let now = SystemTime::now();
        let mut files = Vec::new();
        for found in fs::read_dir(&self.path)? {
            let path = found?.path();
            let Ok(metadata) = fs::symlink_metadata(&path) else {
                continue;
            };
            let modified = metadata.modified()?;
            if path.extension() == Some(OsStr::new(EXTENSION)) {
                files.push((modified, metadata.len(), path));
            } else if is_temporary(&path)
                && now.duration_since(modified).is_ok_and(|age| age > ABANDONED)
            {
                let _ = fs::remove_file(path);
            }
            // What else stands there is not ours to remove.
        }
        files.sort();
        let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
        for (_, size, path) in files {
            if total <= limit {
                break;
            }
            let _ = fs::remove_file(path);
            total -= size;
        }
        Ok(())
    }

    /// That an object is not kept is no reason not to hand it out.
    pub(super) fn not_kept(&self, error: &io::Error) {
        tracing::warn!(folder = %self.path.display(), %error, "an object is not kept in the read cache");
    }
}

fn is_temporary(path: &Path) -> bool {
    path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with(TEMPORARY))
}

fn create(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Whether only this user, whose file `own` is, can write there.
#[cfg(unix)]
fn check_owner(path: &Path, own: &NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;

    let metadata = fs::metadata(path)?;
    if metadata.uid() != own.as_file().metadata()?.uid() {
        return Err(io::Error::other("it belongs to another user"));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(io::Error::other("others can write it: take that from them (chmod go-w)"));
    }
    Ok(())
}

/// Elsewhere a user's folders are the user's.
#[cfg(not(unix))]
fn check_owner(_: &Path, _: &NamedTempFile) -> io::Result<()> {
    Ok(())
}
