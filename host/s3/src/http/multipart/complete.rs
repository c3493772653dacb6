use std::fmt::Write;

use http::{HeaderMap, Method};
use quick_xml::escape::partial_escape;
use serde::Deserialize;

use super::MultipartUpload;
use crate::{
    ChecksumAlgorithm, Operation, S3Error,
    http::{
        encode, object_headers,
        payload::Payload,
        request::{Headers, Request},
        response::Reading,
    },
};

const OPERATION: Operation = Operation::CompleteMultipartUpload;

/// A part that the service has.
#[derive(Clone, Debug)]
pub(in crate::http) struct CompletedPart {
    pub(in crate::http) number: u32,
    pub(in crate::http) etag: String,
    /// In base64, where one was sent.
    pub(in crate::http) checksum: Option<String>,
    pub(in crate::http) length: u64,
}

/// What the service said of an object that it made.
#[derive(Debug)]
pub(in crate::http) struct Completed {
    pub(in crate::http) etag: Option<String>,
    pub(in crate::http) headers: HeaderMap,
}

/// Source: [CompleteMultipartUpload][api].
///
/// [api]: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(in crate::http) struct CompleteMultipartUploadResult {
    #[serde(rename = "ETag")]
    etag: String,
}

impl MultipartUpload {
    /// Makes the object of its parts, which are in the order of their numbers.
    ///
    /// It is tried again also where it may have been done, and with a condition as well:
    /// unlike a put, it cannot be done twice.
    pub(in crate::http) async fn complete(
        &self,
        parts: &[CompletedPart],
        algorithm: Option<ChecksumAlgorithm>,
        headers: Headers,
    ) -> Result<Completed, S3Error> {
        let on = |error: S3Error| self.on(OPERATION, error);
        let mut request =
            Request::new(OPERATION, Method::POST, &self.bucket, Some(&self.key), Reading::Whole);
        request.query = encode::query([("uploadId", self.id.as_str())]);
        request.headers = headers;
        request.payload = Payload::of(xml(parts, algorithm).into());
        request.payload.seal(&self.s3, None, &mut request.headers).await.map_err(on)?;
        let answer = self.s3.send(&request).await?;
        let endpoint = self.s3.parts().endpoint();
        let result: CompleteMultipartUploadResult =
            answer.xml("CompleteMultipartUploadResult", endpoint).map_err(on)?;
        let etag = encode::unquoted(&result.etag);
        let etag = etag.or_else(|| object_headers::written(&answer.headers).etag);
        Ok(Completed { etag, headers: answer.headers })
    }
}

fn xml(parts: &[CompletedPart], algorithm: Option<ChecksumAlgorithm>) -> String {
    let mut xml =
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">".to_owned();
    for CompletedPart { number, etag, checksum, .. } in parts {
        let etag = encode::quoted(etag);
        // Writing to a string cannot fail.
        let _ = write!(
            xml,
            "<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag>",
            partial_escape(etag.as_ref())
        );
        if let (Some(algorithm), Some(checksum)) = (algorithm, checksum) {
            let name = algorithm.name();
            let _ = write!(xml, "<Checksum{name}>{checksum}</Checksum{name}>");
        }
        xml.push_str("</Part>");
    }
    xml.push_str("</CompleteMultipartUpload>");
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_listed_as_s3_wants_them() {
        let part = |number, etag: &str, checksum: Option<&str>| CompletedPart {
            number,
            etag: etag.to_owned(),
            checksum: checksum.map(str::to_owned),
            length: 1,
        };
        let parts = [part(1, "a<b", Some("AAAA")), part(2, "c", None)];
        assert_eq!(
            xml(&parts, Some(ChecksumAlgorithm::Crc64Nvme)),
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part>\
             <PartNumber>1</PartNumber><ETag>\"a&lt;b\"</ETag><ChecksumCRC64NVME>AAAA\
             </ChecksumCRC64NVME></Part><Part><PartNumber>2</PartNumber><ETag>\"c\"</ETag></Part>\
             </CompleteMultipartUpload>"
        );
    }
}
