use http::Method;
use serde::Deserialize;

use super::{
    HttpS3, encode,
    head_object::describe,
    list_objects_v2::seconds,
    object_headers,
    request::{Request, target},
    response::Reading,
};
use crate::{
    Bucket, GetOptions, ObjectInfo, ObjectKey, Operation, PutOptions, S3Error, S3ErrorKind,
    WriteCondition,
};

const OPERATION: Operation = Operation::CopyObject;

/// Source: [CopyObject](https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html).
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct CopyObjectResult {
    #[serde(rename = "ETag")]
    etag: String,
    last_modified: String,
}

/// The answer to a copy does not say what was copied, so the source is described
/// first, and the copy made on the condition that it is still the same.
pub(super) async fn copy_object(
    s3: &HttpS3,
    bucket: &Bucket,
    source: &ObjectKey,
    key: &ObjectKey,
    options: &PutOptions,
) -> Result<ObjectInfo, S3Error> {
    let on = |error: S3Error| error.on(OPERATION, target(bucket, Some(key)));
    options.check().map_err(on)?;
    let copied = describe(s3, OPERATION, bucket, source, &GetOptions::default()).await?;
    let mut request = Request::new(OPERATION, Method::PUT, bucket, Some(key), Reading::Whole);
    request.headers = object_headers::of_write(options).map_err(on)?;
    request.conditional_write = options.condition != WriteCondition::Unconditional;
    let from = format!("{bucket}/{}", encode::path(source.as_str()));
    let directive = if options.describes() { "REPLACE" } else { "COPY" };
    let same = copied.etag.as_deref().map(encode::quoted);
    for (name, value) in [
        ("x-amz-copy-source", Some(from.as_str())),
        ("x-amz-copy-source-if-match", same.as_deref()),
        ("x-amz-metadata-directive", Some(directive)),
        ("x-amz-tagging-directive", Some(directive)),
        ("x-amz-checksum-algorithm", options.checksum.map(crate::ChecksumAlgorithm::name)),
    ] {
        request.headers.set_some(name, value).map_err(on)?;
    }
    let answer = s3.send(&request).await.map_err(|error| {
        let ours = options.condition == WriteCondition::Unconditional;
        if ours && error.kind() == S3ErrorKind::PreconditionFailed {
            // The condition on the source, which the caller knows nothing of.
            let message = "the source changed while it was copied; copy it again";
            return on(S3Error::new(S3ErrorKind::Service, message)
                .retryable(true)
                .caused_by(error));
        }
        error
    })?;
    let result: Result<CopyObjectResult, _> = answer.xml("CopyObjectResult", s3.parts().endpoint());
    let result = result.map_err(on)?;
    let described = object_headers::described(options, copied.size, &answer.headers);
    let (content, metadata) = if options.describes() {
        (described.content, described.metadata)
    } else {
        (copied.content, copied.metadata)
    };
    Ok(ObjectInfo {
        etag: encode::unquoted(&result.etag).or(described.etag),
        last_modified: seconds(&result.last_modified),
        content,
        metadata,
        ..described
    })
}
