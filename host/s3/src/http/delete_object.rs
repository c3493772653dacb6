use http::Method;

use super::{
    HttpS3, encode,
    get_object::version_query,
    request::{Request, target},
    response::Reading,
};
use crate::{Bucket, DeleteOptions, ObjectKey, Operation, S3Error};

pub(super) async fn delete_object(
    s3: &HttpS3,
    bucket: &Bucket,
    key: &ObjectKey,
    options: &DeleteOptions,
) -> Result<(), S3Error> {
    const OPERATION: Operation = Operation::DeleteObject;
    let on = |error: S3Error| error.on(OPERATION, target(bucket, Some(key)));
    options.check().map_err(on)?;
    let mut request = Request::new(OPERATION, Method::DELETE, bucket, Some(key), Reading::Whole);
    request.query = version_query(options.version_id.as_deref());
    if let Some(etag) = &options.if_match {
        request.headers.set("if-match", &encode::quoted(etag)).map_err(on)?;
        request.conditional_write = true;
    }
    s3.send(request).await?;
    Ok(())
}
