use std::{fs::File, io, sync::Arc};

use futures::TryStreamExt;
use tokio::io::AsyncWriteExt;

use crate::{
    ByteStream,
    file_chunks::{Buffers, file_chunks},
};

/// A body that was written to a temporary file, so that its length is known and
/// it can be sent again.
///
/// The file has no name: it is gone with this value, and no other process finds it.
#[derive(Clone, Debug)]
pub(crate) struct Spool {
    file: Arc<File>,
    offset: u64,
    length: u64,
    buffers: Buffers,
}

/// Why a body was not spooled.
#[derive(Debug)]
pub(crate) enum SpoolError {
    /// The body failed.
    Source(io::Error),
    /// The temporary file failed.
    File(io::Error),
    /// The body is longer than the limit.
    TooLong,
}

impl Spool {
    /// Writes all of `bytes` away, up to `limit`.
    pub(crate) async fn write(mut bytes: ByteStream, limit: u64) -> Result<Self, SpoolError> {
        let file = tokio::task::spawn_blocking(tempfile::tempfile)
            .await
            .map_err(io::Error::other)
            .flatten()
            .map_err(SpoolError::File)?;
        let mut file = tokio::fs::File::from_std(file);
        let mut length = 0;
        while let Some(chunk) = bytes.try_next().await.map_err(SpoolError::Source)? {
            length += chunk.len() as u64;
            if length > limit {
                return Err(SpoolError::TooLong);
            }
            file.write_all(&chunk).await.map_err(SpoolError::File)?;
        }
        file.flush().await.map_err(SpoolError::File)?;
        let file = Arc::new(file.into_std().await);
        Ok(Self { file, offset: 0, length, buffers: Buffers::default() })
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// So many of the bytes from an offset on; both lie within the spool.
    pub(crate) fn slice(&self, offset: u64, length: u64) -> Self {
        Self { offset: self.offset + offset, length, ..self.clone() }
    }

    /// The bytes, from the first. Streams of one spool do not disturb each other:
    /// an attempt that was given up may still be reading while the next begins.
    pub(crate) fn stream(&self) -> ByteStream {
        let bytes = self.offset..self.offset + self.length;
        file_chunks(Arc::clone(&self.file), bytes, self.buffers.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Body, file_chunks::CHUNK};

    #[tokio::test]
    async fn two_streams_of_a_spool_do_not_disturb_each_other() {
        let bytes: Vec<u8> = (0..600_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let spool = Spool::write(Body::from(bytes.clone()).into_stream(), u64::MAX).await.unwrap();
        assert_eq!(spool.length(), 600_000);
        let mut abandoned = spool.stream();
        assert_eq!(abandoned.try_next().await.unwrap().unwrap()[..], bytes[..CHUNK]);
        let again = Body::from_stream(spool.stream(), None).bytes().await.unwrap();
        assert!(again == bytes);
        assert_eq!(abandoned.try_next().await.unwrap().unwrap()[..], bytes[CHUNK..2 * CHUNK]);
    }

    #[tokio::test]
    async fn the_limit_holds_to_the_byte() {
        let write = |limit| Spool::write(Body::from("12345").into_stream(), limit);
        assert!(write(5).await.is_ok());
        assert!(matches!(write(4).await, Err(SpoolError::TooLong)));
    }
}
