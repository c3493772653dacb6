use http::{HeaderMap, Method};
use serde::{Deserialize, Serialize};

use super::MultipartUpload;
use crate::{
    Operation, S3Error, S3ErrorKind,
    http::{
        encode, object_headers,
        payload::Payload,
        request::{Headers, Request},
        response::Reading,
    },
};

const OPERATION: Operation = Operation::CompleteMultipartUpload;

/// Source: [CompleteMultipartUpload][api].
///
/// [api]: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
#[derive(Debug, Serialize)]
#[serde(rename = "CompleteMultipartUpload")]
struct Parts<'a> {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    #[serde(rename = "Part")]
    parts: &'a [CompletedPart],
}

/// A part that the service has.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct CompletedPart {
    #[serde(rename = "PartNumber")]
    pub(in crate::http) number: u32,
    #[serde(rename = "ETag")]
    pub(in crate::http) etag: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct CompleteMultipartUploadResult {
    #[serde(rename = "ETag")]
    etag: String,
}

impl MultipartUpload {
    /// Makes the object of its parts, which are in the order of their numbers.
    ///
    /// Gives the object's etag, and the headers of the answer.
    pub(in crate::http) async fn complete(
        &self,
        parts: &[CompletedPart],
        headers: Headers,
    ) -> Result<(Option<String>, HeaderMap), S3Error> {
        let mut request =
            Request::new(OPERATION, Method::POST, &self.bucket, Some(&self.key), Reading::Whole);
        request.query = encode::query([("uploadId", self.id.as_str())]);
        request.headers = headers;
        request.payload = Payload::of(xml(parts).map_err(|e| self.on(OPERATION, e))?.into(), None)
            .await
            .map_err(|error| self.on(OPERATION, error))?;
        let answer = self.s3.send(request).await?;
        let result: CompleteMultipartUploadResult = answer
            .xml("CompleteMultipartUploadResult", self.s3.parts().endpoint())
            .map_err(|error| self.on(OPERATION, error))?;
        let etag = encode::unquoted(&result.etag);
        Ok((etag.or(object_headers::written(&answer.headers).etag), answer.headers))
    }
}

fn xml(parts: &[CompletedPart]) -> Result<String, S3Error> {
    let namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    quick_xml::se::to_string(&Parts { namespace, parts }).map_err(|error| {
        S3Error::new(S3ErrorKind::Service, "the list of parts cannot be written as XML")
            .caused_by(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_listed_as_s3_wants_them() {
        let parts = [CompletedPart { number: 1, etag: "\"a<b\"".to_owned() }];
        assert_eq!(
            xml(&parts).unwrap(),
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part>\
             <PartNumber>1</PartNumber><ETag>\"a&lt;b\"</ETag></Part></CompleteMultipartUpload>"
        );
    }
}
