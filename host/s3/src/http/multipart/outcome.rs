use std::fmt::Write;

use http::Method;
use md5::{Digest, Md5};

use super::{
    MultipartUpload,
    complete::{Completed, CompletedPart},
    unfinished::Unfinished,
};
use crate::{
    ChecksumAlgorithm, Operation, S3Error, S3ErrorKind,
    http::{
        object_headers,
        request::{Headers, Request},
        response::Reading,
    },
};

/// What the object will be known by, once it is there.
struct Expected {
    size: u64,
    /// None where the parts' etags are no MD5 sums.
    etag: Option<String>,
    /// The header's name and value.
    checksum: Option<(&'static str, String)>,
}

impl Unfinished {
    /// Completes the upload, or aborts it; finds out which of them it was.
    ///
    /// The answer to a completion can be lost, and whoever asks again is told that there is
    /// no such upload, or that its own object fails its condition. So where it is not
    /// certain that nothing happened, the object is looked at. One with the etag, or the
    /// checksum, of these parts is ours.
    pub(super) async fn end(
        self,
        parts: Vec<CompletedPart>,
        algorithm: Option<ChecksumAlgorithm>,
        mut headers: Headers,
    ) -> Result<Completed, S3Error> {
        let expected = Expected::of(&parts, algorithm);
        if let (Some((name, value)), Some(algorithm)) = (&expected.checksum, algorithm) {
            let on = |error| self.on(Operation::CompleteMultipartUpload, error);
            headers.set(name, value).map_err(on)?;
            headers.set("x-amz-checksum-type", algorithm.multipart_type()).map_err(on)?;
        }
        let error = match self.complete(&parts, algorithm, headers).await {
            Ok(completed) => {
                self.completed();
                return Ok(completed);
            }
            Err(error) => error,
        };
        let upload = MultipartUpload::clone(&self);
        if upload.certainly_failed(&error).await {
            self.abort().await;
            return Err(error);
        }
        if let Some(completed) = upload.stored(&expected).await {
            self.completed();
            return Ok(completed);
        }
        self.abort().await;
        // It may have been completed just before it could be aborted.
        match upload.stored(&expected).await {
            Some(completed) => Ok(completed),
            None if error.code() == Some("NoSuchUpload") => Err(error.advised(
                "somebody aborted it, or it was completed and the object has been replaced since",
            )),
            None => Err(error),
        }
    }
}

impl MultipartUpload {
    /// Whether a completion that failed so has not happened.
    async fn certainly_failed(&self, error: &S3Error) -> bool {
        let refused = error.status().is_some_and(|status| (400..500).contains(&status));
        if error.attempts() == 1 {
            return refused;
        }
        // The first try may have made the object that the second one met.
        if error.kind() == S3ErrorKind::PreconditionFailed {
            let unfinished = self.s3.unfinished_uploads(&self.bucket, self.key.as_str()).await;
            return unfinished.is_ok_and(|all| all.iter().any(|one| one.upload_id == self.id));
        }
        // A refusal without a code may be one of an upload that the first try completed.
        refused && error.code().is_some_and(|code| code != "NoSuchUpload")
    }

    /// The object, if it is the one that was expected.
    async fn stored(&self, expected: &Expected) -> Option<Completed> {
        let key = Some(&self.key);
        let operation = Operation::HeadObject;
        let mut request = Request::new(operation, Method::HEAD, &self.bucket, key, Reading::Stream);
        if expected.checksum.is_some() {
            request.headers.set("x-amz-checksum-mode", "ENABLED").ok()?;
        }
        let headers = self.s3.send(&request).await.ok()?.headers;
        let found = object_headers::info(&headers).ok()?;
        let same_etag = found.etag.is_some() && found.etag == expected.etag;
        let same_checksum = expected.checksum.as_ref().is_some_and(|(name, value)| {
            headers.get(*name).is_some_and(|found| found.as_bytes() == value.as_bytes())
        });
        let ours = found.size == expected.size && (same_etag || same_checksum);
        ours.then_some(Completed { etag: found.etag, headers })
    }
}

impl Expected {
    fn of(parts: &[CompletedPart], algorithm: Option<ChecksumAlgorithm>) -> Self {
        let checksums = || parts.iter().map(|part| Some((part.checksum.as_deref()?, part.length)));
        let checksum = algorithm.and_then(|algorithm| {
            let checksums: Vec<_> = checksums().collect::<Option<_>>()?;
            Some((algorithm.header(), algorithm.combined(checksums)?))
        });
        Self { size: parts.iter().map(|part| part.length).sum(), etag: etag(parts), checksum }
    }
}

/// The etag that S3 gives an object in parts: the MD5 sum of its parts' MD5 sums, and
/// their number.
fn etag(parts: &[CompletedPart]) -> Option<String> {
    let mut digest = Md5::new();
    for part in parts {
        let md5 = u128::from_str_radix(&part.etag, 16).ok().filter(|_| part.etag.len() == 32)?;
        digest.update(md5.to_be_bytes());
    }
    let mut etag = String::with_capacity(38);
    for byte in digest.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(etag, "{byte:02x}");
    }
    let _ = write!(etag, "-{}", parts.len());
    Some(etag)
}
