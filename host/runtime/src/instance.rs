use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use artifact_s3::{Body, S3Client, S3Error};
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::{
    Store, Trap,
    component::{Resource, ResourceTable},
};
use wasmtime_wasi_config::WasiConfigVariables;

use crate::{
    Error,
    artifact_store::Running,
    bindings::{self, agent::artifacts::types as wit},
    error::{Blame, ErrorKind},
    grant::Grant,
    handles::HostBody,
    limits::Usage,
};

/// A fresh instance of a store's component, for one call: nothing that a
/// component keeps can leak into the next one.
pub(crate) struct Instance {
    pub(crate) store: Store<CallState>,
    pub(crate) guest: bindings::ArtifactStore,
    trusted: bool,
    fuel: u64,
    _room: OwnedSemaphorePermit,
}

impl Running {
    /// Makes one instance and drops it: whether calls can work at all.
    pub(crate) async fn try_out(&self) -> Result<(), Error> {
        let tried = Instance::new(self, Waiting::default()).await;
        tried.map(drop).map_err(|error| {
            Error::config("no instance of the component can be made").caused_by(error)
        })
    }
}

/// What an instance can reach.
pub(crate) struct CallState {
    pub(crate) table: ResourceTable,
    pub(crate) settings: Arc<WasiConfigVariables>,
    pub(crate) grant: Arc<Grant>,
    pub(crate) client: Arc<dyn S3Client>,
    pub(crate) usage: Usage,
    /// The S3 errors of this call, as the host saw them.
    pub(crate) s3_errors: Vec<S3Error>,
    pub(crate) waiting: Waiting,
    bodies: u64,
}

impl Instance {
    pub(crate) async fn new(running: &Running, waiting: Waiting) -> Result<Self, Error> {
        let sandbox = &running.sandbox;
        let broken =
            |error: wasmtime::Error| failed("the component cannot be started").caused_by(error);
        let room = Arc::clone(sandbox.room()).acquire_owned().await.map_err(|closed| {
            Error::new(ErrorKind::Stopped, Blame::Host, "the sandbox is closed").caused_by(closed)
        })?;
        let mut table = ResourceTable::new();
        table.set_max_capacity(sandbox.limits().handles);
        let state = CallState {
            table,
            settings: Arc::clone(&running.settings),
            grant: Arc::clone(&running.grant),
            client: Arc::clone(&running.client),
            usage: Usage::new(sandbox.limits()),
            s3_errors: Vec::new(),
            waiting,
            bodies: 0,
        };
        let mut store = sandbox.new_store(state).map_err(broken)?;
        let guest = running.component.pre.instantiate_async(&mut store).await.map_err(broken)?;
        let fuel = sandbox.limits().fuel;
        Ok(Self { store, guest, trusted: running.component.trusted, fuel, _room: room })
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
        &self,
        answer: wasmtime::Result<Result<T, wit::Error>>,
    ) -> Result<T, Error> {
        let state = self.store.data();
        match answer {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(error.into_error(&state.s3_errors, self.trusted)),
            Err(trap) => {
                let limit = match trap.downcast_ref::<Trap>() {
                    Some(Trap::OutOfFuel) => {
                        Some(format!("fuel: allowed {}, asked for more", self.fuel))
                    }
                    _ => state.usage.refusal(),
                };
                let message = match limit {
                    Some(limit) => format!("the component went over its limit of {limit}"),
                    None => "the component trapped".to_owned(),
                };
                Err(failed(message).caused_by(trap))
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

/// Whether a call waits for the S3 client right now: tells whose fault a missed
/// deadline is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(Arc<AtomicBool>);

impl Waiting {
    /// Left as it is by a call that is given up: then it tells what that waited for.
    pub(crate) fn set(&self, waiting: bool) {
        self.0.store(waiting, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The component's own failure.
pub(crate) fn failed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::PolicyFailed, Blame::Policy, message)
}

fn lost(error: wasmtime::Error) -> Error {
    Error::new(ErrorKind::PolicyFailed, Blame::Host, "a handle is not where it should be")
        .caused_by(error)
}
