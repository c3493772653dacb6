use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures::{StreamExt, stream};

use super::{
    HttpS3,
    checksum::{md5_base64, sha256_hex},
    request::Headers,
    sign::UNSIGNED_PAYLOAD,
};
use crate::{Body, ByteStream, ChecksumAlgorithm, S3Error, body_error::failed};

/// SHA-256 of no bytes.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What a request carries: bytes of known length that can be sent again.
pub(super) struct Payload {
    body: Option<Mutex<Body>>,
    length: u64,
    place: Place,
    sha256: Option<String>,
}

/// What the bytes of uploads carry besides a checksum, as the client is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seals {
    pub(super) content_md5: bool,
    pub(super) unsigned_payload: bool,
}

/// Where the payload stands in the body that the caller gave, for errors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) offset: u64,
    /// Length of the caller's body.
    pub(super) of: u64,
}

impl Payload {
    /// For a request without a body.
    pub(super) fn none() -> Self {
        let place = Place { offset: 0, of: 0 };
        Self { body: None, length: 0, place, sha256: Some(EMPTY_SHA256.to_owned()) }
    }

    /// A body that can be replayed, ready to be sent.
    pub(super) fn of(body: Body) -> Self {
        let of = body.length().unwrap_or(0);
        Self::part(body, Place { offset: 0, of })
    }

    /// A part of a larger body.
    pub(super) fn part(body: Body, place: Place) -> Self {
        let length = body.length().unwrap_or(0);
        Self { body: Some(Mutex::new(body)), length, place, sha256: None }
    }

    /// Adds what the service checks the bytes by, and gives the checksum; the bytes are
    /// read for it, and read again when they are sent.
    ///
    /// - The checksum, where there is an algorithm, and Content-MD5 where the client is
    ///   set so.
    /// - Their hash, for a signature that covers them, if they are in memory. TLS covers
    ///   them anyway; over plain HTTP this is what does, unless the client is set
    ///   otherwise. Files are not read for it.
    pub(super) async fn seal(
        &mut self,
        s3: &HttpS3,
        algorithm: Option<ChecksumAlgorithm>,
        headers: &mut Headers,
    ) -> Result<Option<String>, S3Error> {
        let (parts, seals) = (s3.parts(), s3.parts().seals);
        let mut checksum = None;
        if let Some(algorithm) = algorithm {
            let value = algorithm.of(self.unobserved()).await.map_err(failed)?;
            headers.set(algorithm.header(), &value)?;
            checksum = Some(value);
        }
        if seals.content_md5 {
            headers.set("content-md5", &md5_base64(self.unobserved()).await.map_err(failed)?)?;
        }
        let open = parts.endpoint().is_plain_http() && !seals.unsigned_payload;
        if open && parts.keys.is_some() {
            self.hash_if_in_memory().await?;
        }
        Ok(checksum)
    }

    /// Hashes the bytes if they are in memory, for a signature that covers them.
    pub(super) async fn hash_if_in_memory(&mut self) -> Result<(), S3Error> {
        if self.body().is_some_and(|body| body.as_chunks().is_some()) {
            self.sha256 = Some(sha256_hex(self.unobserved()).await.map_err(failed)?);
        }
        Ok(())
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Whether the request has a body, if one of no bytes.
    pub(super) fn is_some(&self) -> bool {
        self.body.is_some()
    }

    /// The value of `x-amz-content-sha256`.
    pub(super) fn content_sha256(&self) -> &str {
        self.sha256.as_deref().unwrap_or(UNSIGNED_PAYLOAD)
    }

    /// The bytes: as chunks, where they are in memory and nobody watches them go.
    pub(super) fn chunks_or_stream(&self) -> Result<Vec<Bytes>, ByteStream> {
        self.body().map_or_else(|| Ok(Vec::new()), Body::into_chunks_or_stream)
    }

    /// The bytes, read for something else than to be sent.
    fn unobserved(&self) -> ByteStream {
        let body = self.body().map(|mut body| {
            body.take_observer();
            body
        });
        body.map_or_else(|| stream::empty().boxed(), Body::into_stream)
    }

    fn body(&self) -> Option<Body> {
        self.body.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).try_clone()
    }
}
