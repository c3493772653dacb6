#![expect(
    unreachable_pub,
    reason = "the generated bindings re-export the types behind the handles"
)]

use artifact_s3::{Body, ObjectInfo};
use wasmtime::component::Resource;

use crate::{
    bindings::agent::artifacts::{objects, types},
    instance::CallState,
};

/// What stands behind a component's `body` handle: the bytes, which it cannot see.
#[derive(Debug)]
pub struct HostBody {
    /// Tells these bytes from every other body's of the same call.
    pub(crate) id: u64,
    pub(crate) body: Body,
}

/// What stands behind a component's `receipt` handle: a write that happened.
///
/// Only the host makes one, after the S3 client said that the object is stored.
#[derive(Debug)]
pub struct HostReceipt {
    pub(crate) info: ObjectInfo,
    /// The body that was stored; none for a copy.
    pub(crate) body_id: Option<u64>,
}

impl objects::Host for CallState {}

impl objects::HostBody for CallState {
    async fn length(&mut self, body: Resource<HostBody>) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&body)?.body.length())
    }

    async fn duplicate(
        &mut self,
        body: Resource<HostBody>,
    ) -> wasmtime::Result<Option<Resource<HostBody>>> {
        let HostBody { id, body } = self.table.get(&body)?;
        let Some(body) = body.try_clone() else { return Ok(None) };
        // The same bytes: a receipt for either is a receipt for both.
        let second = HostBody { id: *id, body };
        Ok(Some(self.table.push(second)?))
    }

    async fn drop(&mut self, body: Resource<HostBody>) -> wasmtime::Result<()> {
        self.table.delete(body)?;
        Ok(())
    }
}

impl objects::HostReceipt for CallState {
    async fn info(
        &mut self,
        receipt: Resource<HostReceipt>,
    ) -> wasmtime::Result<types::ObjectInfo> {
        Ok(self.table.get(&receipt)?.info.clone().into())
    }

    async fn drop(&mut self, receipt: Resource<HostReceipt>) -> wasmtime::Result<()> {
        self.table.delete(receipt)?;
        Ok(())
    }
}
