use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use artifact_s3::ByteStream;
use bytes::Bytes;
use futures::{TryStreamExt, stream};

use crate::{
    Body, Error,
    coder::{Coder, Direction},
    layer::Fault,
    supervisor::Admission,
};

/// Bytes that a filter is given at a time.
const CHUNK: usize = 256 << 10;

/// The body that a filter makes of another one. It takes of that one only what is
/// asked of it: a slow reader slows the filter, and what fills it.
pub(crate) struct CodedBody {
    input: ByteStream,
    coder: Coder,
    admission: Option<Admission>,
    /// What is left of the chunk that came last.
    rest: Bytes,
    /// The filter has more ready, and gives it for nothing.
    more: bool,
    ended: bool,
    fate: Fate,
}

/// What became of a coding, for whoever waits for something else.
#[derive(Clone, Default)]
pub(crate) struct Fate(Arc<Mutex<Option<Result<(), Error>>>>);

impl Fate {
    fn set(&self, fate: Result<(), Error>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fate);
    }

    /// How it ended; none where it never came to an end.
    pub(crate) fn take(&self) -> Option<Result<(), Error>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl CodedBody {
    /// For a put: the storage is told that the body broke, and `fate` why.
    pub(crate) fn encoded(coder: Coder, input: Body, admission: Admission) -> (Body, Fate) {
        let body = Self::new(coder, input, admission);
        let fate = body.fate.clone();
        (body.into_body(Direction::In), fate)
    }

    /// For a get: the reader is told.
    pub(crate) fn decoded(coder: Coder, input: Body, admission: Admission) -> Body {
        Self::new(coder, input, admission).into_body(Direction::Out)
    }

    fn new(coder: Coder, input: Body, admission: Admission) -> Self {
        Self {
            input: input.into_stream(),
            coder,
            admission: Some(admission),
            rest: Bytes::new(),
            more: false,
            ended: false,
            fate: Fate::default(),
        }
    }

    fn into_body(self, direction: Direction) -> Body {
        let bytes = stream::try_unfold(self, move |mut coded| async move {
            match coded.next().await {
                Ok(bytes) => Ok(bytes.map(|bytes| (bytes, coded))),
                Err(Stop::Input(error)) => Err(error),
                Err(Stop::Filter(error)) => Err(match direction {
                    Direction::Out => io::Error::other(error),
                    Direction::In => {
                        let told = io::Error::other(error.to_string());
                        coded.fate.set(Err(error));
                        told
                    }
                }),
            }
        });
        Body::from_stream(bytes, None)
    }

    /// The next bytes that are ready; none at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Stop> {
        while !self.ended {
            // Bytes that are always there would keep the thread from other tasks.
            tokio::task::consume_budget().await;
            let bytes = if self.more {
                self.push(Bytes::new()).await?
            } else if !self.rest.is_empty() {
                let chunk = self.rest.split_to(self.rest.len().min(CHUNK));
                self.push(chunk).await?
            } else if let Some(chunk) = self.input.try_next().await.map_err(Stop::Input)? {
                self.rest = chunk;
                continue;
            } else {
                self.ended = true;
                let finished = self.coder.finish().await;
                let bytes = self.noted(finished)?;
                if let Some(admission) = self.admission.take() {
                    admission.noted(None);
                }
                self.fate.set(Ok(()));
                bytes
            };
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    async fn push(&mut self, chunk: Bytes) -> Result<Bytes, Stop> {
        let pushed = self.coder.push(&chunk).await;
        let ready = self.noted(pushed)?;
        self.more = ready.more;
        Ok(ready.bytes.into())
    }

    /// Notes a failure of the filter with whoever watches it.
    fn noted<T>(&mut self, outcome: Result<T, Fault>) -> Result<T, Stop> {
        outcome.map_err(|fault| {
            if let Some(admission) = self.admission.take() {
                admission.noted(Some(&fault));
            }
            Stop::Filter(fault.into_error())
        })
    }
}

/// Why no more bytes come.
enum Stop {
    Input(io::Error),
    Filter(Error),
}
