use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;

use crate::{
    Body, ByteStream, S3Error,
    body::Observer,
    body_error::{failed, too_long, wrong_length},
    http::payload::{Payload, Place},
};

/// Short chunks of a stream are copied into blocks of this size, so that they take the
/// memory that they have: a stream can give single bytes, or a few out of a large buffer.
const BLOCK: usize = 256 * 1024;

/// A chunk of this length is kept as it is: copying it costs more than its memory.
const WORTH_KEEPING: usize = 8 * 1024;

/// Bytes after which others get their turn: a stream that is always ready must not hold
/// up the parts under way.
const TURN: usize = BLOCK;

/// A body that is cut into payloads.
pub(in crate::http) enum Source {
    /// Read again where it is.
    Replayable(Slices),
    /// Gathered in memory.
    Stream(Gathering),
}

impl Source {
    /// Its length, where it is known.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Self::Replayable(slices) => Some(slices.length),
            Self::Stream(gathering) => gathering.declared,
        }
    }

    /// The next so many bytes, fewer at the end, and none after it.
    pub(super) async fn next(&mut self, size: u64) -> Result<Option<Payload>, S3Error> {
        match self {
            Self::Replayable(slices) => Ok(slices.next(size)),
            Self::Stream(gathering) => gathering.next(size).await,
        }
    }
}

/// The parts of a body that can be replayed.
pub(in crate::http) struct Slices {
    body: Body,
    length: u64,
    offset: u64,
    observer: Option<(Observer, Arc<Mutex<u64>>)>,
}

impl Slices {
    pub(super) fn of(mut body: Body) -> Self {
        let observer = body.take_observer().map(|observer| (observer, Arc::default()));
        Self { length: body.length().unwrap_or(0), body, offset: 0, observer }
    }

    fn next(&mut self, size: u64) -> Option<Payload> {
        let size = size.min(self.length - self.offset);
        let slice = self.body.slice(self.offset, size).filter(|_| size > 0)?;
        let place = Place { offset: self.offset, of: self.length };
        self.offset += size;
        Some(Payload::part(self.observed(slice), place))
    }

    /// Counts the bytes of all parts together; those that are sent again count once.
    fn observed(&self, slice: Body) -> Body {
        let Some((observer, total)) = self.observer.clone() else {
            return slice;
        };
        let furthest = Mutex::new(0);
        slice.observed(move |position| {
            let mut furthest = furthest.lock().unwrap_or_else(PoisonError::into_inner);
            if position > *furthest {
                let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
                *total += position - *furthest;
                *furthest = position;
                // Under the lock, so that the numbers only rise.
                observer(*total);
            }
        })
    }
}

/// A stream, and what was taken from it.
pub(in crate::http) struct Gathering {
    bytes: ByteStream,
    declared: Option<u64>,
    /// Longest time without a byte.
    idle: Duration,
    /// Taken from `bytes`, and not handed on yet.
    ready: VecDeque<Bytes>,
    taken: u64,
    handed_on: u64,
    ended: bool,
}

impl Gathering {
    pub(super) fn of(body: Body, idle: Duration) -> Self {
        Self {
            declared: body.length(),
            bytes: body.into_stream(),
            idle,
            ready: VecDeque::new(),
            taken: 0,
            handed_on: 0,
            ended: false,
        }
    }

    /// All the bytes, if there are not more than so many; else they are kept for
    /// [`next`](Self::next).
    pub(super) async fn all(&mut self, most: u64) -> Result<Option<Vec<Bytes>>, S3Error> {
        let blocks = self.gather(most + 1).await?;
        if self.ended && self.taken <= most {
            return Ok(Some(blocks));
        }
        for block in blocks.into_iter().rev() {
            self.ready.push_front(block);
        }
        Ok(None)
    }

    async fn next(&mut self, size: u64) -> Result<Option<Payload>, S3Error> {
        let body = Body::from_chunks(self.gather(size).await?);
        let length = body.length().filter(|length| *length > 0);
        Ok(length.map(|length| {
            let place = Place { offset: self.handed_on, of: self.taken };
            self.handed_on += length;
            Payload::part(body, place)
        }))
    }

    /// The next so many bytes, fewer at the end.
    async fn gather(&mut self, size: u64) -> Result<Vec<Bytes>, S3Error> {
        let (mut gathered, mut block, mut left) = (Vec::new(), BytesMut::new(), size);
        let mut turn = 0;
        while left > 0 {
            let Some(mut chunk) = self.ready.pop_front() else {
                if !self.take().await? {
                    break;
                }
                continue;
            };
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
            let fitting = if wanted >= WORTH_KEEPING {
                let kept = chunk.split_to(wanted);
                gathered.extend(filled(&mut block));
                gathered.push(kept);
                wanted
            } else {
                if block.capacity() == 0 {
                    block.reserve(usize::try_from(left).unwrap_or(BLOCK).min(BLOCK));
                }
                let copied = chunk.split_to(wanted.min(BLOCK - block.len()));
                block.extend_from_slice(&copied);
                if block.len() == BLOCK {
                    gathered.extend(filled(&mut block));
                }
                copied.len()
            };
            left -= fitting as u64;
            if !chunk.is_empty() {
                self.ready.push_front(chunk);
            }
            turn += fitting;
            if turn >= TURN {
                turn = 0;
                tokio::task::yield_now().await;
            }
        }
        gathered.extend(filled(&mut block));
        Ok(gathered)
    }

    /// Takes a chunk of the stream; false at its end. A body that does not keep its word
    /// fails here.
    async fn take(&mut self) -> Result<bool, S3Error> {
        if self.ended {
            return Ok(false);
        }
        let idle = self.idle;
        let chunk = tokio::time::timeout(idle, self.bytes.try_next()).await;
        let chunk = chunk.map_err(|_| crate::body_error::silent(idle))?.map_err(failed)?;
        let Some(chunk) = chunk else {
            self.ended = true;
            return match self.declared {
                Some(declared) if self.taken < declared => {
                    Err(wrong_length(declared, Some(self.taken)))
                }
                _ => Ok(false),
            };
        };
        self.taken += chunk.len() as u64;
        match self.declared {
            Some(declared) if self.taken > declared => Err(wrong_length(declared, None)),
            _ if self.taken > Body::MAX_OBJECT => Err(too_long()),
            _ => {
                self.ready.push_back(chunk);
                Ok(true)
            }
        }
    }
}

/// A block of short chunks, if there are bytes in it.
fn filled(block: &mut BytesMut) -> Option<Bytes> {
    (!block.is_empty()).then(|| std::mem::take(block).freeze())
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn gathering(chunks: Vec<Bytes>, declared: Option<u64>) -> Gathering {
        let body = Body::from_stream(stream::iter(chunks.into_iter().map(Ok)), declared);
        Gathering::of(body, Duration::from_secs(10))
    }

    #[tokio::test]
    async fn short_chunks_become_blocks_and_long_ones_stay() {
        let bytes: Vec<u8> = (0..2_000_000_u32).map(|n| (n / 7).to_le_bytes()[0]).collect();
        for size in [1000, BLOCK, 1_999_999] {
            let chunks = bytes.chunks(size).map(Bytes::copy_from_slice).collect();
            let mut gathering = gathering(chunks, None);
            assert!(gathering.all(1_999_999).await.unwrap().is_none());
            let (mut all, mut payloads) = (Vec::new(), 0);
            while let Some(payload) = gathering.next(700_000).await.unwrap() {
                assert_eq!(payload.place().offset, all.len() as u64);
                for block in payload.chunks_or_stream().unwrap_or_default() {
                    // Only a part's last block, and what splitting leaves over, are short.
                    assert!(block.len() <= BLOCK.max(size));
                    all.extend_from_slice(&block);
                }
                payloads += 1;
            }
            assert!(all == bytes);
            assert_eq!(payloads, 3);
        }
    }

    #[tokio::test]
    async fn what_ends_within_the_limit_is_given_whole() {
        let of = |text: &'static str| vec![Bytes::from_static(text.as_bytes())];
        let whole = gathering(of("12345"), Some(5)).all(5).await.unwrap().unwrap();
        assert_eq!(whole.concat(), b"12345");
        assert!(gathering(of("12345"), Some(5)).all(4).await.unwrap().is_none());
        assert_eq!(gathering(of(""), None).all(0).await.unwrap().unwrap().concat(), b"");
        assert!(gathering(of("12345"), Some(6)).all(9).await.is_err());
        assert!(gathering(of("12345"), Some(4)).all(9).await.is_err());
    }
}
