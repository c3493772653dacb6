use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{Code, Key, Sealed};

/// A folder of compiled components.
///
/// A file is named after the component's bytes and the engine's version and settings,
/// so it can be neither stale nor another component's. Before it is used, it must:
///
/// - stand in a folder, and be a file, of this user that nobody else can write, so that
///   other users of the machine cannot have their code run here;
/// - hold its own name and the SHA-256 of its code, so that what a disk or a crash has
///   damaged is never run.
///
/// Where that is not so, the component is compiled again, and a warning says why. It does
/// not keep out who can write as this user: they can change this program as well. It does
/// not hide anything: the names tell which components were run.
///
/// Only on Unix; elsewhere nothing is kept.
#[derive(Clone, Debug)]
pub struct CodeCache {
    dir: PathBuf,
    max_bytes: u64,
}

const EXTENSION: &str = "code";

impl CodeCache {
    /// Keeps code in this folder, which is made, for this user alone, when there is
    /// something to keep. At most 512 MiB: what was not used for longest goes.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), max_bytes: 512 << 20 }
    }

    /// At most so many bytes in all.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn find(&self, key: Key) -> Option<Code> {
        let path = self.path(key);
        match self.read(key, &path) {
            Ok(code) => Some(code),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                let path = path.display();
                tracing::warn!(%path, %error, "compiled code is not used: compiling anew");
                None
            }
        }
    }

    /// Keeps the code. That it cannot be kept is no reason not to run it.
    pub(crate) fn keep(&self, key: Key, code: &Code) {
        if let Err(error) = self.write(key, code) {
            let dir = self.dir.display();
            tracing::warn!(%dir, %error, "compiled code is not kept");
        }
    }

    fn path(&self, key: Key) -> PathBuf {
        self.dir.join(format!("{key:x}.{EXTENSION}"))
    }

    fn read(&self, key: Key, path: &Path) -> io::Result<Code> {
        owner::check(&fs::symlink_metadata(&self.dir)?)?;
        let file = owner::open(path)?;
        let metadata = file.metadata()?;
        owner::check(&metadata)?;
        if !metadata.is_file() || metadata.len() > self.max_bytes {
            return Err(io::Error::other("it is no file of the cache"));
        }
        let mut bytes = Vec::new();
        (&file).take(self.max_bytes).read_to_end(&mut bytes)?;
        let code = Sealed::open(key, bytes).ok_or_else(|| io::Error::other("it is damaged"))?;
        // When it was last used, as far as the cache goes.
        let _ = file.set_modified(SystemTime::now());
        Ok(code)
    }

    fn write(&self, key: Key, code: &Code) -> io::Result<()> {
        owner::create_dir(&self.dir)?;
        owner::check(&fs::symlink_metadata(&self.dir)?)?;
        let size = code.bytes().len() as u64 + Sealed::OVERHEAD;
        if size > self.max_bytes {
            return Ok(());
        }
        self.make_room(size)?;
        // Readable to its owner alone, and under its name only when it is whole.
        let suffix = format!(".{EXTENSION}");
        let mut file = tempfile::Builder::new().suffix(&suffix).tempfile_in(&self.dir)?;
        file.write_all(&Sealed::head(key, code))?;
        file.write_all(code.bytes())?;
        file.persist(self.path(key)).map(drop).map_err(|error| error.error)
    }

    fn make_room(&self, bytes: u64) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            // What else stands there is not ours to remove.
            if path.extension().is_some_and(|extension| extension == EXTENSION)
                && let Ok(metadata) = fs::symlink_metadata(&path)
                && metadata.is_file()
            {
                files.push((metadata.modified()?, metadata.len(), path));
            }
        }
        files.sort();
        let mut total = bytes + files.iter().map(|(_, len, _)| len).sum::<u64>();
        for (_, len, path) in files {
            if total <= self.max_bytes {
                break;
            }
            // Another process may have been faster.
            let _ = fs::remove_file(path);
            total -= len;
        }
        Ok(())
    }
}

/// Whose a file is.
#[cfg(unix)]
mod owner {
    use std::{
        fs::{DirBuilder, File, Metadata, OpenOptions},
        io,
        os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
        path::Path,
    };

    pub(super) fn create_dir(dir: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)
    }

    /// Opens the file itself: a link could lead to any other, a pipe would never answer.
    pub(super) fn open(path: &Path) -> io::Result<File> {
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
    }

    pub(super) fn check(metadata: &Metadata) -> io::Result<()> {
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(io::Error::other("it belongs to another user"));
        }
        if metadata.mode() & 0o022 != 0 {
            return Err(io::Error::other("others can write it: take that from them (chmod go-w)"));
        }
        Ok(())
    }
}

#[cfg(not(unix))]
mod owner {
    use std::{
        fs::{File, Metadata},
        io,
        path::Path,
    };

    fn unknown<T>() -> io::Result<T> {
        Err(io::Error::new(io::ErrorKind::NotFound, "whose a file is cannot be told here"))
    }

    pub(super) fn create_dir(_: &Path) -> io::Result<()> {
        unknown()
    }

    pub(super) fn open(_: &Path) -> io::Result<File> {
        unknown()
    }

    pub(super) fn check(_: &Metadata) -> io::Result<()> {
        unknown()
    }
}
