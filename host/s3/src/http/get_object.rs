use std::{io, time::Duration};

use bytes::Bytes;
use futures::{Stream, stream};
use http::{Method, StatusCode};

use super::{
    HttpS3, encode,
    exchange::timed_out,
    object_headers,
    request::{Request, target},
    response::{Reading, broken_off},
};
use crate::{Body, Bucket, GetOptions, Object, ObjectKey, Operation, S3Error};

pub(super) async fn get_object(
    s3: &HttpS3,
    bucket: &Bucket,
    key: &ObjectKey,
    options: &GetOptions,
) -> Result<Object, S3Error> {
    let target = target(bucket, Some(key));
    let on = |error: S3Error| error.on(Operation::GetObject, target.clone());
    let operation = Operation::GetObject;
    let request = read_request(operation, Method::GET, bucket, key, options).map_err(on)?;
    let mut answer = s3.send(request).await?;
    // A caller that wants ten bytes must not be handed all of them as if they were these.
    if options.range.is_some() && answer.status != StatusCode::PARTIAL_CONTENT {
        return Err(on(answer.refused("the service ignored the range and sent the whole object")));
    }
    let info = object_headers::info(&answer.headers).map_err(on)?;
    let Some(response) = answer.stream.take() else {
        return Err(on(answer.refused("the answer has no body")));
    };
    let length = response.content_length();
    let download = Download {
        response,
        service: s3.parts().endpoint().authority().to_owned(),
        idle: s3.parts().idle_timeout,
        target,
    };
    Ok(Object { info, body: Body::from_stream(download.into_stream(), length) })
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

/// The bytes of an object on their way here.
///
/// That the connection ends before all of them are there is found by the HTTP
/// library, which knows the length that was announced.
struct Download {
    response: reqwest::Response,
    service: String,
    idle: Duration,
    target: String,
}

impl Download {
    fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send {
        stream::try_unfold(self, |mut download| async move {
            match download.chunk().await {
                Ok(chunk) => Ok(chunk.map(|chunk| (chunk, download))),
                Err(error) => Err(io::Error::from(error.on(Operation::GetObject, download.target))),
            }
        })
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, S3Error> {
        tokio::time::timeout(self.idle, self.response.chunk())
            .await
            .map_err(|_| timed_out(&self.service, self.idle))?
            .map_err(|error| broken_off(&self.service, error))
    }
}
