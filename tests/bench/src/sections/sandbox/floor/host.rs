//! What components of the floor import: what is beneath, or an answer at once.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};
use wasmtime_wasi_config::{WasiConfig, WasiConfigVariables};

use super::{
    Floor,
    bindings::agent::artifacts::{clock, digest, log, objects, s3, store, types},
};
use crate::nowhere;

/// What stands behind a `body` handle.
#[derive(Debug)]
pub struct FloorBody(#[expect(dead_code, reason = "held, as a host must")] pub(super) Bytes);

/// What stands behind a `receipt` handle.
#[derive(Debug)]
pub struct FloorReceipt(pub(super) types::ObjectInfo);

pub(super) struct State {
    pub(super) table: ResourceTable,
    pub(super) settings: Arc<WasiConfigVariables>,
    pub(super) beneath: Option<Arc<Floor>>,
}

pub(super) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::<State>::new(engine);
    types::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    objects::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    s3::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    store::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    digest::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    clock::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    log::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    wasmtime_wasi_config::add_to_linker(&mut linker, |state: &mut State| {
        WasiConfig::new(&state.settings)
    })?;
    Ok(linker)
}

/// As [`nowhere::Nowhere`] answers.
fn info() -> types::ObjectInfo {
    types::ObjectInfo {
        size: nowhere::SIZE,
        etag: Some(nowhere::ETAG.to_owned()),
        version_id: None,
        last_modified: Some(1_764_000_000),
        storage_class: None,
        content: no_content(),
        metadata: Vec::new(),
    }
}

/// For what no component that is measured calls.
fn unused<T>() -> wasmtime::Result<T> {
    Err(wasmtime::Error::msg("this is not measured"))
}

pub(super) fn no_content() -> types::ContentHeaders {
    types::ContentHeaders {
        content_type: None,
        content_encoding: None,
        content_disposition: None,
        content_language: None,
        cache_control: None,
        expires: None,
    }
}

impl types::Host for State {}

impl objects::Host for State {}

impl objects::HostBody for State {
    async fn length(&mut self, _: Resource<FloorBody>) -> wasmtime::Result<Option<u64>> {
        Ok(Some(nowhere::SIZE))
    }

    async fn duplicate(
        &mut self,
        _: Resource<FloorBody>,
    ) -> wasmtime::Result<Option<Resource<FloorBody>>> {
        unused()
    }

    async fn drop(&mut self, body: Resource<FloorBody>) -> wasmtime::Result<()> {
        self.table.delete(body).map(drop).map_err(Into::into)
    }
}

impl objects::HostReceipt for State {
    async fn info(
        &mut self,
        receipt: Resource<FloorReceipt>,
    ) -> wasmtime::Result<types::ObjectInfo> {
        Ok(self.table.get(&receipt)?.0.clone())
    }

    async fn drop(&mut self, receipt: Resource<FloorReceipt>) -> wasmtime::Result<()> {
        self.table.delete(receipt).map(drop).map_err(Into::into)
    }
}

impl s3::Host for State {
    async fn put_object(
        &mut self,
        _: String,
        _: String,
        body: Resource<FloorBody>,
        _: types::PutOptions,
    ) -> wasmtime::Result<Result<Resource<FloorReceipt>, types::S3Error>> {
        self.table.delete(body)?;
        Ok(Ok(self.table.push(FloorReceipt(info()))?))
    }

    async fn get_object(
        &mut self,
        _: String,
        _: String,
        _: types::GetOptions,
    ) -> wasmtime::Result<Result<objects::Object, types::S3Error>> {
        unused()
    }

    async fn head_object(
        &mut self,
        _: String,
        _: String,
        _: types::GetOptions,
    ) -> wasmtime::Result<Result<types::ObjectInfo, types::S3Error>> {
        Ok(Ok(info()))
    }

    async fn delete_object(
        &mut self,
        _: String,
        _: String,
        _: types::DeleteOptions,
    ) -> wasmtime::Result<Result<(), types::S3Error>> {
        unused()
    }

    async fn copy_object(
        &mut self,
        _: String,
        _: String,
        _: String,
        _: types::PutOptions,
    ) -> wasmtime::Result<Result<Resource<FloorReceipt>, types::S3Error>> {
        unused()
    }

    async fn list_objects(
        &mut self,
        _: String,
        _: types::ListOptions,
    ) -> wasmtime::Result<Result<types::Listing, types::S3Error>> {
        unused()
    }
}

impl State {
    fn beneath(&self) -> wasmtime::Result<Arc<Floor>> {
        self.beneath.clone().ok_or_else(|| wasmtime::Error::msg("there is nothing beneath"))
    }
}

impl store::Host for State {
    async fn put(
        &mut self,
        key: String,
        body: Resource<FloorBody>,
        options: types::PutOptions,
    ) -> wasmtime::Result<Result<Resource<FloorReceipt>, types::Error>> {
        let body = self.table.delete(body)?;
        let receipt = Box::pin(self.beneath()?.put(&key, body, &options)).await?;
        Ok(Ok(self.table.push(receipt)?))
    }

    async fn get(
        &mut self,
        _: String,
        _: types::GetOptions,
    ) -> wasmtime::Result<Result<objects::Object, types::Error>> {
        unused()
    }

    async fn head(
        &mut self,
        key: String,
        options: types::GetOptions,
    ) -> wasmtime::Result<Result<types::ObjectInfo, types::Error>> {
        Box::pin(self.beneath()?.head(&key, &options)).await.map(Ok)
    }

    async fn delete(
        &mut self,
        _: String,
        _: types::DeleteOptions,
    ) -> wasmtime::Result<Result<(), types::Error>> {
        unused()
    }

    async fn list(
        &mut self,
        _: types::ListOptions,
    ) -> wasmtime::Result<Result<types::Listing, types::Error>> {
        unused()
    }
}

impl digest::Host for State {
    async fn sha256(
        &mut self,
        _: Resource<FloorBody>,
    ) -> wasmtime::Result<Result<String, types::Error>> {
        unused()
    }
}

impl clock::Host for State {
    async fn now(&mut self) -> wasmtime::Result<u64> {
        unused()
    }
}

impl log::Host for State {
    async fn write(
        &mut self,
        _: log::Level,
        _: String,
        _: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        unused()
    }
}
