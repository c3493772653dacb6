use http::Method;
use serde::Deserialize;

use super::MultipartUpload;
use crate::{
    Bucket, ObjectKey, Operation, S3Error,
    http::{
        HttpS3, encode,
        request::{Headers, Request, target},
        response::Reading,
    },
};

const OPERATION: Operation = Operation::CreateMultipartUpload;

/// Source: [CreateMultipartUpload][api].
///
/// [api]: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(in crate::http) struct InitiateMultipartUploadResult {
    upload_id: String,
}

impl MultipartUpload {
    /// Begins an upload; `headers` describe the object that it will be.
    pub(in crate::http) async fn create(
        s3: HttpS3,
        bucket: Bucket,
        key: ObjectKey,
        headers: Headers,
    ) -> Result<Self, S3Error> {
        let mut request =
            Request::new(OPERATION, Method::POST, &bucket, Some(&key), Reading::Whole);
        request.query = encode::query([("uploads", "")]);
        request.headers = headers;
        let answer = s3.send(&request).await?;
        let on = |error: S3Error| error.on(OPERATION, target(&bucket, Some(&key)));
        let result: InitiateMultipartUploadResult =
            answer.xml("InitiateMultipartUploadResult", s3.parts().endpoint()).map_err(on)?;
        if result.upload_id.is_empty() {
            return Err(on(answer.refused("the service gave no upload id")));
        }
        Ok(Self { s3, bucket, key, id: result.upload_id })
    }
}
