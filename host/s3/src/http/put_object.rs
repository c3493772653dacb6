use http::Method;

use super::{
    HttpS3, object_headers,
    payload::Payload,
    request::{Request, target},
    response::Reading,
};
use crate::{Body, Bucket, ObjectInfo, ObjectKey, Operation, PutOptions, S3Error, WriteCondition};

pub(super) async fn put_object(
    s3: &HttpS3,
    bucket: &Bucket,
    key: &ObjectKey,
    body: Body,
    options: &PutOptions,
) -> Result<ObjectInfo, S3Error> {
    const OPERATION: Operation = Operation::PutObject;
    let on = |error: S3Error| error.on(OPERATION, target(bucket, Some(key)));
    let mut request = Request::new(OPERATION, Method::PUT, bucket, Some(key), Reading::Whole);
    prepare(s3, body, options, &mut request).await.map_err(on)?;
    let size = request.payload.length();
    let answer = s3.send(request).await?;
    Ok(object_headers::described(options, size, &answer.headers))
}

async fn prepare(
    s3: &HttpS3,
    body: Body,
    options: &PutOptions,
    request: &mut Request<'_>,
) -> Result<(), S3Error> {
    options.check()?;
    request.headers = object_headers::of_write(options)?;
    request.conditional_write = options.condition != WriteCondition::Unconditional;
    request.payload = Payload::of(body, options.checksum).await?;
    if let Some(algorithm) = options.checksum {
        let checksum = request.payload.checksum(algorithm).await?;
        request.headers.set(algorithm.header(), &checksum)?;
    }
    if s3.parts().keys.is_some() && s3.parts().endpoint().is_plain_http() {
        request.payload.hash_if_in_memory().await?;
    }
    Ok(())
}
