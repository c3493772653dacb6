use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempPath;
use tokio::io::{AsyncWriteExt, BufWriter};

use crate::failure::Failure;

/// Where an artifact's bytes go.
///
/// A file appears whole or not at all: the bytes are written beside it, and the
/// last step gives them the name. Until then the old file is untouched, and if
/// the download fails or is stopped, what was written goes away.
#[derive(Debug)]
pub struct Destination {
    place: Place,
    /// As the user named it, for errors; none is standard output.
    path: Option<PathBuf>,
}

#[derive(Debug)]
enum Place {
    Stdout(tokio::io::Stdout),
    /// A regular file: the one that is written, and the name that it will have.
    Beside {
        file: BufWriter<tokio::fs::File>,
        temporary: TempPath,
        target: PathBuf,
    },
    /// A device or a pipe, which cannot be replaced.
    Through(tokio::fs::File),
}

impl Destination {
    pub fn stdout() -> Self {
        Self { place: Place::Stdout(tokio::io::stdout()), path: None }
    }

    /// Makes sure that `path` can be written, before anything is fetched.
    pub fn file(path: &Path) -> Result<Self, Failure> {
        let place = open(path).map_err(|error| Failure::output(path, error))?;
        Ok(Self { place, path: Some(path.to_owned()) })
    }

    pub fn is_stdout(&self) -> bool {
        self.path.is_none()
    }

    /// The file to be filled in any order, if it is a regular one.
    pub async fn regular_file(&self) -> Result<Option<fs::File>, Failure> {
        let Place::Beside { file, .. } = &self.place else {
            return Ok(None);
        };
        let file = file.get_ref().try_clone().await;
        let file = file.map_err(|error| failure(self.path.as_deref(), error))?;
        Ok(Some(file.into_std().await))
    }

    pub async fn write(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        let result = match &mut self.place {
            Place::Stdout(stdout) => stdout.write_all(chunk).await,
            Place::Beside { file, .. } => file.write_all(chunk).await,
            Place::Through(file) => file.write_all(chunk).await,
        };
        result.map_err(|error| failure(self.path.as_deref(), error))
    }

    /// Sees the bytes out, and gives the file its name.
    pub async fn finish(self) -> Result<(), Failure> {
        finish(self.place).await.map_err(|error| failure(self.path.as_deref(), error))
    }
}

fn failure(path: Option<&Path>, error: io::Error) -> Failure {
    match path {
        Some(path) => Failure::output(path, error),
        None => Failure::stdout(error),
    }
}

fn open(path: &Path) -> io::Result<Place> {
    // A link stays a link: what it leads to is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let old = match fs::metadata(&target) {
        Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) => {
            // Replacing takes no right to write the file; the user's wish that it
            // stays as it is counts all the same.
            let file = fs::OpenOptions::new().append(true).open(&target)?;
            if !metadata.is_file() {
                return Ok(Place::Through(file.into()));
            }
            Some(metadata)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if target.file_name().is_none() {
        return Err(io::ErrorKind::InvalidFilename.into());
    }
    let dir = target.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Said in the system's words, which name no temporary file.
    fs::metadata(dir)?;
    let (file, temporary) = temporary_file(dir)?.into_parts();
    if let Some(old) = old {
        file.set_permissions(old.permissions())?;
    }
    let file = BufWriter::with_capacity(256 * 1024, file.into());
    Ok(Place::Beside { file, temporary, target })
}

fn temporary_file(dir: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".artifacts-").suffix(".part");
    #[cfg(unix)]
    {
        // As any new file: what the user's umask leaves of it.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(dir).map_err(|error| io::Error::from(error.kind()))
}

async fn finish(place: Place) -> io::Result<()> {
    match place {
        Place::Stdout(mut stdout) => stdout.flush().await,
        Place::Through(mut file) => file.flush().await,
        Place::Beside { mut file, temporary, target } => {
            file.flush().await?;
            // A name without its bytes must not survive a power cut.
            file.get_mut().sync_all().await?;
            temporary.persist(target).map_err(|error| error.error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn the_old_file_stays_until_the_new_one_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "old").unwrap();
        let mut destination = Destination::file(&path).unwrap();
        destination.write(b"new").await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        destination.finish().await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(dir.path()), ["file"]);
    }

    #[tokio::test]
    async fn a_dropped_destination_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut destination = Destination::file(&dir.path().join("file")).unwrap();
        destination.write(b"new").await.unwrap();
        assert_eq!(names(dir.path()).len(), 1);
        drop(destination);
        assert_eq!(names(dir.path()), [""; 0]);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn permissions_and_links_are_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&real, &link).unwrap();
        let mut destination = Destination::file(&link).unwrap();
        destination.write(b"new").await.unwrap();
        destination.finish().await.unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
