use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use artifact_s3::{Body, S3Error};
use wasmtime::{
    Store, Trap,
    component::{Resource, ResourceTable},
};
use wasmtime_wasi_config::WasiConfigVariables;

use crate::{
    Error,
    bindings::{self, agent::artifacts::types as wit},
    error::{Blame, ErrorKind},
    handles::HostBody,
    layer::{Beneath, Layer},
    limits::Usage,
    log_import::Log,
};

/// A fresh instance of a component, for one call: nothing that it keeps can leak
/// into the next one.
pub(crate) struct Instance<'a> {
    pub(crate) store: Store<CallState>,
    pub(crate) guest: bindings::Component,
    layer: &'a Layer,
}

/// What an instance can reach.
pub(crate) struct CallState {
    pub(crate) table: ResourceTable,
    pub(crate) settings: Arc<WasiConfigVariables>,
    pub(crate) beneath: Beneath,
    pub(crate) usage: Usage,
    /// What failed beneath, as the host saw it.
    pub(crate) seen: Seen,
    pub(crate) waiting: Waiting,
    /// Where its records go, if it may write any.
    pub(crate) log: Option<Arc<Log>>,
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
    pub(crate) async fn new(layer: &'a Layer, waiting: Waiting) -> Result<Self, Error> {
        let sandbox = &layer.sandbox;
        let broken = |error: wasmtime::Error| layer.failed("cannot be started").caused_by(error);
        let mut table = ResourceTable::new();
        table.set_max_capacity(layer.limits.handles);
        let state = CallState {
            table,
            settings: Arc::clone(&layer.settings),
            beneath: layer.beneath.clone(),
            usage: Usage::new(&layer.limits, &layer.beneath),
            seen: Seen::default(),
            waiting,
            log: layer.log.clone(),
            bodies: 0,
        };
        let mut store = sandbox.new_store(state, &layer.limits).map_err(broken)?;
        let guest = layer.component.pre.instantiate_async(&mut store).await.map_err(broken)?;
        Ok(Self { store, guest, layer })
    }

    /// Hands a body in; gives its handle, and the number that tells it from others.
    pub(crate) fn lend(&mut self, body: Body) -> Result<(Resource<HostBody>, u64), Error> {
        let state = self.store.data_mut();
        let handle = state.push_body(body).map_err(lost)?;
        Ok((handle, state.bodies))
    }

    /// Takes what a component handed out from behind its handle.
    pub(crate) fn reclaim<T: Send + 'static>(&mut self, handle: Resource<T>) -> Result<T, Error> {
        self.store.data_mut().table.delete(handle).map_err(|error| lost(error.into()))
    }

    /// The component's answer: what it gave, what it said went wrong, or that it
    /// failed.
    pub(crate) fn answer<T>(
        &mut self,
        answer: wasmtime::Result<Result<T, wit::Error>>,
    ) -> Result<T, Error> {
        let state = self.store.data_mut();
        match answer {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                let seen = std::mem::take(&mut state.seen);
                Err(error.into_error(seen, self.layer.component.trusted))
            }
            Err(trap) => {
                let limit = match trap.downcast_ref::<Trap>() {
                    Some(Trap::OutOfFuel) => {
                        let allowed = self.layer.limits.fuel;
                        Some(format!("fuel: allowed {allowed}, asked for more"))
                    }
                    _ => state.usage.refusal(),
                };
                Err(match limit {
                    Some(limit) => self.layer.failed(&format!("went over its limit of {limit}")),
                    None => self.layer.failed("trapped"),
                }
                .caused_by(trap))
            }
        }
    }
}

impl CallState {
    pub(crate) fn push_body(&mut self, body: Body) -> wasmtime::Result<Resource<HostBody>> {
        self.bodies += 1;
        Ok(self.table.push(HostBody { id: self.bodies, body })?)
    }
}

/// What a call waits for right now: tells whose fault a missed deadline is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(Arc<AtomicU8>);

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
        self.0.store(waits_for as u8, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> WaitsFor {
        [WaitsFor::Room, WaitsFor::Component, WaitsFor::Storage]
            .into_iter()
            .find(|state| *state as u8 == self.0.load(Ordering::Relaxed))
            .unwrap_or(WaitsFor::Component)
    }
}

fn lost(error: wasmtime::Error) -> Error {
    Error::new(ErrorKind::PolicyFailed, Blame::Host, "a handle is not where it should be")
        .caused_by(error)
}
