use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::oneshot;

use super::{
    payload::{Payload, Place},
    progress::Progress,
};
use crate::{ByteStream, S3Error, body_error};

/// Bytes handed to the connection at a time, so that progress shows also within
/// one large chunk. Splitting copies nothing.
const PIECE: usize = 128 * 1024;

/// One sending of a payload. Dropping it ends the sending, and with it the
/// connection, so that half an object is never taken for a whole one.
pub(super) struct Upload {
    failure: Arc<Mutex<Option<S3Error>>>,
    _alive: oneshot::Sender<()>,
}

impl Upload {
    /// The body for a request.
    ///
    /// - It fails where the payload fails, or is shorter or longer than it said.
    /// - The last bytes leave only when the payload has shown that it ends there:
    ///   the service cannot store one that goes on.
    pub(super) async fn start(
        payload: &Payload,
        progress: &Progress,
    ) -> Result<(Self, reqwest::Body), S3Error> {
        let (alive, gone) = oneshot::channel();
        let failure = Arc::new(Mutex::new(None));
        let upload = Self { failure: Arc::clone(&failure), _alive: alive };
        let checked = Checked {
            bytes: payload.stream(),
            ready: Bytes::new(),
            declared: payload.length(),
            place: payload.place(),
            taken: 0,
            ended: false,
            progress: progress.clone(),
        };
        if payload.length() == 0 {
            // Without a body to send, nobody would ask it whether it is empty.
            checked.next().await?;
            return Ok((upload, reqwest::Body::from("")));
        }
        let pieces = stream::try_unfold(checked, move |checked| {
            let failure = Arc::clone(&failure);
            async move {
                checked.next().await.map_err(|error| {
                    let shown = io::Error::other(error.to_string());
                    *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    shown
                })
            }
        });
        Ok((upload, reqwest::Body::wrap_stream(pieces.take_until(gone).boxed())))
    }

    /// Why the payload failed, if it did.
    pub(super) fn failure(&self) -> Option<S3Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

struct Checked {
    bytes: ByteStream,
    /// Taken from `bytes`, and not handed on yet.
    ready: Bytes,
    declared: u64,
    place: Place,
    taken: u64,
    ended: bool,
    progress: Progress,
}

impl Checked {
    /// The next piece, and what is left.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, S3Error> {
        // A service that refuses early answers and closes. Without a pause the
        // connection would go on writing into the closed one, and report that
        // instead of the answer that waits to be read. It still may, once in
        // hundreds of times instead of once in tens.
        tokio::task::yield_now().await;
        self.progress.waits_for_source(true);
        while self.ready.is_empty() && !self.ended {
            self.take().await?;
        }
        // Before the last bytes go: is that all?
        while self.taken == self.declared && !self.ended {
            let ready = std::mem::take(&mut self.ready);
            self.take().await?;
            self.ready = ready;
        }
        self.progress.waits_for_source(false);
        self.progress.tick();
        if self.ready.is_empty() {
            return Ok(None);
        }
        let piece = self.ready.split_to(self.ready.len().min(PIECE));
        Ok(Some((piece, self)))
    }

    async fn take(&mut self) -> Result<(), S3Error> {
        match self.bytes.try_next().await.map_err(body_error::failed)? {
            Some(chunk) => {
                self.taken += chunk.len() as u64;
                if self.taken > self.declared {
                    return Err(body_error::wrong_length(self.place.of, None));
                }
                self.ready = chunk;
            }
            None if self.taken < self.declared => {
                let found = self.place.offset + self.taken;
                return Err(body_error::wrong_length(self.place.of, Some(found)));
            }
            None => self.ended = true,
        }
        Ok(())
    }
}
