use http::Method;

use super::MultipartUpload;
use crate::{
    Operation, S3Error,
    http::{
        encode, object_headers,
        payload::Payload,
        request::{Headers, Request},
        response::Reading,
    },
};

const OPERATION: Operation = Operation::UploadPart;

impl MultipartUpload {
    /// Sends one part, again and again if need be, and gives its etag.
    ///
    /// Source: [UploadPart](https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html).
    pub(in crate::http) async fn upload_part(
        &self,
        number: u32,
        payload: Payload,
        headers: Headers,
    ) -> Result<String, S3Error> {
        let mut request =
            Request::new(OPERATION, Method::PUT, &self.bucket, Some(&self.key), Reading::Whole);
        request.query =
            encode::query([("partNumber", number.to_string().as_str()), ("uploadId", &self.id)]);
        request.headers = headers;
        request.payload = payload;
        let answer = self.s3.send(request).await?;
        object_headers::written(&answer.headers).etag.ok_or_else(|| {
            let error = answer.refused(format!(
                "the service gave no etag for part {number}, and the upload cannot be completed \
                 without it"
            ));
            self.on(OPERATION, error)
        })
    }
}
