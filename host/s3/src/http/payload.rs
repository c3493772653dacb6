use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, TryStreamExt, stream};

use super::{checksum::sha256_hex, sign::UNSIGNED_PAYLOAD};
use crate::{
    Body, ByteStream, ChecksumAlgorithm, S3Error,
    body_error::{failed, too_long},
};

/// SHA-256 of no bytes.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What a request carries: bytes of known length.
pub(super) struct Payload {
    length: u64,
    source: Source,
    sha256: Option<String>,
}

enum Source {
    /// The request has no body at all.
    None,
    Replayable(Mutex<Body>),
    /// Gone once its first byte is asked for.
    Once(Arc<Mutex<Option<Body>>>),
}

impl Payload {
    /// For a request without a body.
    pub(super) fn none() -> Self {
        Self { length: 0, source: Source::None, sha256: Some(EMPTY_SHA256.to_owned()) }
    }

    /// Makes a body ready to be sent, in constant memory.
    ///
    /// A body of unknown length is spooled to a temporary file: S3 wants the length
    /// first. So is a stream that needs a checksum, which goes before it too.
    pub(super) async fn of(
        body: Body,
        checksum: Option<ChecksumAlgorithm>,
    ) -> Result<Self, S3Error> {
        let source = match body.length() {
            Some(length) if length > Body::MAX_PUT => return Err(too_long()),
            Some(_) if body.is_replayable() => Source::Replayable(Mutex::new(body)),
            Some(_) if checksum.is_none() => Source::Once(Arc::new(Mutex::new(Some(body)))),
            _ => Source::Replayable(Mutex::new(body.into_replayable().await?)),
        };
        let length = match &source {
            Source::None => 0,
            Source::Replayable(body) => lock(body).length().unwrap_or(0),
            Source::Once(body) => lock(body).as_ref().and_then(Body::length).unwrap_or(0),
        };
        Ok(Self { length, source, sha256: None })
    }

    /// Hashes the bytes if they are in memory, for a signature that covers them.
    ///
    /// TLS covers them anyway; over plain HTTP this is what does. Files and
    /// streams are not read twice for it.
    pub(super) async fn hash_if_in_memory(&mut self) -> Result<(), S3Error> {
        let body = match &self.source {
            Source::Replayable(body) => {
                let body = lock(body);
                body.as_chunks().and(body.try_clone())
            }
            _ => None,
        };
        if let Some(body) = body {
            self.sha256 = Some(sha256_hex(body.into_stream()).await.map_err(failed)?);
        }
        Ok(())
    }

    /// The checksum of the bytes; they are read for it, and can be read again.
    pub(super) async fn checksum(&self, algorithm: ChecksumAlgorithm) -> Result<String, S3Error> {
        algorithm.of(self.stream()).await.map_err(failed)
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Whether the request has a body, if one of no bytes.
    pub(super) fn is_some(&self) -> bool {
        !matches!(self.source, Source::None)
    }

    /// The value of `x-amz-content-sha256`.
    pub(super) fn content_sha256(&self) -> &str {
        self.sha256.as_deref().unwrap_or(UNSIGNED_PAYLOAD)
    }

    /// Whether the bytes can still be sent from the first one on.
    pub(super) fn is_whole(&self) -> bool {
        match &self.source {
            Source::Once(body) => lock(body).is_some(),
            _ => true,
        }
    }

    /// The bytes. A body that can be read only once is taken when the first byte
    /// is asked for, and not before.
    pub(super) fn stream(&self) -> ByteStream {
        match &self.source {
            Source::None => stream::empty().boxed(),
            Source::Replayable(body) => {
                lock_clone(body).map_or_else(|| stream::empty().boxed(), Body::into_stream)
            }
            Source::Once(body) => {
                let body = Arc::clone(body);
                stream::once(async move {
                    let body = lock(&body).take();
                    body.map(Body::into_stream)
                        .ok_or_else(|| std::io::Error::other("the body was read before"))
                })
                .try_flatten()
                .boxed()
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lock_clone(body: &Mutex<Body>) -> Option<Body> {
    lock(body).try_clone()
}
