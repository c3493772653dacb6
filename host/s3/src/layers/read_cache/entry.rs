use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    sync::Arc,
    time::SystemTime,
};

use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest as Crc};
use futures::{TryStreamExt, stream};
use sha2::{Digest, Sha256};
use tempfile::TempPath;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::io::ReaderStream;

use super::folder::Folder;
use crate::{Body, Bucket, ObjectInfo, ObjectKey, S3Error, S3ErrorKind};

/// Bytes read from a file at a time.
const CHUNK: usize = 256 * 1024;

/// The end of each file, which also names its format.
const MAGIC: [u8; 8] = *b"S3CACHE1";

/// Which object it is, to the version: SHA-256 of all that tells one from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity([u8; 32]);

impl Identity {
    /// None for an object that cannot be told from another: it has no etag, or a weak one.
    pub(super) fn of(bucket: &Bucket, key: &ObjectKey, info: &ObjectInfo) -> Option<Self> {
        let etag = info.etag.as_deref().filter(|etag| !etag.starts_with("W/"))?;
        let mut digest = Sha256::new();
        for part in [bucket.as_str(), key.as_str(), etag] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.update(info.size.to_be_bytes());
        digest.update(format!("{:?} {:?}", info.last_modified, info.version_id));
        Some(Self(digest.finalize().into()))
    }
}

/// What stands after the object's bytes: its identity, the CRC-64/NVME of bytes and
/// identity, and [`MAGIC`].
struct Trailer {
    identity: Identity,
    checksum: u64,
}

impl Trailer {
    const BYTES: u64 = 32 + 8 + 8;

    fn seal(mut bytes: Crc, identity: &Identity) -> Vec<u8> {
        bytes.update(&identity.0);
        [&identity.0[..], &bytes.finalize().to_be_bytes(), &MAGIC].concat()
    }

    fn read(file: &mut File) -> io::Result<Option<Self>> {
        let (mut identity, mut checksum, mut magic) = ([0; 32], [0; 8], [0; 8]);
        for part in [&mut identity[..], &mut checksum, &mut magic] {
            file.read_exact(part)?;
        }
        let checksum = u64::from_be_bytes(checksum);
        Ok((magic == MAGIC).then_some(Self { identity: Identity(identity), checksum }))
    }
}

/// An object in the folder.
pub(super) struct Entry {
    file: File,
    size: u64,
    trailer: Trailer,
}

impl Entry {
    /// None where the file is no whole one.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        // To be written as well: some systems ask for that before its time can be set.
        let mut file = File::options().read(true).write(true).open(path)?;
        let metadata = file.metadata()?;
        let Some(size) = metadata.len().checked_sub(Trailer::BYTES).filter(|_| metadata.is_file())
        else {
            return Ok(None);
        };
        file.seek(SeekFrom::Start(size))?;
        let trailer = Trailer::read(&mut file)?;
        Ok(trailer.map(|trailer| Self { file, size, trailer }))
    }

    pub(super) fn is(&self, identity: &Identity) -> bool {
        self.trailer.identity == *identity
    }

    /// Whether all bytes are as they were written.
    pub(super) fn is_whole(&mut self) -> io::Result<bool> {
        let mut crc = Crc::new(CrcAlgorithm::Crc64Nvme);
        let mut chunk = vec![0; CHUNK];
        let mut left = self.size;
        self.file.rewind()?;
        while left > 0 {
            let most = CHUNK.min(usize::try_from(left).unwrap_or(CHUNK));
            let read = self.file.read(&mut chunk[..most])?;
            if read == 0 {
                return Ok(false);
            }
            crc.update(&chunk[..read]);
            left -= read as u64;
        }
        crc.update(&self.trailer.identity.0);
        self.file.rewind()?;
        Ok(crc.finalize() == self.trailer.checksum)
    }

    pub(super) fn touch(&self) {
        touch(&self.file);
    }

    /// The bytes, from where the file stands: the beginning, once it was checked.
    pub(super) fn into_body(self) -> Body {
        let size = self.size;
        let file = tokio::fs::File::from_std(self.file).take(size);
        let bytes = ReaderStream::with_capacity(file, CHUNK);
        // Nobody shortens a file of the folder. If somebody does, it is no short success.
        let bytes = stream::try_unfold((bytes, size), |(mut bytes, left)| async move {
            match bytes.try_next().await? {
                Some(chunk) => {
                    let left = left - chunk.len() as u64;
                    Ok(Some((chunk, (bytes, left))))
                }
                None if left == 0 => Ok(None),
                None => Err(cut_short()),
            }
        });
        Body::from_stream(bytes, Some(size))
    }
}

/// Says when a file was last read or written, to the nanosecond.
fn touch(file: &File) {
    let _ = file.set_modified(SystemTime::now());
}

fn cut_short() -> io::Error {
    let message = "a file of the read cache was cut while it was read; read again";
    S3Error::new(S3ErrorKind::Integrity, message).retryable(true).into()
}

/// An object on its way into the folder. Dropped before it is kept, it leaves nothing.
pub(super) struct Draft {
    folder: Arc<Folder>,
    name: String,
    identity: Identity,
    file: tokio::fs::File,
    path: TempPath,
    crc: Crc,
    size: u64,
}

impl Draft {
    pub(super) fn new(folder: &Arc<Folder>, name: &str, identity: Identity) -> Option<Self> {
        let file = folder.temporary();
        let (file, path) = file.inspect_err(|error| folder.not_kept(error)).ok()?.into_parts();
        Some(Self {
            folder: Arc::clone(folder),
            name: name.to_owned(),
            identity,
            file: tokio::fs::File::from_std(file),
            path,
            crc: Crc::new(CrcAlgorithm::Crc64Nvme),
            size: 0,
        })
    }

    /// None where the disk does not take it: the reader gets the bytes all the same.
    pub(super) async fn write(mut self, chunk: &Bytes) -> Option<Self> {
        self.crc.update(chunk);
        self.size += chunk.len() as u64;
        let written = self.file.write_all(chunk).await;
        written.inspect_err(|error| self.folder.not_kept(error)).ok()?;
        Some(self)
    }

    /// Gives the file its name.
    pub(super) async fn keep(mut self) {
        let trailer = Trailer::seal(self.crc, &self.identity);
        let written = match self.file.write_all(&trailer).await {
            Ok(()) => self.file.flush().await,
            failed => failed,
        };
        // Later than any file that was read before.
        touch(&self.file.into_std().await);
        let (folder, size) = (Arc::clone(&self.folder), self.size + Trailer::BYTES);
        let stored = match written {
            Ok(()) => {
                tokio::task::spawn_blocking(move || self.folder.store(self.path, &self.name, size))
                    .await
                    .map_err(io::Error::other)
                    .flatten()
            }
            failed => failed,
        };
        if let Err(error) = stored {
            folder.not_kept(&error);
        }
    }
}
