use std::sync::Arc;

use bytes::Bytes;
use wasmtime::{Store, component::ResourceAny};

use crate::{
    Error, FilterGrant, Limits, Sandbox,
    bindings::{
        agent::artifacts::types as wit,
        filter::{ContentFilter, ContentFilterPre, exports::agent::artifacts::filter::Ready},
    },
    error::{Blame, ErrorKind},
    instance::{CallState, Seen, Waiting},
    layer::{Entry, Fault, Place},
    sandbox, trap,
};

/// Bytes that a filter may give beyond its growth: a header, a trailer, a last block.
const SLACK: u64 = 64 << 10;

/// A filter with all that it takes to run it.
pub(crate) struct Coding {
    pub(crate) place: Arc<Place>,
    pub(crate) sandbox: Sandbox,
    pub(crate) limits: Limits,
    pub(crate) component: PreparedFilter,
    pub(crate) grant: FilterGrant,
}

/// A filter that was compiled and checked.
#[derive(Clone)]
pub(crate) struct PreparedFilter {
    pub(crate) pre: ContentFilterPre<CallState>,
    /// Ours: what it says of stored bytes is believed.
    pub(crate) trusted: bool,
}

/// Which way the bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// To the storage: encoded.
    In,
    /// To the reader: decoded.
    Out,
}

impl Coding {
    /// What the filter does to the description of every object: its content encoding.
    pub(crate) async fn describe(&self) -> Result<Option<String>, Fault> {
        let (mut store, guest) = self.instance(Waiting::default()).await?;
        let answer = guest.agent_artifacts_filter().call_describe(&mut store).await;
        let effect = answer.map_err(|trap| self.trapped(&store, trap))?;
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        match effect.content_encoding {
            Some(name) if name.is_empty() || name.len() > 64 || !name.chars().all(token) => {
                Err(Fault::Own(self.failed("has a content encoding that is no HTTP token")))
            }
            encoding => Ok(encoding),
        }
    }

    async fn instance(&self, waiting: Waiting) -> Result<(Store<CallState>, ContentFilter), Fault> {
        let place = Arc::clone(&self.place);
        let state = CallState::new(place, &self.limits, waiting, Entry::default());
        let mut store = self
            .sandbox
            .new_store(state, &self.limits)
            .map_err(|error| Fault::Told(self.failed("cannot be started").caused_by(error)))?;
        match self.component.pre.instantiate_async(&mut store).await {
            Ok(guest) => Ok((store, guest)),
            Err(trap) => {
                let (usage, what) = (&store.data().usage, "cannot be started");
                Err(Fault::Own(trap::failure(&self.place.name, what, &self.limits, usage, trap)))
            }
        }
    }

    fn trapped(&self, store: &Store<CallState>, trap: wasmtime::Error) -> Fault {
        let usage = &store.data().usage;
        Fault::Own(trap::failure(&self.place.name, "trapped", &self.limits, usage, trap))
    }

    /// What the filter itself says went wrong.
    fn told(&self, mut error: wit::Error) -> Fault {
        error.message = format!("{}: {}", self.place.name, error.message);
        let trusted = self.component.trusted;
        let mut error = error.into_error(Seen::default(), trusted);
        if trusted && error.kind() == ErrorKind::StorageError {
            error = error.blamed_on(Blame::Storage);
        }
        Fault::Told(error)
    }

    pub(crate) fn failed(&self, what: &str) -> Error {
        let message = format!("{} {what}", self.place.name);
        Error::new(ErrorKind::PolicyFailed, Blame::Policy, message)
    }
}

/// A filter at work on the bytes of one artifact, in an instance of its own.
pub(crate) struct Coder {
    coding: Arc<Coding>,
    direction: Direction,
    store: Store<CallState>,
    guest: ContentFilter,
    /// The filter's encoder or decoder.
    handle: ResourceAny,
    taken: u64,
    given: u64,
}

impl Coder {
    pub(crate) async fn open(
        coding: Arc<Coding>,
        direction: Direction,
        key: &str,
        waiting: Waiting,
    ) -> Result<Self, Fault> {
        let (mut store, guest) = coding.instance(waiting).await?;
        let filter = guest.agent_artifacts_filter();
        let opened = match direction {
            Direction::In => {
                let salt: [u8; 32] = rand::random();
                filter.encoder().call_open(&mut store, key, &salt).await
            }
            Direction::Out => filter.decoder().call_open(&mut store, key).await,
        };
        let handle = opened
            .map_err(|trap| coding.trapped(&store, trap))?
            .map_err(|error| coding.told(error))?;
        Ok(Self { coding, direction, store, guest, handle, taken: 0, given: 0 })
    }

    pub(crate) async fn push(&mut self, chunk: &[u8]) -> Result<Ready, Fault> {
        self.taken += chunk.len() as u64;
        self.refuel()?;
        let filter = self.guest.agent_artifacts_filter();
        let answer = match self.direction {
            Direction::In => filter.encoder().call_push(&mut self.store, self.handle, chunk).await,
            Direction::Out => filter.decoder().call_push(&mut self.store, self.handle, chunk).await,
        };
        let ready = self.answered(answer)?;
        if ready.more && ready.bytes.is_empty() {
            return Err(Fault::Own(self.coding.failed("says that more is ready and gives none")));
        }
        self.gave(&ready.bytes)?;
        Ok(ready)
    }

    pub(crate) async fn finish(&mut self) -> Result<Bytes, Fault> {
        self.refuel()?;
        let filter = self.guest.agent_artifacts_filter();
        let answer = match self.direction {
            Direction::In => filter.encoder().call_finish(&mut self.store, self.handle).await,
            Direction::Out => filter.decoder().call_finish(&mut self.store, self.handle).await,
        };
        let bytes = self.answered(answer)?;
        self.gave(&bytes)?;
        if self.direction == Direction::In && self.given == 0 && self.taken > 0 {
            let lost = format!("made nothing of {} bytes, which would be lost", self.taken);
            return Err(Fault::Own(self.coding.failed(&lost)));
        }
        Ok(bytes.into())
    }

    /// Each chunk has the fuel of a call, so that an artifact may have any number.
    fn refuel(&mut self) -> Result<(), Fault> {
        sandbox::refuel(&mut self.store, &self.coding.limits)
            .map_err(|trap| self.coding.trapped(&self.store, trap))
    }

    fn answered<T>(&self, answer: wasmtime::Result<Result<T, wit::Error>>) -> Result<T, Fault> {
        answer
            .map_err(|trap| self.coding.trapped(&self.store, trap))?
            .map_err(|error| self.coding.told(error))
    }

    /// Holds what the filter gave against its grant.
    fn gave(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let FilterGrant { growth, output_bytes } = self.coding.grant;
        self.given += bytes.len() as u64;
        let grown = self.taken.saturating_mul(growth.into()).saturating_add(SLACK);
        let over = |limit: &str, allowed: u64| {
            let asked = self.given;
            let what =
                format!("went over its limit of {limit}: allowed {allowed}, asked for {asked}");
            Err(Fault::Own(self.coding.failed(&what)))
        };
        if self.given > output_bytes {
            return over("output bytes", output_bytes);
        }
        if self.given > grown {
            return over(&format!("growth ({growth} times what it was given)"), grown);
        }
        Ok(())
    }
}
