use std::time::{Duration, UNIX_EPOCH};

use artifact_s3::{ByteRange, DeleteOptions, ListOptions, ObjectInfo, S3ErrorKind};
use http::StatusCode;
use s3s::{
    S3, S3Request, S3Response, S3Result,
    dto::{
        CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, DeleteObjectInput,
        DeleteObjectOutput, ETag, GetObjectInput, GetObjectOutput, HeadBucketInput,
        HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListObjectsV2Input,
        ListObjectsV2Output, Metadata, PutObjectInput, PutObjectOutput, StorageClass, Timestamp,
    },
    s3_error,
};

use super::{
    Adapter, body, error::to_s3s, listing, options, parse_bucket, parse_key, refuse, verify,
};

#[async_trait::async_trait]
impl S3 for Adapter {
    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let mut input = request.input;
        let (bucket, key) = (parse_bucket(&input.bucket)?, parse_key(&input.key)?);
        let algorithm = verify::algorithm(&input, &request.headers)?;
        let options = options::of_put(&input, algorithm)?;
        let (body, verdict) = verify::incoming(&mut input, algorithm, request.trailing_headers);
        let stored = self.client.put_object(&bucket, &key, body, &options).await;
        let info = stored.map_err(|error| match verdict.mismatch() {
            Some(name) if error.kind() == S3ErrorKind::BodyFailed => verify::bad_digest(name),
            _ => to_s3s(error),
        })?;
        let checksums = verdict.checksums();
        Ok(S3Response::new(PutObjectOutput {
            checksum_crc32: checksums.and_then(|c| c.checksum_crc32.clone()),
            checksum_crc32c: checksums.and_then(|c| c.checksum_crc32c.clone()),
            checksum_crc64nvme: checksums.and_then(|c| c.checksum_crc64nvme.clone()),
            checksum_sha256: checksums.and_then(|c| c.checksum_sha256.clone()),
            e_tag: info.etag.map(ETag::Strong),
            server_side_encryption: options.encryption.map(|_| {
                input.server_side_encryption.unwrap_or_else(|| "AES256".to_owned().into())
            }),
            version_id: info.version_id,
            ..Default::default()
        }))
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let (bucket, key) = (parse_bucket(&input.bucket)?, parse_key(&input.key)?);
        let options = options::of_get(&input)?;
        let object = self.client.get_object(&bucket, &key, &options).await.map_err(to_s3s)?;
        let info = object.info;
        let part = options.range.map(|range| Part::of(range, info.size));
        let content_length = object.body.length().or(part.as_ref().map(Part::length));
        Ok(S3Response::new(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: content_length.map(length).transpose()?,
            content_range: part.map(|part| part.header(info.size)),
            body: Some(body::to_blob(object.body)),
            cache_control: info.content.cache_control.clone(),
            content_disposition: info.content.content_disposition.clone(),
            content_encoding: info.content.content_encoding.clone(),
            content_language: info.content.content_language.clone(),
            content_type: Some(content_type(&info)),
            e_tag: info.etag.map(ETag::Strong),
            last_modified: info.last_modified.map(timestamp),
            metadata: metadata(info.metadata),
            storage_class: info.storage_class.map(StorageClass::from),
            version_id: info.version_id,
            ..Default::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let (bucket, key) = (parse_bucket(&input.bucket)?, parse_key(&input.key)?);
        let options = options::of_head(&input)?;
        let info = self.client.head_object(&bucket, &key, &options).await.map_err(to_s3s)?;
        let part = options.range.map(|range| Part::of(range, info.size));
        let status = part.as_ref().map(|_| StatusCode::PARTIAL_CONTENT);
        let content_length = part.as_ref().map_or(info.size, Part::length);
        let output = HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(length(content_length)?),
            content_range: part.map(|part| part.header(info.size)),
            cache_control: info.content.cache_control.clone(),
            content_disposition: info.content.content_disposition.clone(),
            content_encoding: info.content.content_encoding.clone(),
            content_language: info.content.content_language.clone(),
            content_type: Some(content_type(&info)),
            e_tag: info.etag.map(ETag::Strong),
            last_modified: info.last_modified.map(timestamp),
            metadata: metadata(info.metadata),
            storage_class: info.storage_class.map(StorageClass::from),
            version_id: info.version_id,
            ..Default::default()
        };
        let mut response = S3Response::new(output);
        response.status = status;
        Ok(response)
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = request.input;
        refuse!(
            input,
            bypass_governance_retention,
            expected_bucket_owner,
            if_match_last_modified_time,
            if_match_size,
            mfa,
        );
        let (bucket, key) = (parse_bucket(&input.bucket)?, parse_key(&input.key)?);
        let options = DeleteOptions {
            version_id: input.version_id,
            if_match: input.if_match.as_ref().map(options::etag_condition),
        };
        self.client.delete_object(&bucket, &key, &options).await.map_err(to_s3s)?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let input = request.input;
        let (bucket, key) = (parse_bucket(&input.bucket)?, parse_key(&input.key)?);
        let CopySource::Bucket { bucket: source_bucket, key: source, version_id: None } =
            &input.copy_source
        else {
            return Err(s3_error!(
                NotImplemented,
                "this server copies the current version of an object in a bucket"
            ));
        };
        if **source_bucket != *bucket.as_str() {
            return Err(s3_error!(NotImplemented, "this server copies within a bucket"));
        }
        let source = parse_key(source)?;
        let options = options::of_copy(&input, &request.headers)?;
        if let Some(conditions) = options::of_copy_source(&input) {
            // Looked at just before: a client's copy takes no conditions on its source.
            let looked = self.client.head_object(&bucket, &source, &conditions).await;
            looked.map_err(|error| match error.kind() {
                // For the source of a copy S3 answers 412 where a read would get 304.
                S3ErrorKind::NotModified => s3_error!(PreconditionFailed),
                // What a HEAD says has no code.
                S3ErrorKind::NoSuchKey => s3_error!(NoSuchKey, "{}", error.message()),
                _ => to_s3s(error),
            })?;
        }
        let info =
            self.client.copy_object(&bucket, &source, &key, &options).await.map_err(to_s3s)?;
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                e_tag: info.etag.map(ETag::Strong),
                last_modified: info.last_modified.map(timestamp),
                ..Default::default()
            }),
            version_id: info.version_id,
            ..Default::default()
        }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let bucket = parse_bucket(&input.bucket)?;
        let listing = match listing::options(&input)? {
            Some(options) => self.client.list_objects(&bucket, &options).await.map_err(to_s3s)?,
            None => artifact_s3::Listing::default(),
        };
        Ok(S3Response::new(listing::output(input, listing)?))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        let bucket = parse_bucket(&request.input.bucket)?;
        let options = ListOptions { limit: Some(1), ..Default::default() };
        self.client.list_objects(&bucket, &options).await.map_err(to_s3s)?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }
}

/// The first and last byte of a range that was read.
struct Part {
    first: u64,
    last: u64,
}

impl Part {
    /// The client answered, so the range names at least one byte.
    fn of(range: ByteRange, size: u64) -> Self {
        let end = size.saturating_sub(1);
        match range {
            ByteRange::Closed(first, last) => Self { first, last: last.min(end) },
            ByteRange::From(first) => Self { first, last: end },
            ByteRange::Last(count) => Self { first: size.saturating_sub(count), last: end },
        }
    }

    fn length(&self) -> u64 {
        (self.last + 1).saturating_sub(self.first)
    }

    fn header(&self, size: u64) -> String {
        format!("bytes {}-{}/{size}", self.first, self.last)
    }
}

/// S3 names a type for every object; this is its own for those that came without.
fn content_type(info: &ObjectInfo) -> String {
    let given = info.content.content_type.clone();
    given.unwrap_or_else(|| "binary/octet-stream".to_owned())
}

fn metadata(metadata: Vec<(String, String)>) -> Option<Metadata> {
    (!metadata.is_empty()).then(|| metadata.into_iter().collect())
}

pub(super) fn timestamp(seconds: u64) -> Timestamp {
    Timestamp::from(UNIX_EPOCH + Duration::from_secs(seconds))
}

pub(crate) fn length(bytes: u64) -> S3Result<i64> {
    i64::try_from(bytes).map_err(|e| s3_error!(e, InternalError))
}
