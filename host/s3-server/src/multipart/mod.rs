//! Multipart uploads, before any server of single puts.
//!
//! The parts are kept in temporary files, and put as one object once the upload is
//! completed: so what is behind needs to know nothing of parts, and an upload that is
//! given up never shows.

mod checksum;
mod complete;
mod create;
mod list;
mod part_file;
mod receive;
mod uploads;

use std::{fmt, sync::Arc};

use s3s::{
    S3, S3Request, S3Response, S3Result,
    dto::{
        AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
        CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput, CreateBucketInput,
        CreateBucketOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput,
        DeleteBucketInput, DeleteBucketOutput, DeleteObjectInput, DeleteObjectOutput,
        DeleteObjectsInput, DeleteObjectsOutput, ETag, GetBucketLocationInput,
        GetBucketLocationOutput, GetObjectInput, GetObjectOutput, GetObjectTaggingInput,
        GetObjectTaggingOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput,
        HeadObjectOutput, ListBucketsInput, ListBucketsOutput, ListMultipartUploadsInput,
        ListMultipartUploadsOutput, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
        ListObjectsV2Output, ListPartsInput, ListPartsOutput, PutObjectInput, PutObjectOutput,
        UploadPartInput, UploadPartOutput,
    },
    s3_error,
};

pub use self::uploads::UnfinishedUpload;
pub(crate) use self::uploads::{Limits, Uploads};
use crate::adapter::refuse;

/// Adds multipart uploads to what answers single puts.
pub(crate) struct Multipart<B>(Arc<Parts<B>>);

struct Parts<B> {
    backend: B,
    uploads: Arc<Uploads>,
    check: fn(&PutObjectInput) -> S3Result<()>,
}

impl<B> Multipart<B> {
    /// `check` refuses, when an upload begins, what `backend` would refuse at its end.
    pub(crate) fn new(
        backend: B,
        uploads: Arc<Uploads>,
        check: fn(&PutObjectInput) -> S3Result<()>,
    ) -> Self {
        Self(Arc::new(Parts { backend, uploads, check }))
    }
}

impl<B: S3> Multipart<B> {
    async fn check_bucket<I>(&self, request: &S3Request<I>, bucket: &str) -> S3Result<()> {
        let head = S3Request {
            input: HeadBucketInput { bucket: bucket.to_owned(), ..Default::default() },
            method: request.method.clone(),
            uri: request.uri.clone(),
            headers: http::HeaderMap::new(),
            extensions: http::Extensions::new(),
            credentials: request.credentials.clone(),
            region: request.region.clone(),
            service: request.service.clone(),
            trailing_headers: None,
        };
        self.0.backend.head_bucket(head).await.map(drop)
    }
}

impl<B: fmt::Debug> fmt::Debug for Multipart<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Multipart").field(&self.0.backend).finish()
    }
}

#[async_trait::async_trait]
impl<B: S3> S3 for Multipart<B> {
    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        (self.0.check)(&create::to_put(request.input.clone()))?;
        self.check_bucket(&request, &request.input.bucket).await?;
        create::create(&self.0.uploads, request.input).await.map(S3Response::new)
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let (upload, part) = receive::receive(&self.0.uploads, request).await?;
        let checksum = part.checksum.clone();
        Ok(S3Response::new(UploadPartOutput {
            checksum_crc32: checksum.checksum_crc32,
            checksum_crc32c: checksum.checksum_crc32c,
            checksum_crc64nvme: checksum.checksum_crc64nvme,
            checksum_sha256: checksum.checksum_sha256,
            e_tag: Some(ETag::Strong(part.etag())),
            server_side_encryption: upload.created.server_side_encryption.clone(),
            ..Default::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let parts = Arc::clone(&self.0);
        // A task of its own: a service, too, goes on where the caller's connection breaks.
        let completed = tokio::spawn(async move {
            complete::complete(&parts.backend, &parts.uploads, request).await
        });
        completed.await.map_err(|e| s3_error!(e, InternalError))?.map(S3Response::new)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = request.input;
        refuse!(input, expected_bucket_owner, if_match_initiated_time);
        let uploads = &self.0.uploads;
        let upload = uploads.find(&input.upload_id, &input.bucket, &input.key)?;
        let _ending = upload.ending.lock().await;
        uploads.end(&upload)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        self.check_bucket(&request, &request.input.bucket).await?;
        list::uploads(&self.0.uploads, request.input).map(S3Response::new)
    }

    async fn list_parts(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        list::parts(&self.0.uploads, request.input).map(S3Response::new)
    }

    // The rest is what is behind.

    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        self.0.backend.put_object(request).await
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        self.0.backend.get_object(request).await
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        self.0.backend.head_object(request).await
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.0.backend.delete_object(request).await
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        self.0.backend.delete_objects(request).await
    }

    async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        self.0.backend.copy_object(request).await
    }

    async fn get_object_tagging(
        &self,
        request: S3Request<GetObjectTaggingInput>,
    ) -> S3Result<S3Response<GetObjectTaggingOutput>> {
        self.0.backend.get_object_tagging(request).await
    }

    async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        self.0.backend.list_objects(request).await
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.0.backend.list_objects_v2(request).await
    }

    async fn list_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        self.0.backend.list_buckets(request).await
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.0.backend.head_bucket(request).await
    }

    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        self.0.backend.create_bucket(request).await
    }

    async fn delete_bucket(
        &self,
        request: S3Request<DeleteBucketInput>,
    ) -> S3Result<S3Response<DeleteBucketOutput>> {
        self.0.backend.delete_bucket(request).await
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.0.backend.get_bucket_location(request).await
    }
}
