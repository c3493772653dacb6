use std::sync::Arc;

use artifact_s3::{S3Error, S3ErrorKind};
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::ResourceAny;

use super::{host::Host, instance::Instance};

/// A resource of the component that the host owns: a body, or a writer.
///
/// Its destructor runs in the component, which a drop cannot wait for: it is noted, and
/// done before the next call.
pub(super) struct Handle {
    host: Arc<Host>,
    /// None once the component has it back.
    resource: Option<ResourceAny>,
    instance: u64,
    _room: OwnedSemaphorePermit,
}

impl Handle {
    pub(super) fn new(
        host: Arc<Host>,
        instance: &Instance,
        resource: ResourceAny,
        room: OwnedSemaphorePermit,
    ) -> Self {
        Self { host, resource: Some(resource), instance: instance.number, _room: room }
    }

    /// The resource, to be lent to the component.
    pub(super) fn lend(&self, instance: &Instance) -> Result<ResourceAny, S3Error> {
        match self.resource {
            Some(resource) if self.instance == instance.number => Ok(resource),
            _ => Err(self.lost()),
        }
    }

    /// The resource, to be given back to the component for good.
    pub(super) fn give_back(mut self, instance: &Instance) -> Result<ResourceAny, S3Error> {
        let resource = self.lend(instance)?;
        self.resource = None;
        Ok(resource)
    }

    /// It went down with its instance; another try meets a fresh one.
    fn lost(&self) -> S3Error {
        let message = format!(
            "{} failed in the meantime, and the bytes that were on their way are lost",
            self.host.place.name
        );
        S3Error::new(S3ErrorKind::Unreachable, message)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(resource) = self.resource {
            self.host.drop_later(Dropped { resource, instance: self.instance });
        }
    }
}

/// A resource whose destructor is still to be run.
pub(super) struct Dropped {
    pub(super) resource: ResourceAny,
    pub(super) instance: u64,
}
