use std::{
    io,
    sync::{Arc, OnceLock},
};

use artifact_s3::{Body, ChecksumAlgorithm};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::HeaderMap;
use s3s::{
    S3Result, TrailingHeaders,
    checksum::ChecksumHasher,
    crypto::Checksum as _,
    dto::{Checksum, PutObjectInput, StreamingBlob},
    s3_error,
    stream::ByteStream as _,
};

use super::to_blob;

/// Whether an upload's bytes are those that its checksums promise.
pub(crate) struct Verdict(Arc<OnceLock<Result<Checksum, &'static str>>>);

impl Verdict {
    /// The checksums, once the body was read to its end; none before.
    pub(crate) fn checksums(&self) -> Option<&Checksum> {
        self.0.get()?.as_ref().ok()
    }

    /// The checksum that does not match.
    pub(crate) fn mismatch(&self) -> Option<&'static str> {
        self.0.get()?.as_ref().err().copied()
    }
}

/// What S3 answers to bytes that are not those of their checksum.
pub(crate) fn bad_digest(name: &str) -> s3s::S3Error {
    s3_error!(BadDigest, "The {name} you specified did not match what we received.")
}

/// The checksum that the caller sends, or names.
pub(crate) fn algorithm(
    input: &PutObjectInput,
    headers: &HeaderMap,
) -> S3Result<Option<ChecksumAlgorithm>> {
    let trailer = headers.get("x-amz-trailer").and_then(|value| value.to_str().ok());
    let sent = |name: &str| {
        trailer.is_some_and(|trailer| {
            trailer.split(',').any(|header| {
                header.trim().strip_prefix("x-amz-checksum-").is_some_and(|t| t == name)
            })
        }) || headers.contains_key(format!("x-amz-checksum-{name}"))
            || input
                .checksum_algorithm
                .as_ref()
                .is_some_and(|named| named.as_str().eq_ignore_ascii_case(name))
    };
    if sent("sha1") {
        return Err(s3_error!(NotImplemented, "this server does not keep SHA1 checksums"));
    }
    let known = [
        ("crc32", &input.checksum_crc32, ChecksumAlgorithm::Crc32),
        ("crc32c", &input.checksum_crc32c, ChecksumAlgorithm::Crc32c),
        ("crc64nvme", &input.checksum_crc64nvme, ChecksumAlgorithm::Crc64Nvme),
        ("sha256", &input.checksum_sha256, ChecksumAlgorithm::Sha256),
    ];
    let mut known = known.into_iter();
    Ok(known.find(|(name, value, _)| value.is_some() || sent(name)).map(|known| known.2))
}

/// The checksum that is kept: S3's own choice is CRC64NVME, where the caller has none.
pub(crate) fn kept(algorithm: Option<ChecksumAlgorithm>) -> Option<ChecksumAlgorithm> {
    algorithm.or(Some(ChecksumAlgorithm::Crc64Nvme))
}

/// The upload's bytes; the last step of the stream compares what they came to with
/// what the caller said, so that a store that waits for the end stores nothing wrong.
pub(crate) fn incoming(
    input: &mut PutObjectInput,
    algorithm: Option<ChecksumAlgorithm>,
    trailers: Option<TrailingHeaders>,
) -> (Body, Verdict) {
    let verdict = Arc::new(OnceLock::new());
    let blob = input.body.take().unwrap_or_else(|| to_blob(Body::empty()));
    let length = input
        .content_length
        .and_then(|length| u64::try_from(length).ok())
        .or_else(|| blob.remaining_length().exact().map(|length| length as u64));
    let mut hasher = ChecksumHasher::default();
    match algorithm {
        Some(ChecksumAlgorithm::Crc32) => hasher.crc32 = Some(s3s::crypto::Crc32::new()),
        Some(ChecksumAlgorithm::Crc32c) => hasher.crc32c = Some(s3s::crypto::Crc32c::new()),
        Some(ChecksumAlgorithm::Crc64Nvme) => {
            hasher.crc64nvme = Some(s3s::crypto::Crc64Nvme::new());
        }
        Some(ChecksumAlgorithm::Sha256) => hasher.sha256 = Some(s3s::crypto::Sha256::new()),
        None => {}
    }
    let upload = Upload {
        blob,
        hasher,
        md5: input.content_md5.take().map(|md5| (s3s::crypto::Md5::new(), md5)),
        promised: Checksum {
            checksum_crc32: input.checksum_crc32.take(),
            checksum_crc32c: input.checksum_crc32c.take(),
            checksum_crc64nvme: input.checksum_crc64nvme.take(),
            checksum_sha256: input.checksum_sha256.take(),
            ..Default::default()
        },
        trailers,
        verdict: Arc::clone(&verdict),
    };
    let stream = stream::unfold(Some(upload), |upload| async move {
        let mut upload = upload?;
        match upload.blob.next().await {
            Some(Ok(chunk)) => {
                upload.update(&chunk);
                Some((Ok(chunk), Some(upload)))
            }
            Some(Err(error)) => Some((Err(io::Error::other(error)), None)),
            None => upload.finish().err().map(|error| (Err(error), None)),
        }
    });
    (Body::from_stream(stream, length), Verdict(verdict))
}

struct Upload {
    blob: StreamingBlob,
    hasher: ChecksumHasher,
    md5: Option<(s3s::crypto::Md5, String)>,
    promised: Checksum,
    trailers: Option<TrailingHeaders>,
    verdict: Arc<OnceLock<Result<Checksum, &'static str>>>,
}

impl Upload {
    fn update(&mut self, chunk: &Bytes) {
        self.hasher.update(chunk);
        if let Some((md5, _)) = &mut self.md5 {
            md5.update(chunk);
        }
    }

    fn finish(mut self) -> io::Result<()> {
        if let Some(trailers) = self.trailers.take().and_then(|trailers| trailers.take()) {
            let value = |name: &str| Some(trailers.get(name)?.to_str().ok()?.to_owned());
            let promised = &mut self.promised;
            promised.checksum_crc32 =
                promised.checksum_crc32.take().or(value("x-amz-checksum-crc32"));
            promised.checksum_crc32c =
                promised.checksum_crc32c.take().or(value("x-amz-checksum-crc32c"));
            promised.checksum_crc64nvme =
                promised.checksum_crc64nvme.take().or(value("x-amz-checksum-crc64nvme"));
            promised.checksum_sha256 =
                promised.checksum_sha256.take().or(value("x-amz-checksum-sha256"));
        }
        let actual = self.hasher.finalize();
        let promised = &self.promised;
        let kept = |promised: &Option<String>, actual: &Option<String>| {
            promised.is_none() || promised == actual
        };
        let md5_kept = self.md5.is_none_or(|(md5, promised)| base64(&md5.finalize()) == promised);
        let mismatch = [
            ("Content-MD5", md5_kept),
            ("CRC32", kept(&promised.checksum_crc32, &actual.checksum_crc32)),
            ("CRC32C", kept(&promised.checksum_crc32c, &actual.checksum_crc32c)),
            ("CRC64NVME", kept(&promised.checksum_crc64nvme, &actual.checksum_crc64nvme)),
            ("SHA256", kept(&promised.checksum_sha256, &actual.checksum_sha256)),
        ]
        .into_iter()
        .find_map(|(name, kept)| (!kept).then_some(name));
        if let Some(name) = mismatch {
            let _ = self.verdict.set(Err(name));
            Err(io::Error::new(io::ErrorKind::InvalidData, format!("the {name} does not match")))
        } else {
            let _ = self.verdict.set(Ok(actual));
            Ok(())
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
