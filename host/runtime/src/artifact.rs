use artifact_s3::{ByteStream, S3Error};
use bytes::Bytes;
use futures::{Stream, StreamExt};

use crate::{Body, Error, ObjectInfo, Operation};

/// An artifact that was opened: what it is, and its bytes.
///
/// The bytes come from the service as they are read; dropping it ends the
/// download. A download that breaks is an error, never a short success.
#[derive(Debug)]
pub struct Artifact {
    key: String,
    info: ObjectInfo,
    body: Body,
}

impl Artifact {
    /// For other implementations of [`Store`](crate::Store).
    pub fn new(key: impl Into<String>, info: ObjectInfo, body: Body) -> Self {
        Self { key: key.into(), info, body }
    }

    /// The description.
    #[must_use]
    pub fn info(&self) -> &ObjectInfo {
        &self.info
    }

    /// How many bytes will come: the artifact's size, or that of the range.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.body.length()
    }

    /// All bytes at once, in memory.
    pub async fn bytes(self) -> Result<Bytes, Error> {
        let Self { key, body, .. } = self;
        body.bytes().await.map_err(|error| broken(&key, error))
    }

    /// The bytes as they come, in constant memory.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + Unpin {
        let Self { key, body, .. } = self;
        let stream: ByteStream = body.into_stream();
        stream.map(move |chunk| chunk.map_err(|error| broken(&key, error)))
    }

    /// The body itself, to pass on: to another store, or to a reader.
    #[must_use]
    pub fn into_body(self) -> Body {
        self.body
    }
}

fn broken(key: &str, error: std::io::Error) -> Error {
    Error::of_body(error, format!("failed to read artifact {key:?} to its end"))
        .on(Operation::Get, Some(key))
}

impl Error {
    /// Of an artifact's bytes that broke off, or are damaged.
    pub(crate) fn of_body(error: std::io::Error, message: impl Into<String>) -> Self {
        // What a filter says of the bytes.
        error
            .downcast::<Self>()
            .unwrap_or_else(|error| Self::from_s3(S3Error::from(error), message))
    }
}
