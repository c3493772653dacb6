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

use crate::{
    Error, Limits,
    bindings::agent::artifacts::types as wit,
    error::{Blame, ErrorKind},
    guest::Guest,
    handles::HostBody,
    instances::Kept,
    layer::{Entry, Fault, Layer, Place},
    limits::Usage,
    outside::Outside,
    sandbox, trap,
};

/// An instance of a component, for one call.
///
/// A fresh one, so that nothing that it keeps can leak into the next call; or, where its
/// author is trusted with that, one that has been called before.
pub(crate) struct Instance<'a> {
    pub(crate) store: Store<CallState>,
    pub(crate) guest: Guest,
    pub(crate) layer: &'a Layer,
    /// The bytes of memory with which it began.
    began_with: usize,
    /// Whether the call came back from it. One that was left in the middle is done for.
    returned: bool,
}

/// What an instance can reach, and has.
pub(crate) struct CallState {
    pub(crate) place: Arc<Place>,
    pub(crate) table: ResourceTable,
    pub(crate) usage: Usage,
    /// What failed beneath, as the host saw it.
    pub(crate) seen: Seen,
    pub(crate) waiting: Waiting,
    pub(crate) outside: Outside,
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
    /// One that waits for a call, if the component has one; or else a fresh one.
    pub(crate) async fn of(
        layer: &'a Layer,
        waiting: Waiting,
        entry: Entry,
    ) -> Result<Self, Fault> {
        let idle = layer.component.idle.as_ref().and_then(|idle| idle.take());
        let Some(mut kept) = idle else {
            // In a box, so that calls that need it not are not as large.
            return Box::pin(Self::fresh(layer, waiting, entry)).await;
        };
        kept.store.data_mut().enter(layer, waiting, entry);
        sandbox::refuel(&mut kept.store, &layer.limits)
            .map_err(|error| Fault::Told(layer.failed("cannot be started").caused_by(error)))?;
        let Kept { store, guest, began_with } = kept;
        Ok(Self { store, guest, layer, began_with, returned: false })
    }

    pub(crate) async fn fresh(
        layer: &'a Layer,
        waiting: Waiting,
        entry: Entry,
    ) -> Result<Self, Fault> {
        let Layer { place, sandbox, limits, .. } = layer;
        let state = CallState::new(Arc::clone(place), limits, waiting, entry);
        let mut store = sandbox
            .new_store(state, limits)
            .map_err(|error| Fault::Told(layer.failed("cannot be started").caused_by(error)))?;
        match layer.component.pre.instantiate(&mut store).await {
            Ok(guest) => {
                let began_with = store.data().usage.memory();
                Ok(Self { store, guest, layer, began_with, returned: false })
            }
            Err(trap) => Err(cannot_start(layer, &store, trap)),
        }
    }

    /// Whether its functions are those of its world.
    pub(crate) fn check(mut self) -> Result<(), Fault> {
        let checked = self.guest.check(&mut self.store);
        checked.map_err(|error| cannot_start(self.layer, &self.store, error))
    }

    /// Ends the call. The instance waits for another one, if its component is reused and
    /// this call ended well.
    pub(crate) fn end<T>(self, outcome: Result<T, Fault>) -> Result<T, Fault> {
        let Self { store, guest, layer, began_with, returned } = self;
        if returned
            && !matches!(outcome, Err(Fault::Own(_)))
            && let Some(idle) = &layer.component.idle
        {
            idle.keep(Kept { store, guest, began_with });
        }
        outcome
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
        self.returned = answer.is_ok();
        match answer {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                let seen = std::mem::take(&mut state.seen);
                Err(Fault::Told(error.into_error(seen, self.layer.component.trusted)))
            }
            Err(trap) => {
                let Layer { place, limits, .. } = self.layer;
                Err(Fault::Own(trap::failure(&place.name, "trapped", limits, &state.usage, trap)))
            }
        }
    }
}

impl CallState {
    pub(crate) fn new(place: Arc<Place>, limits: &Limits, waiting: Waiting, entry: Entry) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        let usage = Usage::new(limits, &place.beneath);
        let (seen, outside) = (Seen::default(), Outside::default());
        Self { place, table, usage, seen, waiting, outside, entry, wasi: None, bodies: 0 }
    }

    /// The next call of an instance: from here on it reaches what that may reach.
    fn enter(&mut self, layer: &Layer, waiting: Waiting, entry: Entry) {
        self.place = Arc::clone(&layer.place);
        self.usage.next_call();
        (self.waiting, self.entry) = (waiting, entry);
    }

    /// The end of a call: what it could reach, was told and waited for is taken from it.
    pub(crate) fn leave(&mut self, nowhere: Arc<Place>, nobody: Waiting) {
        self.place = nowhere;
        (self.waiting, self.entry, self.wasi) = (nobody, Entry::default(), None);
        self.seen = Seen::default();
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

fn cannot_start(layer: &Layer, store: &Store<CallState>, trap: wasmtime::Error) -> Fault {
    let Layer { place, limits, .. } = layer;
    let usage = &store.data().usage;
    Fault::Own(trap::failure(&place.name, "cannot be started", limits, usage, trap))
}

fn lost(error: wasmtime::Error) -> Fault {
    let message = "a handle is not where it should be";
    Fault::Told(Error::new(ErrorKind::PolicyFailed, Blame::Host, message).caused_by(error))
}
