use std::time::{Duration, UNIX_EPOCH};

use artifact_s3::{
    DeleteOptions, GetOptions, ListOptions, ObjectInfo, S3ErrorKind, WriteCondition,
};
use http::StatusCode;
use s3s::{
    S3, S3Request, S3Response, S3Result,
    dto::{
        Checksum, ChecksumType, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource,
        DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, ETag,
        GetObjectInput, GetObjectOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
        HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListObjectsV2Input,
        ListObjectsV2Output, Metadata, PutObjectInput, PutObjectOutput, StorageClass, Tag,
        Timestamp, TimestampFormat,
    },
    s3_error,
};

use super::{
    Adapter, batch, body, error::to_s3s, listing, options, parse_bucket, parse_key, part::Part,
    refuse, remembered::Memory, verify,
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
        input.if_match = self.remembered.behind(&bucket, key.as_str(), input.if_match);
        let options = options::of_put(&input, algorithm)?;
        let (body, verdict) =
            verify::incoming(&mut input, verify::kept(algorithm), request.trailing_headers);
        let stored = self.client.put_object(&bucket, &key, body, &options).await;
        let info = stored.map_err(|error| match verdict.mismatch() {
            Some(name) if error.kind() == S3ErrorKind::BodyFailed => verify::bad_digest(name),
            _ => to_s3s(error),
        })?;
        let checksum = verdict.checksums().cloned().unwrap_or_default();
        if let Some(etag) = info.etag.clone() {
            let memory = Memory {
                etag,
                completed: request.extensions.get().cloned(),
                checksum: checksum.clone(),
                tags: options.tags,
            };
            self.remembered.keep(&bucket, &key, memory);
        }
        Ok(S3Response::new(PutObjectOutput {
            checksum_crc32: checksum.checksum_crc32,
            checksum_crc32c: checksum.checksum_crc32c,
            checksum_crc64nvme: checksum.checksum_crc64nvme,
            checksum_sha256: checksum.checksum_sha256,
            checksum_type: Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
            e_tag: self.remembered.shown(&bucket, key.as_str(), info.etag),
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
        let mut input = request.input;
        let (bucket, key) = (parse_bucket(&input.bucket)?, parse_key(&input.key)?);
        input.if_match = self.remembered.behind(&bucket, key.as_str(), input.if_match);
        input.if_none_match = self.remembered.behind(&bucket, key.as_str(), input.if_none_match);
        let options = options::of_get(&input)?;
        let object = self.client.get_object(&bucket, &key, &options).await.map_err(to_s3s)?;
        let info = object.info;
        let memory = self.remembered.of(&bucket, key.as_str(), info.etag.as_deref());
        let wanted = input.checksum_mode.is_some() && options.range.is_none();
        let (checksum, checksum_type) = shown_checksum(memory.as_ref(), wanted);
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
            expires: info.content.expires.as_deref().and_then(http_date),
            checksum_crc32: checksum.checksum_crc32,
            checksum_crc32c: checksum.checksum_crc32c,
            checksum_crc64nvme: checksum.checksum_crc64nvme,
            checksum_sha256: checksum.checksum_sha256,
            checksum_type,
            e_tag: self.remembered.shown(&bucket, key.as_str(), info.etag),
            last_modified: info.last_modified.map(timestamp),
            metadata: metadata(info.metadata),
            storage_class: info.storage_class.map(StorageClass::from),
            tag_count: memory.and_then(|memory| i32::try_from(memory.tags.len()).ok()),
            version_id: info.version_id,
            ..Default::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let mut input = request.input;
        let (bucket, key) = (parse_bucket(&input.bucket)?, parse_key(&input.key)?);
        input.if_match = self.remembered.behind(&bucket, key.as_str(), input.if_match);
        input.if_none_match = self.remembered.behind(&bucket, key.as_str(), input.if_none_match);
        let options = options::of_head(&input)?;
        let info = self.client.head_object(&bucket, &key, &options).await.map_err(to_s3s)?;
        let memory = self.remembered.of(&bucket, key.as_str(), info.etag.as_deref());
        let wanted = input.checksum_mode.is_some() && options.range.is_none();
        let (checksum, checksum_type) = shown_checksum(memory.as_ref(), wanted);
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
            expires: info.content.expires.as_deref().and_then(http_date),
            checksum_crc32: checksum.checksum_crc32,
            checksum_crc32c: checksum.checksum_crc32c,
            checksum_crc64nvme: checksum.checksum_crc64nvme,
            checksum_sha256: checksum.checksum_sha256,
            checksum_type,
            e_tag: self.remembered.shown(&bucket, key.as_str(), info.etag),
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
        let if_match = self.remembered.behind(&bucket, key.as_str(), input.if_match);
        let options = DeleteOptions {
            version_id: input.version_id,
            if_match: if_match.as_ref().map(options::etag_condition),
        };
        self.client.delete_object(&bucket, &key, &options).await.map_err(to_s3s)?;
        self.remembered.forget(&bucket, &key);
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        batch::delete(self, request.input, &request.headers).await.map(S3Response::new)
    }

    async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let mut input = request.input;
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
        let behind = |condition| self.remembered.behind(&bucket, source.as_str(), condition);
        input.copy_source_if_match = behind(input.copy_source_if_match);
        input.copy_source_if_none_match = behind(input.copy_source_if_none_match);
        let mut options = options::of_copy(&input, &request.headers)?;
        if let WriteCondition::IfMatch(etag) = &mut options.condition {
            *etag = self.remembered.behind_text(&bucket, key.as_str(), etag);
        }
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
        match self.remembered.of(&bucket, source.as_str(), info.etag.as_deref()) {
            // The same bytes, so the same checksum; but one put, whatever the source was.
            Some(memory) => {
                let tags = if options.describes() { options.tags } else { memory.tags };
                let memory = Memory { completed: None, tags, ..memory };
                self.remembered.keep(&bucket, &key, memory);
            }
            None => self.remembered.forget(&bucket, &key),
        }
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

    async fn get_object_tagging(
        &self,
        request: S3Request<GetObjectTaggingInput>,
    ) -> S3Result<S3Response<GetObjectTaggingOutput>> {
        let input = request.input;
        refuse!(input, expected_bucket_owner);
        let (bucket, key) = (parse_bucket(&input.bucket)?, parse_key(&input.key)?);
        let options = GetOptions { version_id: input.version_id, ..Default::default() };
        let info = self.client.head_object(&bucket, &key, &options).await.map_err(to_s3s)?;
        let memory = self.remembered.of(&bucket, key.as_str(), info.etag.as_deref());
        let memory = memory.ok_or_else(|| {
            s3_error!(NotImplemented, "this server knows the tags of what was put through it")
        })?;
        let tag = |(key, value)| Tag { key: Some(key), value: Some(value) };
        Ok(S3Response::new(GetObjectTaggingOutput {
            tag_set: memory.tags.into_iter().map(tag).collect(),
            version_id: info.version_id,
        }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let bucket = parse_bucket(&input.bucket)?;
        let mut listing = match listing::options(&input)? {
            Some(options) => self.client.list_objects(&bucket, &options).await.map_err(to_s3s)?,
            None => artifact_s3::Listing::default(),
        };
        for object in &mut listing.objects {
            if let Some(memory) = self.remembered.of(&bucket, &object.key, object.etag.as_deref()) {
                object.etag = Some(memory.shown_etag().to_owned());
            }
        }
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

/// The checksum for the caller, where it is wanted and known.
fn shown_checksum(memory: Option<&Memory>, wanted: bool) -> (Checksum, Option<ChecksumType>) {
    match memory.filter(|_| wanted).map(Memory::shown_checksum) {
        Some((checksum, kind)) => (checksum, Some(kind)),
        None => (Checksum::default(), None),
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

/// A date that the client behind could not have stored through here is left out.
fn http_date(text: &str) -> Option<Timestamp> {
    Timestamp::parse(TimestampFormat::HttpDate, text).ok()
}

pub(super) fn timestamp(seconds: u64) -> Timestamp {
    Timestamp::from(UNIX_EPOCH + Duration::from_secs(seconds))
}

pub(crate) fn length(bytes: u64) -> S3Result<i64> {
    i64::try_from(bytes).map_err(|e| s3_error!(e, InternalError))
}
