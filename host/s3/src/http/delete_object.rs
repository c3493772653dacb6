use http::{HeaderMap, Method};

use super::{
    HttpS3, encode,
    get_object::version_query,
    object_headers,
    request::{Request, target},
    response::Reading,
};
use crate::{Bucket, DeleteOptions, DeleteOutcome, ObjectKey, Operation, S3Error};

const OPERATION: Operation = Operation::DeleteObject;

impl HttpS3 {
    /// Deletes an object as [`S3Client::delete_object`](crate::S3Client::delete_object)
    /// does, and gives what the service says of versions.
    pub async fn delete_with_outcome(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<DeleteOutcome, S3Error> {
        let on = |error: S3Error| error.on(OPERATION, target(bucket, Some(key)));
        options.check().map_err(on)?;
        self.known().check_delete(bucket, options).map_err(on)?;
        let mut request =
            Request::new(OPERATION, Method::DELETE, bucket, Some(key), Reading::Whole);
        request.query = version_query(options.version_id.as_deref());
        if let Some(etag) = &options.if_match {
            request.headers.set("if-match", &encode::quoted(etag)).map_err(on)?;
            request.conditional_write = true;
        }
        Ok(outcome(&self.send(&request).await?.headers))
    }
}

fn outcome(headers: &HeaderMap) -> DeleteOutcome {
    let is_marker = headers.get("x-amz-delete-marker").is_some_and(|value| value == "true");
    DeleteOutcome {
        version_id: object_headers::written(headers).version_id,
        delete_marker: is_marker,
    }
}
