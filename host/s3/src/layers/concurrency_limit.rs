use std::{fmt, sync::Arc};

use futures::{TryStreamExt, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Answer, Attempt, Call, Layer};
use crate::{Body, S3Client, S3Error, S3ErrorKind};

/// At most so many calls under way at a time; the others wait.
///
/// - A get is under way until its body was read to the end, broke, or was dropped.
/// - Who came first goes first. A waiting call that is dropped leaves the queue.
/// - The time spent waiting is not bounded here; put a [`Deadline`](super::Deadline)
///   in front.
/// - Who reads one object while storing what is read takes two places. With a limit of
///   1 such a put would wait for ever for the body that it is to read.
#[derive(Debug)]
pub struct ConcurrencyLimit<C> {
    limit: usize,
    places: Arc<Semaphore>,
    client: C,
}

impl<C> ConcurrencyLimit<C> {
    /// At most `limit` calls of this client at a time. 0 counts as 1.
    pub fn new(limit: usize, client: C) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Self { limit, places: Arc::new(Semaphore::new(limit)), client }
    }

    /// How many more calls could begin now.
    #[must_use]
    pub fn free(&self) -> usize {
        self.places.available_permits()
    }
}

impl<C: S3Client> Layer for ConcurrencyLimit<C> {
    type Client = C;

    fn client(&self) -> &C {
        &self.client
    }

    async fn around<T: Answer>(
        &self,
        call: Call<'_>,
        body: Body,
        attempt: &Attempt<'_, T>,
    ) -> Result<T, S3Error> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|closed| {
            S3Error::new(S3ErrorKind::Unreachable, closed.to_string())
                .on(call.operation, call.target())
        })?;
        let answer = attempt(body).await?;
        Ok(answer.map_body(|body| holding(body, place)))
    }
}

/// The same bytes; the place is free again when they end, break, or are dropped.
fn holding(body: Body, place: OwnedSemaphorePermit) -> Body {
    body.by_way_of(|bytes| {
        stream::try_unfold((bytes, place), |(mut bytes, place)| async move {
            Ok(bytes.try_next().await?.map(|chunk| (chunk, (bytes, place))))
        })
    })
}

impl<C: fmt::Display> fmt::Display for ConcurrencyLimit<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConcurrencyLimit({}, {})", self.limit, self.client)
    }
}
