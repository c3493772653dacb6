use http::Method;

use super::{MultipartUpload, UnfinishedUpload};
use crate::{
    Bucket, ObjectKey, Operation, RetryPolicy, S3Error, S3ErrorKind,
    http::{HttpS3, encode, request::Request, response::Reading},
};

const OPERATION: Operation = Operation::AbortMultipartUpload;

impl MultipartUpload {
    /// Ends the upload without an object, and gives its parts' room back. One that
    /// is gone already, completed or aborted, is fine too.
    ///
    /// Source: [AbortMultipartUpload][api].
    ///
    /// [api]: https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
    pub(in crate::http) async fn abort(&self) -> Result<(), S3Error> {
        self.abort_by(self.s3.parts().retry).await
    }

    /// The same, with the tries and pauses of this policy.
    pub(super) async fn abort_by(&self, retry: RetryPolicy) -> Result<(), S3Error> {
        let mut request =
            Request::new(OPERATION, Method::DELETE, &self.bucket, Some(&self.key), Reading::Whole);
        request.query = encode::query([("uploadId", self.id.as_str())]);
        match self.s3.send_by(&request, retry).await {
            Err(error) if error.code() != Some("NoSuchUpload") => Err(error),
            _ => Ok(()),
        }
    }
}

impl HttpS3 {
    /// Aborts an upload that somebody left unfinished (`AbortMultipartUpload`).
    ///
    /// One that is gone already is fine too. Whoever is still sending parts of it
    /// fails; an object under the key stays as it is.
    pub async fn abort_upload(
        &self,
        bucket: &Bucket,
        upload: &UnfinishedUpload,
    ) -> Result<(), S3Error> {
        let key = ObjectKey::parse(&upload.key).map_err(|error| {
            S3Error::new(S3ErrorKind::InvalidRequest, error.to_string())
                .on(OPERATION, format!("{bucket}/{}", upload.key))
                .caused_by(error)
        })?;
        let id = upload.upload_id.clone();
        MultipartUpload { s3: self.clone(), bucket: bucket.clone(), key, id }.abort().await
    }
}
