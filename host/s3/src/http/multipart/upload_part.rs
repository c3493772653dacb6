use http::Method;

use super::{MultipartUpload, complete::CompletedPart};
use crate::{
    ChecksumAlgorithm, Operation, S3Error,
    http::{encode, object_headers, payload::Payload, request::Request, response::Reading},
};

const OPERATION: Operation = Operation::UploadPart;

impl MultipartUpload {
    /// Sends one part, again and again if need be.
    ///
    /// Source: [UploadPart](https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html).
    pub(in crate::http) async fn send_part(
        &self,
        number: u32,
        mut payload: Payload,
        algorithm: Option<ChecksumAlgorithm>,
    ) -> Result<CompletedPart, S3Error> {
        let on = |error: S3Error| self.on(OPERATION, error);
        let mut request =
            Request::new(OPERATION, Method::PUT, &self.bucket, Some(&self.key), Reading::Whole);
        request.query =
            encode::query([("partNumber", number.to_string().as_str()), ("uploadId", &self.id)]);
        let sealed = payload.seal(&self.s3, algorithm, &mut request.headers).await;
        let checksum = sealed.map_err(on)?;
        let length = payload.length();
        request.payload = payload;
        let answer = self.s3.send(&request).await?;
        let etag = object_headers::written(&answer.headers).etag.ok_or_else(|| {
            on(answer.refused(format!(
                "the service gave no etag for part {number}, and the upload cannot be completed \
                 without it"
            )))
        })?;
        Ok(CompletedPart { number, etag, checksum, length })
    }
}
