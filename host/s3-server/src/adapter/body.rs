use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use artifact_s3::{Body, ByteStream};
use bytes::Bytes;
use futures::Stream;
use s3s::{StdError, dto::StreamingBlob, stream::RemainingLength};

/// A body on its way to the caller, chunk by chunk.
pub(crate) fn to_blob(body: Body) -> StreamingBlob {
    let remaining = body.length();
    StreamingBlob::new(Outgoing { stream: Mutex::new(body.into_stream()), remaining })
}

/// s3s wants its streams `Sync`; ours are only `Send`. The mutex makes them so, and
/// is never locked: whoever polls has the only reference.
struct Outgoing {
    stream: Mutex<ByteStream>,
    remaining: Option<u64>,
}

impl Stream for Outgoing {
    type Item = Result<Bytes, StdError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let stream = this.stream.get_mut().unwrap_or_else(PoisonError::into_inner);
        let next = ready!(stream.as_mut().poll_next(cx));
        if let (Some(Ok(chunk)), Some(remaining)) = (&next, &mut this.remaining) {
            *remaining = remaining.saturating_sub(chunk.len() as u64);
        }
        Poll::Ready(next.map(|chunk| chunk.map_err(Into::into)))
    }
}

impl s3s::stream::ByteStream for Outgoing {
    fn remaining_length(&self) -> RemainingLength {
        match self.remaining.and_then(|remaining| usize::try_from(remaining).ok()) {
            Some(remaining) => RemainingLength::new_exact(remaining),
            None => RemainingLength::unknown(),
        }
    }
}
