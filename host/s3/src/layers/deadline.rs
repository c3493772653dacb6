use std::{fmt, io, time::Duration};

use futures::{TryStreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::{Answer, Attempt, Call, Layer};
use crate::{Body, S3Client, S3Error, S3ErrorKind};

/// Ends a call that takes longer than a limit, with an error of the kind
/// [`Timeout`](S3ErrorKind::Timeout) that names the limit.
///
/// - A put has the limit for all of its body. Choose it for the largest object, or
///   leave puts to a client that notices when no byte moves, as
///   [`HttpS3`](crate::HttpS3) does.
/// - A get has it until the description is there. The body may take its time, unless
///   [`with_body`](Self::with_body) says that it counts.
/// - What the limit ends may have happened at the service all the same. The error says
///   so of a write with a condition: it is not retryable.
/// - [`HttpS3`](crate::HttpS3) has limits of its own, which know what was sent: for a call
///   and for each try of it. This layer is for any other client, and for several layers
///   together.
/// - In front of [`Retry`](super::Retry) it bounds all tries together; behind it, each.
#[derive(Debug)]
pub struct Deadline<C> {
    limit: Duration,
    with_body: bool,
    client: C,
}

impl<C> Deadline<C> {
    /// Bounds each call of this client.
    pub fn new(limit: Duration, client: C) -> Self {
        Self { limit, with_body: false, client }
    }

    /// Counts the body of a get as well: its last byte must be read within the limit,
    /// counted from the beginning of the call. A slow reader meets it too.
    #[must_use]
    pub fn with_body(self) -> Self {
        Self { with_body: true, ..self }
    }
}

impl<C: S3Client> Layer for Deadline<C> {
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
        let limit = self.limit;
        let missed = S3Error::new(S3ErrorKind::Timeout, format!("no end within {limit:?}"))
            .retryable(!call.conditional_write)
            .on(call.operation, call.target());
        // None is later than any clock goes: no deadline.
        let Some(at) = Instant::now().checked_add(limit) else {
            return attempt(body).await;
        };
        let answer = timeout_at(at, attempt(body)).await.map_err(|_| missed.clone())??;
        if !self.with_body {
            return Ok(answer);
        }
        Ok(answer.map_body(|body| until(at, body, missed)))
    }
}

/// The same bytes, as far as they come in time.
fn until(at: Instant, body: Body, missed: S3Error) -> Body {
    body.by_way_of(|bytes| {
        stream::try_unfold((bytes, missed), move |(mut bytes, missed)| async move {
            match timeout_at(at, bytes.try_next()).await {
                Ok(next) => Ok(next?.map(|chunk| (chunk, (bytes, missed)))),
                Err(_) => Err(io::Error::from(missed)),
            }
        })
    })
}

impl<C: fmt::Display> fmt::Display for Deadline<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = if self.with_body { " with body" } else { "" };
        write!(f, "Deadline({:?}{body}, {})", self.limit, self.client)
    }
}
