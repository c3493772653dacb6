use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use artifact_s3::{Body, S3Error};
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::{
    Store,
    component::{Resource, ResourceTable},
};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi_config::WasiConfigVariables;

use crate::{
    Error, Limits,
    bindings::{self, agent::artifacts::types as wit},
    error::{Blame, ErrorKind},
    handles::HostBody,
    layer::{Beneath, Entry, Fault, Layer},
    limits::Usage,
    log_import::Log,
    trap,
};

/// A fresh instance of a component, for one call: nothing that it keeps can leak
/// into the next one.
pub(crate) struct Instance<'a> {
    pub(crate) store: Store<CallState>,
    pub(crate) guest: bindings::Component,
    pub(crate) layer: &'a Layer,
}

/// What an instance can reach.
pub(crate) struct CallState {
    /// How errors name the component.
    pub(crate) name: Arc<str>,
    pub(crate) table: ResourceTable,
    pub(crate) settings: Arc<WasiConfigVariables>,
    pub(crate) beneath: Beneath,
    pub(crate) usage: Usage,
    /// What failed beneath, as the host saw it.
    pub(crate) seen: Seen,
    pub(crate) waiting: Waiting,
    /// Where its records go, if it may write any.
    pub(crate) log: Option<Arc<Log>>,
    pub(crate) entry: Entry,
    /// None until it asks for WASI, if it can.
    pub(crate) wasi: Option<WasiCtx>,
    bodies: u64,
}

/// The failures that a component was told of.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) s3: Vec<S3Error>,
    pub(crate) next: Vec<Error>,
}

/// Errors kept of one call. A component that makes more than that wastes only its
/// own time, and not the host's memory.
const KEPT_ERRORS: usize = 16;

/// Keeps an error, and forgets the oldest where there are too many.
pub(crate) fn keep<E>(kept: &mut Vec<E>, error: E) {
    if kept.len() >= KEPT_ERRORS {
        kept.remove(0);
    }
    kept.push(error);
}

impl<'a> Instance<'a> {
    pub(crate) async fn new(
        layer: &'a Layer,
        waiting: Waiting,
        entry: Entry,
    ) -> Result<Self, Fault> {
        let sandbox = &layer.sandbox;
        let state = CallState::new(
            Arc::clone(&layer.name),
            &layer.limits,
            Arc::clone(&layer.settings),
            layer.beneath.clone(),
            waiting,
            layer.log.clone(),
            entry,
        );
        let mut store = sandbox
            .new_store(state, &layer.limits)
            .map_err(|error| Fault::Told(layer.failed("cannot be started").caused_by(error)))?;
        match layer.component.pre.instantiate_async(&mut store).await {
            Ok(guest) => Ok(Self { store, guest, layer }),
            Err(trap) => {
                let (usage, what) = (&store.data().usage, "cannot be started");
                Err(Fault::Own(trap::failure(&layer.name, what, &layer.limits, usage, trap)))
            }
        }
    }

    /// Hands a body in; gives its handle, and the number that tells it from others.
    pub(crate) fn lend(&mut self, body: Body) -> Result<(Resource<HostBody>, u64), Fault> {
        let state = self.store.data_mut();
        let handle = state.push_body(body).map_err(lost)?;
        Ok((handle, state.bodies))
    }

    /// Takes what a component handed out from behind its handle.
    pub(crate) fn reclaim<T: Send + 'static>(&mut self, handle: Resource<T>) -> Result<T, Fault> {
        self.store.data_mut().table.delete(handle).map_err(|error| lost(error.into()))
    }

    /// The component's answer: what it gave, what it said went wrong, or that it
    /// failed.
    pub(crate) fn answer<T>(
        &mut self,
        answer: wasmtime::Result<Result<T, wit::Error>>,
    ) -> Result<T, Fault> {
        let state = self.store.data_mut();
        match answer {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                let seen = std::mem::take(&mut state.seen);
                Err(Fault::Told(error.into_error(seen, self.layer.component.trusted)))
            }
            Err(trap) => {
                let Layer { name, limits, .. } = self.layer;
                Err(Fault::Own(trap::failure(name, "trapped", limits, &state.usage, trap)))
            }
        }
    }
}

impl CallState {
    fn new(
        name: Arc<str>,
        limits: &Limits,
        settings: Arc<WasiConfigVariables>,
        beneath: Beneath,
        waiting: Waiting,
        log: Option<Arc<Log>>,
        entry: Entry,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        let usage = Usage::new(limits, &beneath);
        let seen = Seen::default();
        let wasi = None;
        Self { name, table, settings, beneath, usage, seen, waiting, log, entry, wasi, bodies: 0 }
    }

    /// For a filter or an S3 client, which hold no handles of the host and reach nothing.
    pub(crate) fn alone(
        name: Arc<str>,
        limits: &Limits,
        settings: Arc<WasiConfigVariables>,
        waiting: Waiting,
    ) -> Self {
        Self::new(name, limits, settings, Beneath::Nothing, waiting, None, Entry::default())
    }

    pub(crate) fn push_body(&mut self, body: Body) -> wasmtime::Result<Resource<HostBody>> {
        self.bodies += 1;
        Ok(self.table.push(HostBody { id: self.bodies, body })?)
    }
}

/// What a call waits for right now: tells whose fault a missed deadline is.
///
/// It also holds the room that the call takes in the sandbox, until all that came
/// of the call is done with: a get through a filter is read after it was answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(Arc<Waits>);

#[derive(Debug, Default)]
struct Waits {
    state: AtomicU8,
    /// How long it has waited for storage, and since when it does again.
    storage: Mutex<(Duration, Option<Instant>)>,
    room: OnceLock<OwnedSemaphorePermit>,
}

/// What a call can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitsFor {
    /// Room in the sandbox: at first.
    Room,
    /// A component.
    Component,
    /// The S3 client.
    Storage,
}

impl Waiting {
    /// Left as it is by a call that is given up: then it tells what that waited for.
    pub(crate) fn set(&self, waits_for: WaitsFor) {
        self.0.state.store(waits_for as u8, Ordering::Relaxed);
        let mut storage = self.0.storage.lock().unwrap_or_else(PoisonError::into_inner);
        let (total, since) = &mut *storage;
        *total += since.take().map_or(Duration::ZERO, |since| since.elapsed());
        *since = (waits_for == WaitsFor::Storage).then(Instant::now);
    }

    /// How long the call has waited for storage, all in all. What it waits for at one
    /// moment tells little of a component that asks again and again.
    pub(crate) fn storage_time(&self) -> Duration {
        let (total, since) = *self.0.storage.lock().unwrap_or_else(PoisonError::into_inner);
        total + since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    pub(crate) fn keep(&self, room: OwnedSemaphorePermit) {
        // A call asks for room once, so there is none yet.
        let _ = self.0.room.set(room);
    }

    pub(crate) fn now(&self) -> WaitsFor {
        [WaitsFor::Room, WaitsFor::Component, WaitsFor::Storage]
            .into_iter()
            .find(|state| *state as u8 == self.0.state.load(Ordering::Relaxed))
            .unwrap_or(WaitsFor::Component)
    }
}

fn lost(error: wasmtime::Error) -> Fault {
    let message = "a handle is not where it should be";
    Fault::Told(Error::new(ErrorKind::PolicyFailed, Blame::Host, message).caused_by(error))
}
