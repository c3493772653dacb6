use std::{
    fs::File,
    io, mem,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures::{StreamExt, stream};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::{ByteStream, positioned::read_at};

/// Bytes read at a time. With a quarter of it, a put from a file took a quarter more CPU time
/// over loopback; with four times as much it took no less.
pub(crate) const CHUNK: usize = 256 * 1024;

/// The bytes of a file between two offsets, or to its end, where that comes first.
///
/// The next chunk is read while the one before it is on its way, and into memory that an
/// earlier one has left: what is in the processor's cache need not be fetched into it.
/// Streams of one file do not disturb each other.
pub(crate) fn file_chunks(file: Arc<File>, bytes: Range<u64>, buffers: Buffers) -> ByteStream {
    let reading = Reading { file, bytes, buffers, ahead: None };
    stream::try_unfold(reading, |mut reading| async move {
        let ahead = reading.ahead.take().unwrap_or_else(|| reading.read());
        let chunk = ahead.await.map_err(io::Error::other)??;
        reading.bytes.start += chunk.len() as u64;
        if chunk.is_empty() {
            return Ok(None);
        }
        if !reading.bytes.is_empty() {
            reading.ahead = Some(reading.read());
        }
        Ok(Some((chunk, reading)))
    })
    .boxed()
}

struct Reading {
    file: Arc<File>,
    /// What is not read yet.
    bytes: Range<u64>,
    buffers: Buffers,
    ahead: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Reading {
    fn read(&self) -> JoinHandle<io::Result<Bytes>> {
        let (file, buffers, at) = (Arc::clone(&self.file), self.buffers.clone(), self.bytes.start);
        let left = self.bytes.end.saturating_sub(at);
        let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        spawn_blocking(move || {
            let mut buffer = buffers.take(most);
            loop {
                match read_at(&file, &mut buffer.memory[..most], at) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                    Ok(read) => {
                        buffer.filled = read;
                        return Ok(Bytes::from_owner(buffer));
                    }
                }
            }
        })
    }
}

/// Memory that chunks have left, for others of the same file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    /// Room for so many bytes, at least.
    fn take(&self, length: usize) -> Buffer {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut memory = left.unwrap_or_default();
        if memory.len() < length {
            memory.resize(length, 0);
        }
        Buffer { memory, filled: 0, home: self.clone() }
    }
}

/// The memory of one chunk, until nobody holds it any more.
struct Buffer {
    memory: Vec<u8>,
    filled: usize,
    home: Buffers,
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.memory[..self.filled]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let memory = mem::take(&mut self.memory);
        self.home.0.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use futures::TryStreamExt;

    use super::*;

    fn noise(length: usize) -> Vec<u8> {
        (0..length as u64).map(|n| (n * n * 31 / 7 + n).to_le_bytes()[0]).collect()
    }

    fn file(bytes: &[u8]) -> Arc<File> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Arc::new(file)
    }

    #[tokio::test]
    async fn chunks_that_are_held_are_not_written_over() {
        let bytes = noise(3 * CHUNK + 7);
        let chunks: Vec<Bytes> =
            file_chunks(file(&bytes), 0..u64::MAX, Buffers::default()).try_collect().await.unwrap();
        assert_eq!(chunks.len(), 4);
        assert!(chunks.concat() == bytes);
    }

    #[tokio::test]
    async fn memory_is_used_again_when_a_chunk_is_gone() {
        let bytes = noise(20 * CHUNK);
        let mut stream = file_chunks(file(&bytes), 0..u64::MAX, Buffers::default());
        let (mut places, mut at) = (std::collections::BTreeSet::new(), 0);
        while let Some(chunk) = stream.try_next().await.unwrap() {
            assert!(chunk == bytes[at..at + chunk.len()]);
            at += chunk.len();
            places.insert(chunk.as_ptr() as usize);
        }
        assert_eq!(at, bytes.len());
        // One that is read, and one that is read ahead.
        assert!(places.len() <= 2, "{}", places.len());
    }

    #[tokio::test]
    async fn what_lies_between_two_offsets_is_all_there_is() {
        let bytes = noise(2 * CHUNK);
        for range in [0..0, 5..5, 3..10, 7..CHUNK as u64 + 8, 9..2 * CHUNK as u64] {
            let (start, end) = (range.start, range.end);
            let read = file_chunks(file(&bytes), range, Buffers::default())
                .try_collect::<Vec<_>>()
                .await
                .unwrap();
            let whole = |at: u64| usize::try_from(at).unwrap();
            assert!(read.concat() == bytes[whole(start)..whole(end)], "{start} {end}");
        }
    }
}
