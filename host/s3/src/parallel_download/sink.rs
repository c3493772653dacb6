use std::{
    collections::BTreeMap,
    fs::File,
    io, mem,
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures::TryStreamExt;
use tokio::task::{JoinHandle, spawn_blocking};

use super::{DownloadError, ReadError};
use crate::{
    Body, S3Error, S3ErrorKind,
    http::{Hasher, ToldChecksum},
    positioned::write_all_at,
};

/// Bytes that are written at a time, by another thread, while the next are read.
const BATCH: u64 = 512 * 1024;

/// Is told how many bytes have come, and how many there are.
pub(super) type Observer = Arc<dyn Fn(u64, Option<u64>) + Send + Sync>;

/// The file that the parts are written to, each at its place.
pub(super) struct Sink {
    file: Arc<File>,
    told: Option<ToldChecksum>,
    hashed: Mutex<Hashed>,
    read: AtomicU64,
    /// How many bytes there are, where it is known.
    length: Option<u64>,
    observer: Option<Observer>,
}

/// Why bytes are not in the file.
pub(super) enum SinkError {
    Body(io::Error),
    File(io::Error),
}

impl<E: ReadError> From<SinkError> for DownloadError<E> {
    fn from(error: SinkError) -> Self {
        match error {
            SinkError::Body(error) => Self::Get(E::broken(error)),
            SinkError::File(error) => Self::File(error),
        }
    }
}

impl Sink {
    pub(super) fn new(
        file: File,
        told: Option<ToldChecksum>,
        length: Option<u64>,
        observer: Option<Observer>,
    ) -> Self {
        let sink = Self {
            file: Arc::new(file),
            told,
            hashed: Mutex::default(),
            read: AtomicU64::new(0),
            length,
            observer,
        };
        sink.count(0);
        sink
    }

    /// Writes a body that begins where `part` does, and then what `more` gives for as
    /// long as it gives any, up to `end`, where the body must end too.
    pub(super) async fn fill(
        &self,
        body: Body,
        part: Range<u64>,
        end: Option<u64>,
        more: impl Fn() -> Option<Range<u64>>,
    ) -> Result<(), SinkError> {
        let mut limit = part.end;
        let mut segment = Segment::new(self, part.start);
        let mut stream = body.into_stream();
        while let Some(mut chunk) = stream.try_next().await.map_err(SinkError::Body)? {
            while !chunk.is_empty() {
                let room = usize::try_from(limit - segment.end).unwrap_or(usize::MAX);
                if room == 0 {
                    return Err(wrong_length("went on after", segment.end));
                }
                segment.push(chunk.split_to(room.min(chunk.len()))).await?;
                if segment.end == limit && end != Some(limit) {
                    let Some(part) = more() else {
                        return segment.close().await;
                    };
                    limit = part.end;
                }
            }
        }
        if end.is_some_and(|end| end != segment.end) {
            return Err(wrong_length("ended at", segment.end));
        }
        segment.close().await
    }

    /// Gives the file its length, and compares the checksum of all of it.
    pub(super) async fn finish(self) -> Result<(), SinkError> {
        let (file, length) = (self.file, self.read.into_inner());
        written(spawn_blocking(move || file.set_len(length))).await?;
        let Some(told) = self.told else {
            return Ok(());
        };
        let hashed = self.hashed.into_inner().unwrap_or_else(PoisonError::into_inner);
        let all = hashed.0.into_values().next().map(|(_, hasher)| hasher);
        let all = all.unwrap_or_else(|| Hasher::new(told.algorithm));
        told.check(all).map_err(|error| SinkError::Body(error.into()))
    }

    fn count(&self, bytes: u64) {
        let read = self.read.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if let Some(observer) = &self.observer {
            observer(read, self.length);
        }
    }
}

/// Checksums of stretches of the file, by their beginning, with their end. What
/// touches is joined, so there are about as many as requests at a time.
#[derive(Debug, Default)]
struct Hashed(BTreeMap<u64, (u64, Hasher)>);

impl Hashed {
    fn add(&mut self, bytes: Range<u64>, mut hasher: Hasher) {
        let Range { start, mut end } = bytes;
        if let Some((next_end, next)) = self.0.remove(&end) {
            hasher.append(&next);
            end = next_end;
        }
        match self.0.range_mut(..start).next_back() {
            Some((_, (before, all))) if *before == start => {
                all.append(&hasher);
                *before = end;
            }
            _ => {
                self.0.insert(start, (end, hasher));
            }
        }
    }
}

/// Bytes that follow on each other, on their way into the file.
struct Segment<'a> {
    sink: &'a Sink,
    start: u64,
    end: u64,
    /// The last ones, not written yet.
    pending: Vec<Bytes>,
    pending_length: u64,
    hashing: Hashing,
}

/// Where the checksum of what came so far is.
enum Hashing {
    Here(Option<Hasher>),
    /// With those bytes that are being written.
    Away(JoinHandle<io::Result<Option<Hasher>>>),
}

impl<'a> Segment<'a> {
    fn new(sink: &'a Sink, start: u64) -> Self {
        let hasher = sink.told.as_ref().map(|told| Hasher::new(told.algorithm));
        let hashing = Hashing::Here(hasher);
        Self { sink, start, end: start, pending: Vec::new(), pending_length: 0, hashing }
    }

    async fn push(&mut self, chunk: Bytes) -> Result<(), SinkError> {
        let length = chunk.len() as u64;
        self.end += length;
        self.pending_length += length;
        self.pending.push(chunk);
        self.sink.count(length);
        if self.pending_length < BATCH { Ok(()) } else { self.flush().await }
    }

    /// Begins to write what is pending, when what was before it is written.
    async fn flush(&mut self) -> Result<(), SinkError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut hasher = self.written().await?;
        let length = mem::take(&mut self.pending_length);
        let (file, chunks) = (Arc::clone(&self.sink.file), mem::take(&mut self.pending));
        let mut at = self.end - length;
        self.hashing = Hashing::Away(spawn_blocking(move || {
            for chunk in chunks {
                if let Some(hasher) = &mut hasher {
                    hasher.update(&chunk);
                }
                write_all_at(&file, &chunk, at)?;
                at += chunk.len() as u64;
            }
            Ok(hasher)
        }));
        Ok(())
    }

    /// Waits for what is being written; gives the checksum up to there.
    async fn written(&mut self) -> Result<Option<Hasher>, SinkError> {
        match mem::replace(&mut self.hashing, Hashing::Here(None)) {
            Hashing::Here(hasher) => Ok(hasher),
            Hashing::Away(writing) => written(writing).await,
        }
    }

    async fn close(mut self) -> Result<(), SinkError> {
        self.flush().await?;
        if let Some(hasher) = self.written().await? {
            let mut hashed = self.sink.hashed.lock().unwrap_or_else(PoisonError::into_inner);
            hashed.add(self.start..self.end, hasher);
        }
        Ok(())
    }
}

async fn written<T>(writing: JoinHandle<io::Result<T>>) -> Result<T, SinkError> {
    writing.await.map_err(io::Error::other).flatten().map_err(SinkError::File)
}

fn wrong_length(what: &str, at: u64) -> SinkError {
    let error = S3Error::new(
        S3ErrorKind::Unreachable,
        format!("the bytes of the object {what} byte {at}, and should not have"),
    );
    SinkError::Body(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ChecksumAlgorithm;

    #[test]
    fn stretches_that_touch_become_one_in_whatever_order_they_come() {
        let bytes: Vec<u8> = (0..=255).collect();
        let hash = |range: Range<usize>| {
            let mut hasher = Hasher::new(ChecksumAlgorithm::Crc32c);
            hasher.update(&bytes[range]);
            hasher
        };
        let parts = [0..10, 10..100, 100..101, 101..256];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [0, 2, 1, 3], [1, 3, 0, 2], [2, 0, 3, 1]] {
            let mut hashed = Hashed::default();
            for part in order.map(|n: usize| parts[n].clone()) {
                hashed.add(part.start as u64..part.end as u64, hash(part));
            }
            let all: Vec<_> = hashed.0.into_iter().collect();
            assert_eq!(all.len(), 1, "{order:?}");
            let (start, (end, whole)) = all[0].clone();
            assert_eq!((start, end, whole.finish()), (0, 256, hash(0..256).finish()));
        }
    }
}
