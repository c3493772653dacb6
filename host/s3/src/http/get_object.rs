use http::{HeaderName, HeaderValue, Method};

use super::{
    HttpS3,
    download::Download,
    encode, object_headers,
    request::{Request, target},
    response::Reading,
};
use crate::{Bucket, GetOptions, Object, ObjectKey, Operation, S3Error};

const CHECKSUM_MODE: HeaderName = HeaderName::from_static("x-amz-checksum-mode");

pub(super) async fn get_object(
    s3: &HttpS3,
    bucket: &Bucket,
    key: &ObjectKey,
    options: &GetOptions,
) -> Result<Object, S3Error> {
    let on = |error: S3Error| error.on(Operation::GetObject, target(bucket, Some(key)));
    let operation = Operation::GetObject;
    let mut request = read_request(operation, Method::GET, bucket, key, options).map_err(on)?;
    if s3.parts().verify_downloads && options.range.is_none() {
        request.headers.0.insert(CHECKSUM_MODE, HeaderValue::from_static("ENABLED"));
    }
    let answer = s3.send(&request).await?;
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
