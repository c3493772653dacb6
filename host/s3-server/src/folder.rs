use std::path::{Path, PathBuf};

use s3s::{
    S3Request, S3Result,
    access::{S3Access, S3AccessContext},
    dto::{
        CopyObjectInput, CopySource, CreateMultipartUploadInput, DeleteObjectInput, GetObjectInput,
        HeadObjectInput, ListObjectsInput, ListObjectsV2Input, PutObjectInput, Range,
    },
    s3_error,
};

use crate::adapter::refuse;

/// Stands before `s3s-fs`, and refuses what it would ignore or get wrong, so that a
/// folder is a small S3, but an honest one.
pub(crate) struct FolderRules {
    root: PathBuf,
}

impl FolderRules {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Refuses a key that would share its file with another, or has no file at all.
    fn check_key(&self, bucket: &str, key: &str, writes: bool) -> S3Result<()> {
        let unfit = |why: &str| {
            s3_error!(InvalidArgument, "this server keeps objects as files, and the key {why}")
        };
        if key.starts_with('/') || key.contains("//") {
            return Err(unfit("has an empty segment"));
        }
        if key.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(unfit("has a segment `.` or `..`"));
        }
        // What describes the object is in a file whose name holds both in base64.
        let base64 = |text: &str| text.len().div_ceil(3) * 4;
        if base64(bucket) + base64(key) + ".bucket-.object-.metadata.json".len() > 255 {
            return Err(s3_error!(
                KeyTooLongError,
                "this server keeps objects as files, and the key is too long for that"
            ));
        }
        if writes {
            let bucket = self.root.join(bucket);
            let file = bucket.join(key);
            if file.is_dir() && !key.ends_with('/') {
                return Err(unfit("is the beginning of another, which is a folder then"));
            }
            let mut above = file.ancestors().skip(1).take_while(|path| *path != bucket);
            if above.any(Path::is_file) {
                return Err(unfit("continues that of another object"));
            }
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl S3Access for FolderRules {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        if context.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "Signature is required"));
        }
        match context.s3_path().get_bucket_name() {
            Some(bucket) if context.s3_op().name() != "CreateBucket" => {
                if self.root.join(bucket).is_dir() {
                    Ok(())
                } else {
                    Err(s3_error!(NoSuchBucket, "The specified bucket does not exist"))
                }
            }
            _ => Ok(()),
        }
    }

    async fn put_object(&self, request: &mut S3Request<PutObjectInput>) -> S3Result<()> {
        let input = &request.input;
        refuse!(
            input,
            acl,
            object_lock_legal_hold_status,
            object_lock_mode,
            server_side_encryption,
            sse_customer_algorithm,
            ssekms_key_id,
            tagging,
        );
        self.check_key(&input.bucket, &input.key, true)
    }

    async fn create_multipart_upload(
        &self,
        request: &mut S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<()> {
        let input = &request.input;
        refuse!(
            input,
            acl,
            object_lock_legal_hold_status,
            object_lock_mode,
            server_side_encryption,
            sse_customer_algorithm,
            ssekms_key_id,
            tagging,
        );
        self.check_key(&input.bucket, &input.key, true)
    }

    async fn get_object(&self, request: &mut S3Request<GetObjectInput>) -> S3Result<()> {
        let input = &mut request.input;
        refuse!(
            input,
            if_match,
            if_modified_since,
            if_none_match,
            if_unmodified_since,
            part_number,
            version_id,
        );
        self.check_key(&input.bucket, &input.key, false)?;
        if let Some(Range::Suffix { length }) = input.range {
            // More than there is means all there is; s3s-fs would seek before the file.
            let file = self.root.join(&input.bucket).join(&input.key);
            let size = std::fs::metadata(file).map(|file| file.len()).unwrap_or_default();
            if size <= length {
                input.range = Some(Range::Int { first: 0, last: None });
            }
        }
        Ok(())
    }

    async fn head_object(&self, request: &mut S3Request<HeadObjectInput>) -> S3Result<()> {
        let input = &request.input;
        refuse!(
            input,
            if_match,
            if_modified_since,
            if_none_match,
            if_unmodified_since,
            part_number,
            range,
            version_id,
        );
        self.check_key(&input.bucket, &input.key, false)
    }

    async fn delete_object(&self, request: &mut S3Request<DeleteObjectInput>) -> S3Result<()> {
        let input = &request.input;
        refuse!(input, if_match, if_match_last_modified_time, if_match_size, mfa, version_id);
        self.check_key(&input.bucket, &input.key, false)
    }

    async fn copy_object(&self, request: &mut S3Request<CopyObjectInput>) -> S3Result<()> {
        let conditions = ["if-match", "if-none-match"];
        if conditions.iter().any(|name| request.headers.contains_key(*name)) {
            return Err(s3_error!(NotImplemented, "this server copies without conditions"));
        }
        let input = &request.input;
        refuse!(input, acl, server_side_encryption, storage_class, tagging);
        if let CopySource::Bucket { bucket, key, .. } = &input.copy_source {
            self.check_key(bucket, key, false)?;
        }
        self.check_key(&input.bucket, &input.key, true)
    }

    async fn list_objects(&self, request: &mut S3Request<ListObjectsInput>) -> S3Result<()> {
        // s3s-fs would say that keys are encoded, and not encode them.
        request.input.encoding_type = None;
        check_delimiter(request.input.delimiter.as_deref())
    }

    async fn list_objects_v2(&self, request: &mut S3Request<ListObjectsV2Input>) -> S3Result<()> {
        request.input.encoding_type = None;
        check_delimiter(request.input.delimiter.as_deref())
    }
}

/// s3s-fs looks at the first character only.
fn check_delimiter(delimiter: Option<&str>) -> S3Result<()> {
    match delimiter {
        Some(delimiter) if delimiter.chars().count() > 1 => {
            Err(s3_error!(NotImplemented, "this server takes a delimiter of one character"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_never_leads_out_of_its_bucket() {
        let rules = FolderRules::new(PathBuf::from("/nonexistent"));
        let check = |key: &str| rules.check_key("bucket", key, true).map_err(|e| e.code().clone());
        for key in ["../x", "a/../../x", "..", "/etc/passwd", "a//b", "./a", "a/."] {
            assert_eq!(check(key), Err(s3s::S3ErrorCode::InvalidArgument), "{key}");
        }
        assert_eq!(check(&"k".repeat(200)), Err(s3s::S3ErrorCode::KeyTooLongError));
        for key in ["a", "a/b", "a/", "..a", "a..", ".hidden"] {
            assert_eq!(check(key), Ok(()), "{key}");
        }
    }
}
