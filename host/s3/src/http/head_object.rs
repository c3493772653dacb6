use http::Method;

use super::{HttpS3, get_object::read_request, object_headers, request::target};
use crate::{Bucket, GetOptions, ObjectInfo, ObjectKey, Operation, S3Error};

pub(super) async fn head_object(
    s3: &HttpS3,
    bucket: &Bucket,
    key: &ObjectKey,
    options: &GetOptions,
) -> Result<ObjectInfo, S3Error> {
    describe(s3, Operation::HeadObject, bucket, key, options).await
}

/// A `HeadObject` as a part of `operation`.
pub(super) async fn describe(
    s3: &HttpS3,
    operation: Operation,
    bucket: &Bucket,
    key: &ObjectKey,
    options: &GetOptions,
) -> Result<ObjectInfo, S3Error> {
    let on = |error: S3Error| error.on(operation, target(bucket, Some(key)));
    let request = read_request(operation, Method::HEAD, bucket, key, options).map_err(on)?;
    let answer = s3.send(&request).await?;
    object_headers::info(&answer.headers).map_err(|error| on(answer.tried(error)))
}
