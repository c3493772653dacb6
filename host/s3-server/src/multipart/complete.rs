use std::sync::Arc;

use artifact_s3::{Body, ChecksumAlgorithm};
use futures::{StreamExt, stream};
use s3s::{
    S3, S3Request, S3Result,
    crypto::{Checksum as _, Md5},
    dto::{
        Checksum, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart,
        PutObjectInput,
    },
    s3_error,
};

use super::{
    checksum,
    create::to_put,
    uploads::{Part, Upload, Uploads, hex},
};
use crate::adapter::{Completed, refuse, to_blob, verify};

/// Least bytes of a part that is not the last: 5 MiB.
///
/// Source: [quotas](https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html).
const MIN_PART: u64 = 5 * 1024 * 1024;

/// Stores the parts as one object.
///
/// A condition that does not hold leaves the upload as it is, as S3 does.
pub(super) async fn complete<B: S3>(
    backend: &B,
    uploads: &Uploads,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<CompleteMultipartUploadOutput> {
    refuse!(
        request.input,
        expected_bucket_owner,
        sse_customer_algorithm,
        sse_customer_key,
        sse_customer_key_md5,
    );
    let input = &request.input;
    let find = || uploads.find(&input.upload_id, &input.bucket, &input.key);
    let upload = find()?;
    let _ending = upload.ending.lock().await;
    // Another call may have ended it meanwhile.
    find()?;
    let parts = chosen(&upload, input)?;
    let size = parts.iter().map(|part| part.bytes.length()).sum();
    check_size(input, size)?;
    let sums = parts.iter().map(|part| (&part.checksum, part.bytes.length()));
    let joined = upload.checksum.join(sums)?;
    check_checksum(input, &upload, &joined)?;
    let checksum = checksum::of_value(joined, upload.checksum.algorithm);
    let completed = Completed {
        etag: etag(&parts),
        checksum: checksum.clone(),
        checksum_type: upload.checksum.kind(),
    };

    let put = PutObjectInput {
        if_match: input.if_match.clone(),
        if_none_match: input.if_none_match.clone(),
        ..put_of(&upload, &parts, size, &checksum)?
    };
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let mut request = request.map_input(|_| put);
    // They speak of the list of parts, and not of the object.
    request.headers.clear();
    request.trailing_headers = None;
    request.extensions.insert(completed);
    let stored = backend.put_object(request).await?.output;
    uploads.end(&upload)?;
    Ok(CompleteMultipartUploadOutput {
        location: Some(format!("/{bucket}/{key}")),
        bucket: Some(bucket),
        key: Some(key),
        checksum_crc32: checksum.checksum_crc32,
        checksum_crc32c: checksum.checksum_crc32c,
        checksum_crc64nvme: checksum.checksum_crc64nvme,
        checksum_sha256: checksum.checksum_sha256,
        checksum_type: Some(upload.checksum.kind()),
        e_tag: stored.e_tag,
        server_side_encryption: stored.server_side_encryption,
        version_id: stored.version_id,
        ..Default::default()
    })
}

/// The parts that the caller lists, if they may make an object.
fn chosen(upload: &Upload, input: &CompleteMultipartUploadInput) -> S3Result<Vec<Arc<Part>>> {
    let listed = input.multipart_upload.as_ref().and_then(|list| list.parts.as_deref());
    let listed = listed
        .filter(|parts| !parts.is_empty())
        .ok_or_else(|| s3_error!(MalformedXML, "You must specify at least one part"))?;
    let mut chosen = Vec::with_capacity(listed.len());
    let mut before = 0;
    let kept = upload.parts();
    for part in listed {
        let number = part.part_number.unwrap_or_default();
        if number <= before {
            return Err(s3_error!(
                InvalidPartOrder,
                "The list of parts was not in ascending order. Parts must be ordered by part number."
            ));
        }
        before = number;
        let kept = kept.get(&number).filter(|kept| is_named(upload, part, kept));
        chosen.push(Arc::clone(kept.ok_or_else(|| {
            s3_error!(
                InvalidPart,
                "One or more of the specified parts could not be found. The part may not have \
                 been uploaded, or the specified entity tag may not match the part's entity tag."
            )
        })?));
        let asked = upload.checksum.asked && !upload.checksum.full_object;
        if asked && given(part, upload.checksum.algorithm).is_none() {
            return Err(s3_error!(
                InvalidRequest,
                "The upload was created using a {} checksum. The complete request must include \
                 the checksum for each part. It was missing for part {number} in the request.",
                checksum::name(upload.checksum.algorithm).to_lowercase()
            ));
        }
    }
    if chosen.iter().rev().skip(1).any(|part| part.bytes.length() < MIN_PART) {
        return Err(s3_error!(
            EntityTooSmall,
            "Your proposed upload is smaller than the minimum allowed size"
        ));
    }
    Ok(chosen)
}

/// Whether the kept part is the one that the caller means.
fn is_named(upload: &Upload, listed: &CompletedPart, kept: &Part) -> bool {
    let etag = listed.e_tag.as_ref().is_some_and(|etag| etag.value() == kept.etag());
    let algorithm = upload.checksum.algorithm;
    let checksum = given(listed, algorithm)
        .is_none_or(|given| checksum::value(&kept.checksum, algorithm) == Some(given));
    etag && checksum
}

fn given(part: &CompletedPart, algorithm: ChecksumAlgorithm) -> Option<&str> {
    match algorithm {
        ChecksumAlgorithm::Crc32 => part.checksum_crc32.as_deref(),
        ChecksumAlgorithm::Crc32c => part.checksum_crc32c.as_deref(),
        ChecksumAlgorithm::Crc64Nvme => part.checksum_crc64nvme.as_deref(),
        ChecksumAlgorithm::Sha256 => part.checksum_sha256.as_deref(),
    }
}

fn check_size(input: &CompleteMultipartUploadInput, size: u64) -> S3Result<()> {
    match input.mpu_object_size {
        Some(said) if u64::try_from(said) != Ok(size) => Err(s3_error!(
            InvalidRequest,
            "The provided 'x-amz-mp-object-size' header value {said} does not match what was \
             computed: {size}"
        )),
        _ => Ok(()),
    }
}

/// Whether the checksum of the object that the caller gives is the one that it has.
fn check_checksum(
    input: &CompleteMultipartUploadInput,
    upload: &Upload,
    joined: &str,
) -> S3Result<()> {
    let kind = upload.checksum.kind();
    if input.checksum_type.as_ref().is_some_and(|said| said.as_str() != kind.as_str()) {
        return Err(s3_error!(
            InvalidRequest,
            "The upload was created with checksum type {}",
            kind.as_str()
        ));
    }
    let said = Checksum {
        checksum_crc32: input.checksum_crc32.clone(),
        checksum_crc32c: input.checksum_crc32c.clone(),
        checksum_crc64nvme: input.checksum_crc64nvme.clone(),
        checksum_sha1: input.checksum_sha1.clone(),
        checksum_sha256: input.checksum_sha256.clone(),
        ..Default::default()
    };
    if said == Checksum::default() {
        return Ok(());
    }
    let algorithm = upload.checksum.algorithm;
    // S3 takes a checksum of checksums with and without the number of parts behind it.
    let bare = joined.rsplit_once('-').map_or(joined, |(bare, _)| bare);
    match checksum::value(&said, algorithm) {
        Some(said) if said == joined || said == bare => Ok(()),
        _ => Err(verify::bad_digest(checksum::name(algorithm))),
    }
}

/// The put that stores the parts, checked once more on the way where it can be.
fn put_of(
    upload: &Upload,
    parts: &[Arc<Part>],
    size: u64,
    checksum: &Checksum,
) -> S3Result<PutObjectInput> {
    let extents: Vec<_> = parts.iter().map(|part| Arc::clone(&part.bytes)).collect();
    let bytes = stream::iter(extents).flat_map(super::part_file::Extent::stream);
    let mut put = PutObjectInput {
        body: Some(to_blob(Body::from_stream(bytes, Some(size)))),
        content_length: Some(i64::try_from(size).map_err(|e| s3_error!(e, EntityTooLarge))?),
        ..to_put(upload.created.clone())
    };
    if upload.checksum.full_object {
        let checksum = checksum.clone();
        put.checksum_crc32 = checksum.checksum_crc32;
        put.checksum_crc32c = checksum.checksum_crc32c;
        put.checksum_crc64nvme = checksum.checksum_crc64nvme;
        put.checksum_sha256 = checksum.checksum_sha256;
    }
    Ok(put)
}

/// The etag that S3 gives: the MD5 of the parts' MD5s, and how many there are.
fn etag(parts: &[Arc<Part>]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(&part.md5);
    }
    format!("{}-{}", hex(&md5.finalize()), parts.len())
}
