use http::Method;

use super::{
    HttpS3,
    download::Download,
    encode, object_headers,
    request::{Request, target},
    response::Reading,
};
use crate::{Bucket, GetOptions, Object, ObjectKey, Operation, S3Error};

pub(super) async fn get_object(
    s3: &HttpS3,
    bucket: &Bucket,
    key: &ObjectKey,
    options: &GetOptions,
) -> Result<Object, S3Error> {
    let target = target(bucket, Some(key));
    let on = |error: S3Error| error.on(Operation::GetObject, target.clone());
    let operation = Operation::GetObject;
    let mut request = read_request(operation, Method::GET, bucket, key, options).map_err(on)?;
    if s3.parts().verify_downloads && options.range.is_none() {
        request.headers.set("x-amz-checksum-mode", "ENABLED").map_err(on)?;
    }
    let answer = s3.send(request).await?;
    Ok(Download::begin(s3, bucket, key, options, answer).map_err(on)?.into_object())
}

/// `GetObject` and `HeadObject` take the same options.
pub(super) fn read_request<'a>(
    operation: Operation,
    method: Method,
    bucket: &'a Bucket,
    key: &'a ObjectKey,
    options: &GetOptions,
) -> Result<Request<'a>, S3Error> {
    options.check()?;
    let mut request = Request::new(operation, method, bucket, Some(key), Reading::Stream);
    request.headers = object_headers::of_read(options)?;
    request.query = version_query(options.version_id.as_deref());
    Ok(request)
}

/// The query that names a version, if one is named.
pub(super) fn version_query(version_id: Option<&str>) -> String {
    encode::query(version_id.map(|id| ("versionId", id)))
}
