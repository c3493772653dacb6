use std::sync::Arc;

use futures::{TryStreamExt, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{
    Multipart, MultipartUpload,
    complete::CompletedPart,
    source::{Gathering, Slices, Source},
    unfinished::Unfinished,
};
use crate::{
    Body, Bucket, ChecksumAlgorithm, ObjectInfo, ObjectKey, Operation, PutOptions, S3Error,
    body_error::too_long,
    http::{
        HttpS3, object_headers,
        payload::Payload,
        request::{Headers, target},
        upload_checksum::advised,
    },
    patience::PATIENCE,
};

/// How a body goes up.
pub(in crate::http) enum Upload {
    /// In one request.
    Whole(Payload),
    InParts(Source),
}

impl Upload {
    pub(in crate::http) async fn of(s3: &HttpS3, body: Body) -> Result<Self, S3Error> {
        let multipart = s3.parts().multipart;
        match body.length() {
            Some(length) if length > Body::MAX_OBJECT => Err(too_long()),
            Some(length) if body.is_replayable() && length <= multipart.threshold => {
                Ok(Self::Whole(Payload::of(body)))
            }
            Some(_) if body.is_replayable() => {
                Ok(Self::InParts(Source::Replayable(Slices::of(body))))
            }
            _ => {
                let mut gathering = Gathering::of(body, s3.parts().idle_timeout);
                Ok(match gathering.all(multipart.held()).await? {
                    Some(blocks) => Self::Whole(Payload::of(Body::from_chunks(blocks))),
                    None => Self::InParts(Source::Stream(gathering)),
                })
            }
        }
    }
}

/// Stores a body part by part.
///
/// Whatever happens, and also if the future is dropped, the upload ends: completed, or
/// aborted.
pub(in crate::http) async fn put(
    s3: &HttpS3,
    bucket: &Bucket,
    key: &ObjectKey,
    source: Source,
    options: &PutOptions,
) -> Result<ObjectInfo, S3Error> {
    let algorithm = s3.checksum_of(options);
    let on = |error: S3Error| error.on(Operation::PutObject, target(bucket, Some(key)));
    s3.known().check_multipart(bucket, &options.condition).map_err(on)?;
    let mut description = object_headers::of_object(options).map_err(on)?;
    let mut completing = Headers::default();
    object_headers::set_condition(&options.condition, &mut completing).map_err(on)?;
    if let Some(algorithm) = algorithm {
        description.set("x-amz-checksum-algorithm", algorithm.name()).map_err(on)?;
        description.set("x-amz-checksum-type", algorithm.multipart_type()).map_err(on)?;
    }
    let creating = MultipartUpload::create(s3.clone(), bucket.clone(), key.clone(), description);
    // In a task of its own: whose future is dropped now would not learn the upload's id.
    let begun = s3.to_its_end(async move { creating.await.map(Unfinished::new) }).await;
    let upload = begun.map_err(|error| advised(error, algorithm))?;
    let sent = send_parts(&upload, s3.parts().multipart, source, algorithm).await;
    let parts = match sent {
        Ok(parts) => parts,
        Err(error) => {
            upload.abort().await;
            return Err(advised(error, algorithm));
        }
    };
    let size = parts.iter().map(|part| part.length).sum();
    // To its end: to abort what is being completed could lose what is stored already.
    let completed = s3.to_its_end(upload.end(parts, algorithm, completing)).await?;
    let described = object_headers::described(options, size, &completed.headers);
    Ok(ObjectInfo { etag: completed.etag, ..described })
}

/// Sends all parts, some of them at once, and gives them in order.
///
/// Parts in flight are futures within this one, so that dropping it stops them.
async fn send_parts(
    upload: &MultipartUpload,
    multipart: Multipart,
    source: Source,
    algorithm: Option<ChecksumAlgorithm>,
) -> Result<Vec<CompletedPart>, S3Error> {
    let opened = match source {
        Source::Replayable(_) => 1,
        // One is read while another is sent.
        Source::Stream(_) => multipart.parallel.min(2),
    };
    let cutting = Cutting {
        places: Arc::new(Semaphore::new(opened)),
        opened,
        multipart,
        source,
        parts: 0,
        sent: 0,
    };
    let on = |error: S3Error| upload.on(Operation::PutObject, error);
    let mut parts: Vec<CompletedPart> = stream::try_unfold(cutting, Cutting::next)
        .map_err(on)
        .map_ok(|Part { number, payload, place }| async move {
            let sent = upload.send_part(number, payload, algorithm).await;
            drop(place);
            sent
        })
        .try_buffer_unordered(multipart.parallel)
        .try_collect()
        .await?;
    parts.sort_unstable_by_key(|part| part.number);
    Ok(parts)
}

/// The source, and how much of it was handed on.
struct Cutting {
    multipart: Multipart,
    /// What bounds the memory: a part has its place from before it is read until it is
    /// stored.
    places: Arc<Semaphore>,
    /// How many there are by now, of the `parallel` that there may be.
    opened: usize,
    source: Source,
    parts: u32,
    sent: u64,
}

/// A part to be sent.
struct Part {
    number: u32,
    payload: Payload,
    place: Option<OwnedSemaphorePermit>,
}

impl Cutting {
    /// The next part, and what is left.
    async fn next(mut self) -> Result<Option<(Part, Self)>, S3Error> {
        let size = self.multipart.next_part(self.source.length(), self.parts.into(), self.sent);
        let places = match self.source {
            Source::Replayable(_) => 1,
            Source::Stream(_) => self.multipart.places(size),
        };
        let place = self.place(places).await;
        let Some(payload) = self.source.next(size).await? else {
            return Ok(None);
        };
        self.parts += 1;
        self.sent += payload.length();
        Ok(Some((Part { number: self.parts, payload, place }, self)))
    }

    /// So many places, as soon as there are so many: those that parts have left, or one
    /// more where none leaves any for a while.
    async fn place(&mut self, count: u32) -> Option<OwnedSemaphorePermit> {
        while self.opened < self.multipart.parallel {
            let left = Arc::clone(&self.places).acquire_many_owned(count);
            // It never closes, and so never fails.
            if let Ok(place) = timeout(PATIENCE, left).await {
                return place.ok();
            }
            self.opened += 1;
            self.places.add_permits(1);
        }
        Arc::clone(&self.places).acquire_many_owned(count).await.ok()
    }
}
