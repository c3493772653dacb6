use std::sync::Arc;

use s3s::{
    S3Result,
    dto::{CreateMultipartUploadInput, CreateMultipartUploadOutput, PutObjectInput},
};

use super::{
    checksum::UploadChecksum,
    uploads::{Upload, Uploads},
};

pub(super) async fn create(
    uploads: &Uploads,
    input: CreateMultipartUploadInput,
) -> S3Result<CreateMultipartUploadOutput> {
    let checksum = UploadChecksum::of(&input)?;
    let upload: Arc<Upload> = uploads.begin(input, checksum).await?;
    let input = upload.created.clone();
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(upload.id.clone()),
        checksum_type: checksum.asked.then(|| checksum.kind()),
        checksum_algorithm: input.checksum_algorithm,
        server_side_encryption: input.server_side_encryption,
        ..Default::default()
    })
}

/// The put that would store the same object, but for its bytes.
pub(super) fn to_put(input: CreateMultipartUploadInput) -> PutObjectInput {
    PutObjectInput {
        acl: input.acl,
        bucket: input.bucket,
        bucket_key_enabled: input.bucket_key_enabled,
        cache_control: input.cache_control,
        content_disposition: input.content_disposition,
        content_encoding: input.content_encoding,
        content_language: input.content_language,
        content_type: input.content_type,
        expected_bucket_owner: input.expected_bucket_owner,
        expires: input.expires,
        grant_full_control: input.grant_full_control,
        grant_read: input.grant_read,
        grant_read_acp: input.grant_read_acp,
        grant_write_acp: input.grant_write_acp,
        key: input.key,
        metadata: input.metadata,
        object_lock_legal_hold_status: input.object_lock_legal_hold_status,
        object_lock_mode: input.object_lock_mode,
        object_lock_retain_until_date: input.object_lock_retain_until_date,
        request_payer: input.request_payer,
        sse_customer_algorithm: input.sse_customer_algorithm,
        sse_customer_key: input.sse_customer_key,
        sse_customer_key_md5: input.sse_customer_key_md5,
        ssekms_encryption_context: input.ssekms_encryption_context,
        ssekms_key_id: input.ssekms_key_id,
        server_side_encryption: input.server_side_encryption,
        storage_class: input.storage_class,
        tagging: input.tagging,
        website_redirect_location: input.website_redirect_location,
        ..Default::default()
    }
}
