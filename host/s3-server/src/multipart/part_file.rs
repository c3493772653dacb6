use std::{
    fs::File,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use artifact_s3::ByteStream;
use bytes::Bytes;
use futures::{StreamExt, stream};

/// Bytes read from the file at a time.
const CHUNK: u64 = 256 * 1024;

/// The parts of one upload, side by side in a file without a name: it is gone with the
/// upload, whatever happens to this process.
#[derive(Debug)]
pub(super) struct PartFile {
    file: Arc<File>,
    space: Mutex<Space>,
    used: Arc<AtomicU64>,
    limit: u64,
}

/// Which bytes of the file are taken.
#[derive(Debug, Default)]
struct Space {
    end: u64,
    /// Offset and length of what was taken and given back.
    free: Vec<(u64, u64)>,
}

impl PartFile {
    /// An empty one. All files together take at most `limit` bytes, counted in `used`.
    pub(super) async fn new(used: Arc<AtomicU64>, limit: u64) -> io::Result<Arc<Self>> {
        let file = blocking(tempfile::tempfile).await?;
        Ok(Arc::new(Self { file: Arc::new(file), space: Mutex::default(), used, limit }))
    }

    /// Room for so many bytes; none where the limit is reached.
    pub(super) fn reserve(self: &Arc<Self>, length: u64) -> Option<Extent> {
        let mut space = self.space.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = space.free.iter().position(|(_, free)| *free >= length);
        let offset = if let Some(at) = fits {
            let (offset, free) = space.free.swap_remove(at);
            if free > length {
                space.free.push((offset + length, free - length));
            }
            offset
        } else {
            let grown = |used: u64| used.checked_add(length).filter(|used| *used <= self.limit);
            self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).ok()?;
            let offset = space.end;
            space.end += length;
            offset
        };
        Some(Extent { file: Arc::clone(self), offset, length })
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        let space = self.space.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.used.fetch_sub(space.end, Ordering::Relaxed);
    }
}

/// Bytes of the file that nobody else writes to, until this is dropped.
#[derive(Debug)]
pub(super) struct Extent {
    file: Arc<PartFile>,
    offset: u64,
    length: u64,
}

impl Extent {
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Writes bytes at a position of this extent.
    pub(super) async fn write(&self, position: u64, bytes: Bytes) -> io::Result<()> {
        if position + bytes.len() as u64 > self.length {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "longer than its extent"));
        }
        let (file, offset) = (Arc::clone(&self.file.file), self.offset + position);
        blocking(move || write_all_at(&file, &bytes, offset)).await
    }

    /// All of its bytes.
    pub(super) fn stream(self: Arc<Self>) -> ByteStream {
        stream::try_unfold(0, move |position| {
            let extent = Arc::clone(&self);
            async move {
                if position == extent.length {
                    return Ok(None);
                }
                let length = CHUNK.min(extent.length - position);
                let (file, offset) = (Arc::clone(&extent.file.file), extent.offset + position);
                let chunk = blocking(move || read_exact_at(&file, length, offset)).await?;
                Ok(Some((chunk, position + length)))
            }
        })
        .boxed()
    }
}

impl Drop for Extent {
    fn drop(&mut self) {
        let mut space = self.file.space.lock().unwrap_or_else(PoisonError::into_inner);
        if space.end == self.offset + self.length {
            space.end = self.offset;
            self.file.used.fetch_sub(self.length, Ordering::Relaxed);
        } else {
            space.free.push((self.offset, self.length));
        }
    }
}

async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(call).await.map_err(io::Error::other).flatten()
}

fn read_exact_at(file: &File, length: u64, offset: u64) -> io::Result<Bytes> {
    let mut chunk = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    let mut filled = 0;
    while filled < chunk.len() {
        match read_at(file, &mut chunk[filled..], offset + filled as u64) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(chunk.into())
}

fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    let mut written = 0;
    while written < bytes.len() {
        match write_at(file, &bytes[written..], offset + written as u64) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(unix)]
use std::os::unix::fs::FileExt;
#[cfg(unix)]
fn read_at(file: &File, chunk: &mut [u8], offset: u64) -> io::Result<usize> {
    file.read_at(chunk, offset)
}
#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    file.write_at(bytes, offset)
}

#[cfg(windows)]
use std::os::windows::fs::FileExt;
#[cfg(windows)]
fn read_at(file: &File, chunk: &mut [u8], offset: u64) -> io::Result<usize> {
    file.seek_read(chunk, offset)
}
#[cfg(windows)]
fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    file.seek_write(bytes, offset)
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn what_is_given_back_is_used_again_and_the_limit_holds() {
        let used = Arc::new(AtomicU64::new(0));
        let file = PartFile::new(Arc::clone(&used), 10).await.unwrap();
        let first = file.reserve(4).unwrap();
        let second = Arc::new(file.reserve(6).unwrap());
        assert!(file.reserve(1).is_none());
        second.write(0, Bytes::from_static(b"second")).await.unwrap();
        assert!(second.write(1, Bytes::from_static(b"second")).await.is_err());
        drop(first);
        let (third, fourth) = (file.reserve(3).unwrap(), file.reserve(1).unwrap());
        assert!(file.reserve(1).is_none());
        third.write(0, Bytes::from_static(b"abc")).await.unwrap();
        fourth.write(0, Bytes::from_static(b"d")).await.unwrap();
        let stored: Vec<Bytes> = second.stream().try_collect().await.unwrap();
        assert_eq!(stored, ["second"]);
        drop((third, fourth, file));
        assert_eq!(used.load(Ordering::Relaxed), 0);
    }
}
