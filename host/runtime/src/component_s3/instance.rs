use std::sync::Arc;

use artifact_s3::{S3Error, S3ErrorKind};
use wasmtime::{Store, component::ResourceAny};

use super::{
    bindings::{
        S3Client,
        exports::agent::artifacts::{content, objects, s3},
    },
    host::Host,
};
use crate::{
    Limits,
    bindings::agent::artifacts::types,
    instance::{CallState, Waiting},
    layer::Entry,
    sandbox, trap,
};

/// Handles that a call holds besides those of the bodies that are open: a receipt, and
/// what a component makes before it hands it out.
const PASSING_HANDLES: usize = 8;

/// A component that lives on from call to call.
pub(super) struct Instance {
    store: Store<CallState>,
    guest: S3Client,
    /// Tells it from the instances before it: a handle belongs to one of them.
    pub(super) number: u64,
    limits: Limits,
    /// Whether a call did not come to its end: then nothing in it can be relied upon.
    broken: bool,
}

impl Instance {
    pub(super) async fn new(host: &Host, number: u64) -> Result<Self, S3Error> {
        let failed = |error: wasmtime::Error| {
            let message = format!("{} cannot be started", host.place.name);
            S3Error::new(S3ErrorKind::Service, message).caused_by(error)
        };
        let place = Arc::clone(&host.place);
        let state = CallState::new(place, &host.limits, Waiting::default(), Entry::default());
        let mut store = host.sandbox.new_store(state, &host.limits).map_err(failed)?;
        store.set_max_component_handles(host.limits.handles.saturating_add(PASSING_HANDLES));
        let guest = host.pre.instantiate_async(&mut store).await.map_err(failed)?;
        Ok(Self { store, guest, number, limits: host.limits.clone(), broken: false })
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Before a call into the component, which [`leave`](Self::leave) ends.
    pub(super) fn enter(&mut self) -> Result<Entered<'_>, S3Error> {
        // Until it is shown that it is not: a call that is never left ended in the middle.
        self.broken = true;
        if let Err(error) = sandbox::refuel(&mut self.store, &self.limits) {
            return Err(self.failed(error));
        }
        Ok(Entered {
            objects: self.guest.agent_artifacts_objects(),
            content: self.guest.agent_artifacts_content(),
            s3: self.guest.agent_artifacts_s3(),
            store: &mut self.store,
        })
    }

    /// After a call into the component: what it gave, or that it failed.
    pub(super) fn leave<T>(&mut self, answer: wasmtime::Result<T>) -> Result<T, S3Error> {
        let value = answer.map_err(|trap| self.failed(trap))?;
        self.broken = false;
        Ok(value)
    }

    /// What a receipt tells, which is dropped then.
    pub(super) async fn read_receipt(
        &mut self,
        receipt: ResourceAny,
    ) -> Result<types::ObjectInfo, S3Error> {
        let call = self.enter()?;
        let info = call.objects.receipt().call_info(call.store, receipt).await;
        let info = self.leave(info)?;
        self.drop_resource(receipt).await?;
        Ok(info)
    }

    /// Has the component's destructor run.
    pub(super) async fn drop_resource(&mut self, resource: ResourceAny) -> Result<(), S3Error> {
        let dropped = resource.resource_drop_async(self.enter()?.store).await;
        self.leave(dropped)
    }

    fn failed(&self, trap: wasmtime::Error) -> S3Error {
        let CallState { place, usage, .. } = self.store.data();
        let what = match trap::over_limit(&self.limits, usage, &trap) {
            Some(limit) => format!("went over its limit of {limit}"),
            None => "trapped".to_owned(),
        };
        let message = format!("{} {what}; what it kept is lost", place.name);
        S3Error::new(S3ErrorKind::Service, message).caused_by(trap)
    }
}

/// What a call is made with.
pub(super) struct Entered<'a> {
    pub(super) store: &'a mut Store<CallState>,
    pub(super) objects: &'a objects::Guest,
    pub(super) content: &'a content::Guest,
    pub(super) s3: &'a s3::Guest,
}
