use http::Method;

use super::{
    HttpS3,
    multipart::{self, Upload},
    object_headers,
    payload::Payload,
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
    match Upload::of(s3, body).await.map_err(on)? {
        Upload::Whole(payload) => put_whole(s3, bucket, key, payload, options).await,
        Upload::InParts(source) => {
            // Boxed, as every put would otherwise be moved about with the room for this.
            Box::pin(multipart::put(s3, bucket, key, source, options)).await
        }
    }
}

async fn put_whole(
    s3: &HttpS3,
    bucket: &Bucket,
    key: &ObjectKey,
    mut payload: Payload,
    options: &PutOptions,
) -> Result<ObjectInfo, S3Error> {
    let on = |error: S3Error| error.on(OPERATION, target(bucket, Some(key)));
    let algorithm = s3.checksum_of(options);
    let mut request = Request::new(OPERATION, Method::PUT, bucket, Some(key), Reading::Whole);
    request.headers = object_headers::of_write(options).map_err(on)?;
    request.conditional_write = options.condition != WriteCondition::Unconditional;
    payload.seal(s3, algorithm, &mut request.headers).await.map_err(on)?;
    let size = payload.length();
    request.payload = payload;
    let answer = s3.send(request).await.map_err(|error| advised(error, algorithm))?;
    Ok(object_headers::described(options, size, &answer.headers))
}
