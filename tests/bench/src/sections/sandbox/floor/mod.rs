//! The floor: components instantiated and called through wasmtime, with nothing around them.
//!
//! The engine, its pool and the limits that wasmtime keeps itself are as in
//! `host/runtime/src/sandbox.rs`; what the last component imports answers at once. There is
//! no grant, no deadline, no accounting, no check of what a component answers.

#![expect(
    unreachable_pub,
    reason = "the generated bindings re-export the types behind the handles"
)]

mod host;

use std::{sync::Arc, thread, time::Duration};

use bytes::Bytes;
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
    component::{Component, ResourceTable},
};
use wasmtime_wasi_config::WasiConfigVariables;

use self::{
    bindings::{ComponentPre, agent::artifacts::types},
    host::{FloorBody, FloorReceipt, State, no_content},
};
use super::Operation;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package agent:host;

            world component {
                import wasi:config/store@0.2.0-rc.1;
                import agent:artifacts/s3@0.2.0;
                import agent:artifacts/store@0.2.0;
                import agent:artifacts/digest@0.2.0;
                import agent:artifacts/clock@0.2.0;
                import agent:artifacts/log@0.2.0;
                export agent:artifacts/store@0.2.0;
            }
        ",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "agent:artifacts/objects.body": super::host::FloorBody,
            "agent:artifacts/objects.receipt": super::host::FloorReceipt,
        },
    });
}

/// Something that the engine does besides running code, left out to see what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeftOut {
    Fuel,
    Epochs,
    /// Pages of the pool that were written stay in memory.
    Resident,
    /// Instances come from a pool that was set up before.
    Pool,
}

impl LeftOut {
    pub(super) const ALL: [Self; 4] = [Self::Fuel, Self::Epochs, Self::Resident, Self::Pool];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Fuel => "without fuel",
            Self::Epochs => "without epochs",
            Self::Resident => "without pages kept resident",
            Self::Pool => "without a pool",
        }
    }
}

/// An engine, which all components of a chain share.
#[derive(Clone)]
pub(super) struct FloorEngine {
    engine: Engine,
    left_out: Option<LeftOut>,
}

impl FloorEngine {
    pub(super) fn new(left_out: Option<LeftOut>) -> wasmtime::Result<Self> {
        let engine = Engine::new(&config(left_out))?;
        if left_out != Some(LeftOut::Epochs) {
            let engine = engine.weak();
            thread::spawn(move || {
                while let Some(engine) = engine.upgrade() {
                    engine.increment_epoch();
                    drop(engine);
                    thread::sleep(Duration::from_millis(10));
                }
            });
        }
        Ok(Self { engine, left_out })
    }
}

/// A component over the next one, or over nothing.
pub(super) struct Floor {
    engine: FloorEngine,
    component: ComponentPre<State>,
    settings: Arc<WasiConfigVariables>,
    beneath: Option<Arc<Self>>,
}

impl Floor {
    pub(super) fn new(
        engine: &FloorEngine,
        component: &[u8],
        settings: &[(&str, &str)],
        beneath: Option<Arc<Self>>,
    ) -> wasmtime::Result<Self> {
        let component = Component::new(&engine.engine, component)?;
        let linker = host::linker(&engine.engine)?;
        let component = ComponentPre::new(linker.instantiate_pre(&component)?)?;
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let settings = Arc::new(settings.iter().map(own).collect());
        Ok(Self { engine: engine.clone(), component, settings, beneath })
    }

    /// One call, of fresh instances.
    pub(super) async fn call(
        &self,
        operation: Operation,
        key: &str,
        bytes: &Bytes,
    ) -> wasmtime::Result<()> {
        match operation {
            Operation::Head => {
                let options = types::GetOptions {
                    range: None,
                    version_id: None,
                    if_match: None,
                    if_none_match: None,
                    if_modified_since: None,
                    if_unmodified_since: None,
                };
                self.head(key, &options).await.map(drop)
            }
            Operation::Put => {
                let options = types::PutOptions {
                    content: no_content(),
                    metadata: Vec::new(),
                    tags: Vec::new(),
                    condition: types::WriteCondition::Unconditional,
                    checksum: None,
                    storage_class: None,
                    encryption: None,
                    acl: None,
                };
                self.put(key, FloorBody(bytes.clone()), &options).await.map(drop)
            }
        }
    }

    async fn head(
        &self,
        key: &str,
        options: &types::GetOptions,
    ) -> wasmtime::Result<types::ObjectInfo> {
        let mut store = self.new_store()?;
        let guest = self.component.instantiate_async(&mut store).await?;
        let answer = guest.agent_artifacts_store().call_head(&mut store, key, options).await?;
        answer.map_err(refused)
    }

    async fn put(
        &self,
        key: &str,
        body: FloorBody,
        options: &types::PutOptions,
    ) -> wasmtime::Result<FloorReceipt> {
        let mut store = self.new_store()?;
        let guest = self.component.instantiate_async(&mut store).await?;
        let body = store.data_mut().table.push(body)?;
        let answer = guest.agent_artifacts_store().call_put(&mut store, key, body, options).await?;
        let receipt = answer.map_err(refused)?;
        Ok(store.data_mut().table.delete(receipt)?)
    }

    fn new_store(&self) -> wasmtime::Result<Store<State>> {
        let FloorEngine { engine, left_out } = &self.engine;
        let (settings, beneath) = (Arc::clone(&self.settings), self.beneath.clone());
        let state = State { table: ResourceTable::new(), settings, beneath };
        let mut store = Store::new(engine, state);
        if *left_out != Some(LeftOut::Fuel) {
            store.set_fuel(1_000_000_000)?;
        }
        if *left_out != Some(LeftOut::Epochs) {
            store.set_epoch_deadline(1);
            store.epoch_deadline_async_yield_and_update(1);
        }
        store.set_hostcall_fuel(4 << 20);
        store.set_max_component_handles(64);
        Ok(store)
    }
}

fn config(left_out: Option<LeftOut>) -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(left_out != Some(LeftOut::Fuel))
        .epoch_interruption(left_out != Some(LeftOut::Epochs))
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_tail_call(false)
        .concurrency_support(false);
    if left_out != Some(LeftOut::Pool) {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(left_out)));
    }
    config
}

fn pool(left_out: Option<LeftOut>) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(1000)
        .total_stacks(1000)
        .total_core_instances(16_000)
        .total_tables(8000)
        .total_memories(2000)
        .max_core_instances_per_component(16)
        .max_memories_per_component(2)
        .max_tables_per_component(8)
        .max_memory_size(16 << 20)
        .table_elements(10_000);
    if left_out != Some(LeftOut::Resident) {
        pool.linear_memory_keep_resident(256 << 10)
            .async_stack_keep_resident(32 << 10)
            .table_keep_resident(8 << 10);
    }
    pool
}

fn refused(error: types::Error) -> wasmtime::Error {
    wasmtime::Error::msg(error.message)
}
