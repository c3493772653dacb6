use std::{io, sync::Arc, time::SystemTime};

use artifact_s3::Body;
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use s3s::{
    S3Request, S3Result,
    crypto::{Checksum as _, Md5},
    dto::{PutObjectInput, UploadPartInput},
    s3_error,
};

use super::{
    checksum,
    part_file::Extent,
    uploads::{Part, Upload, Uploads, failed},
};
use crate::adapter::{
    error::{is_not_as_signed, not_as_signed},
    refuse, verify,
};

/// Bytes written to the file at a time.
const CHUNK: usize = 256 * 1024;

/// Receives a part, and gives it back once it is kept, with its number.
pub(super) async fn receive(
    uploads: &Uploads,
    request: S3Request<UploadPartInput>,
) -> S3Result<(Arc<Upload>, Arc<Part>)> {
    let input = request.input;
    refuse!(
        input,
        expected_bucket_owner,
        sse_customer_algorithm,
        sse_customer_key,
        sse_customer_key_md5,
    );
    let number = input.part_number;
    if !(1..=10_000).contains(&number) {
        return Err(s3_error!(
            InvalidArgument,
            "Part number must be an integer between 1 and 10000, inclusive"
        ));
    }
    let upload = uploads.find(&input.upload_id, &input.bucket, &input.key)?;
    // A part is sent as an object is, so the same code checks its bytes.
    let mut sent = PutObjectInput {
        body: input.body,
        checksum_algorithm: input.checksum_algorithm,
        checksum_crc32: input.checksum_crc32,
        checksum_crc32c: input.checksum_crc32c,
        checksum_crc64nvme: input.checksum_crc64nvme,
        checksum_sha1: input.checksum_sha1,
        checksum_sha256: input.checksum_sha256,
        content_length: input.content_length,
        content_md5: input.content_md5,
        ..Default::default()
    };
    let expected = upload.checksum;
    let algorithm = verify::algorithm(&sent, &request.headers)?;
    if algorithm != expected.asked.then_some(expected.algorithm) {
        let name = |algorithm| Option::map_or(algorithm, "null", checksum::name).to_lowercase();
        return Err(s3_error!(
            InvalidRequest,
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            name(expected.asked.then_some(expected.algorithm)),
            name(algorithm)
        ));
    }
    let (body, verdict) =
        verify::incoming(&mut sent, Some(expected.algorithm), request.trailing_headers);
    let Some(length) = body.length() else {
        return Err(s3_error!(MissingContentLength));
    };
    if length > Body::MAX_PUT {
        return Err(s3_error!(
            EntityTooLarge,
            "Your proposed upload exceeds the maximum allowed size"
        ));
    }
    let bytes = upload.file.reserve(length).ok_or_else(|| {
        s3_error!(InvalidRequest, "this server has no room for more parts: complete or abort some")
    })?;
    let md5 = write(body, &bytes).await.map_err(|error| match verdict.mismatch() {
        Some(name) => verify::bad_digest(name),
        None => error,
    })?;
    let checksum = verdict.checksums().cloned().unwrap_or_default();
    let modified = SystemTime::now();
    let part = Arc::new(Part { md5, checksum, bytes: Arc::new(bytes), modified });
    uploads.keep(&upload, number, Arc::clone(&part))?;
    Ok((upload, part))
}

/// Writes a body of exactly the extent's length, and gives its MD5.
async fn write(body: Body, extent: &Extent) -> S3Result<[u8; 16]> {
    let mut stream = body.into_stream();
    let (mut md5, mut ready, mut written) = (Md5::new(), BytesMut::new(), 0);
    loop {
        let chunk = stream.try_next().await.map_err(incomplete)?;
        let ended = chunk.is_none();
        let chunk = chunk.unwrap_or_default();
        md5.update(&chunk);
        ready.extend_from_slice(&chunk);
        if written + ready.len() as u64 > extent.length() {
            return Err(incomplete(io::ErrorKind::InvalidData.into()));
        }
        if ready.len() >= CHUNK || ended {
            let bytes: Bytes = ready.split().freeze();
            let length = bytes.len() as u64;
            extent.write(written, bytes).await.map_err(failed)?;
            written += length;
        }
        if ended {
            break;
        }
    }
    if written < extent.length() {
        return Err(incomplete(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(md5.finalize())
}

fn incomplete(error: io::Error) -> s3s::S3Error {
    if is_not_as_signed(&error) {
        return not_as_signed();
    }
    s3_error!(
        error,
        IncompleteBody,
        "You did not provide the number of bytes specified by the Content-Length HTTP header."
    )
}
