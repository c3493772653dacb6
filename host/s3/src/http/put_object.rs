use http::Method;

use super::{
    HttpS3,
    multipart::{self, Upload},
    object_headers,
    request::{Request, target},
    response::Reading,
    upload_checksum::advised,
};
use crate::{Body, Bucket, ObjectInfo, ObjectKey, Operation, PutOptions, S3Error, WriteCondition};

const OPERATION: Operation = Operation::PutObject;

pub(super) async fn put_object(
    s3: &HttpS3,
    bucket: &Bucket,
    key: &ObjectKey,
    body: Body,
    options: &PutOptions,
) -> Result<ObjectInfo, S3Error> {
    let on = |error: S3Error| error.on(OPERATION, target(bucket, Some(key)));
    options.check().map_err(on)?;
    let mut payload = match Upload::of(s3, body).await.map_err(on)? {
        Upload::Whole(payload) => payload,
        // Boxed, as every put would otherwise be moved about with the room for this.
        Upload::InParts(source) => {
            return Box::pin(multipart::put(s3, bucket, key, source, options)).await;
        }
    };
    let algorithm = s3.checksum_of(options);
    let mut headers = object_headers::of_write(options).map_err(on)?;
    payload.seal(s3, algorithm, &mut headers).await.map_err(on)?;
    let mut request = Request::new(OPERATION, Method::PUT, bucket, Some(key), Reading::Whole);
    request.headers = headers;
    request.conditional_write = options.condition != WriteCondition::Unconditional;
    request.payload = payload;
    let answer = s3.send(&request).await.map_err(|error| advised(error, algorithm))?;
    Ok(object_headers::described(options, request.payload.length(), &answer.headers))
}
