use std::sync::{Arc, OnceLock};

use artifact_compiled::Compiler;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, UpdateDeadline,
    component::Linker,
};
use wasmtime_wasi_config::WasiConfig;

use crate::{
    Error, Limits,
    bindings::agent::artifacts,
    component::Prepared,
    empty_wasi,
    error::{Blame, ErrorKind},
    instance::CallState,
    instances::Idle,
    turns::Clock,
    world::{Import, World},
};

/// Where components run: one engine, the limits of a call, and the room for
/// instances.
///
/// Cheap to clone; clones are the same sandbox. Stores share
/// [`Sandbox::shared`] unless they are given another: the bundled component is
/// then compiled once in a process, and a thousand stores take the address
/// space of one.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    engine: Engine,
    compiler: Compiler,
    /// What a component of each world may import.
    stores: Linker<CallState>,
    policies: Linker<CallState>,
    /// As `policies`, and WASI: no other policy can even name that.
    policies_with_wasi: Linker<CallState>,
    /// What a filter or an S3 client may import.
    alone: Linker<CallState>,
    limits: Limits,
    clock: Clock,
    /// One permit for each instance that the pool has room for.
    room: Arc<Semaphore>,
    /// One permit for each of them that may live on from call to call.
    stays: Arc<Semaphore>,
    /// One permit for each instance that may wait for its next call.
    idle: Arc<Semaphore>,
    bundled: OnceCell<Prepared>,
}

impl Sandbox {
    /// A sandbox of its own, with these limits.
    ///
    /// Fails where the machine cannot give the engine what it needs.
    pub fn new(limits: Limits) -> Result<Self, Error> {
        Self::with_compiler(limits, Compiler::default())
    }

    /// A sandbox of its own, whose components are compiled by this compiler; what comes
    /// with this library is compiled in this process all the same.
    ///
    /// For components from people who need not be trusted: see [`compile_if_asked`].
    pub fn with_compiler(limits: Limits, compiler: Compiler) -> Result<Self, Error> {
        let failed = |error: wasmtime::Error| {
            Error::new(ErrorKind::InvalidConfig, Blame::Host, "the sandbox cannot be set up")
                .caused_by(error)
        };
        // Pooled instances start twice as fast, but their address space is
        // reserved up front, which a container may not allow.
        let engine = Engine::new(&config(Some(pool(&limits))))
            .or_else(|error| {
                tracing::debug!(%error, "no pool of instances: falling back to one by one");
                Engine::new(&config(None))
            })
            .map_err(failed)?;
        let stores = linker(&engine, World::ArtifactStore).map_err(failed)?;
        let policies = linker(&engine, World::Policy).map_err(failed)?;
        let mut policies_with_wasi = policies.clone();
        empty_wasi::add_to_linker(&mut policies_with_wasi).map_err(failed)?;
        let alone = linker(&engine, World::ContentFilter).map_err(failed)?;
        let calls = limits.concurrent_calls as usize;
        let (room, stays) = (Arc::new(Semaphore::new(calls)), Semaphore::new(calls / 2));
        let clock = Clock::start(&engine, &room, calls).map_err(|error| failed(error.into()))?;
        let idle = Semaphore::new(max_idle(&limits) as usize);
        Ok(Self(Arc::new(Inner {
            engine,
            compiler,
            stores,
            policies,
            policies_with_wasi,
            alone,
            limits,
            clock,
            room,
            stays: Arc::new(stays),
            idle: Arc::new(idle),
            bundled: OnceCell::new(),
        })))
    }

    /// The sandbox with default limits that the stores of this process share.
    pub fn shared() -> Result<Self, Error> {
        // Immutable once made; it holds code and no store's state.
        static SHARED: OnceLock<Sandbox> = OnceLock::new();
        if let Some(sandbox) = SHARED.get() {
            return Ok(sandbox.clone());
        }
        let sandbox = Self::new(Limits::default())?;
        Ok(SHARED.get_or_init(|| sandbox).clone())
    }

    /// The limits of a call.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn compiler(&self) -> &Compiler {
        &self.0.compiler
    }

    pub(crate) fn linker(&self, world: World, granted: &[Import]) -> &Linker<CallState> {
        match world {
            World::ArtifactStore => &self.0.stores,
            World::Policy if granted.contains(&Import::Wasi) => &self.0.policies_with_wasi,
            World::Policy => &self.0.policies,
            World::ContentFilter | World::S3Client => &self.0.alone,
        }
    }

    /// Waits until there is room for so many instances, all at once: were each to
    /// wait for itself, calls could wait for one another for ever.
    pub(crate) async fn room_for(&self, instances: u32) -> Result<OwnedSemaphorePermit, Error> {
        let room = Arc::clone(&self.0.room);
        let room = room.acquire_many_owned(instances).await.map_err(|closed| {
            Error::new(ErrorKind::Stopped, Blame::Host, "the sandbox is closed").caused_by(closed)
        })?;
        self.0.clock.wake();
        Ok(room)
    }

    /// Waits until there is room for an instance that lives on from call to call. At most
    /// half of the room is given away so: were it all, no call would ever be made.
    pub(crate) async fn room_to_stay(&self) -> Result<Stay, Error> {
        let stay = Arc::clone(&self.0.stays).try_acquire_owned().map_err(|none| {
            Error::config(format!(
                "the sandbox has room for {} calls, and clients that stay may take half of it: \
                 raise `concurrent_calls`, or give the client a sandbox of its own",
                self.0.limits.concurrent_calls
            ))
            .caused_by(none)
        })?;
        Ok(Stay { _room: self.room_for(1).await?, _stay: stay })
    }

    /// Where the instances of one component wait for their next call.
    pub(crate) fn idle(&self) -> Idle {
        let most = max_idle(&self.0.limits).div_ceil(2);
        Idle::new(Arc::clone(&self.0.idle), most as usize)
    }

    pub(crate) fn new_store(
        &self,
        state: CallState,
        limits: &Limits,
    ) -> wasmtime::Result<wasmtime::Store<CallState>> {
        let mut store = wasmtime::Store::try_new(&self.0.engine, state)?;
        store.limiter(|state| &mut state.usage);
        refuel(&mut store, limits)?;
        // By the clock and not by fuel: what the host does for it costs it none.
        store.epoch_deadline_callback(|mut store| {
            store.data_mut().usage.end_turn()?;
            Ok(UpdateDeadline::Yield(1))
        });
        store.set_hostcall_fuel(limits.hostcall_bytes);
        store.set_max_component_handles(limits.handles);
        Ok(store)
    }

    /// The bundled component, compiled when it is first asked for.
    pub(crate) async fn bundled(
        &self,
        compile: impl AsyncFnOnce() -> Result<Prepared, Error>,
    ) -> Result<Prepared, Error> {
        self.0.bundled.get_or_try_init(|| compile()).await.cloned()
    }
}

/// Before a call: the fuel for it, and turns.
pub(crate) fn refuel(
    store: &mut wasmtime::Store<CallState>,
    limits: &Limits,
) -> wasmtime::Result<()> {
    store.data_mut().usage.renew();
    store.set_epoch_deadline(1);
    store.set_fuel(limits.fuel)
}

/// The room of an instance that lives on from call to call.
pub(crate) struct Stay {
    _room: OwnedSemaphorePermit,
    _stay: OwnedSemaphorePermit,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}

/// If this process was started to compile a component: does that, and gives the exit
/// code. Otherwise nothing happens.
///
/// A [`Compiler`] of its own process starts a program whose `main` begins with this:
/// before threads are there, and before files are open.
///
/// # Example: components from people who need not be trusted
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use artifact_store::{ArtifactStore, CodeCache, Compiler, Limits, Policy, Sandbox};
///
/// fn main() -> ExitCode {
///     if let Some(done) = artifact_store::compile_if_asked() {
///         return done;
///     }
///     // … what the program does, and in it:
/// #   tokio::runtime::Runtime::new().unwrap().block_on(serve()).unwrap();
///     ExitCode::SUCCESS
/// }
///
/// async fn serve() -> Result<(), Box<dyn std::error::Error>> {
///     let cache = CodeCache::new("/var/cache/my-service/components");
///     let compiler = Compiler::this_program()?.cache(cache);
///     let store = ArtifactStore::builder()
///         .bucket("my-artifacts")
///         .sandbox(Sandbox::with_compiler(Limits::default(), compiler)?)
///         .policy(Policy::from_file("tenant.wasm").await?)
///         .start()
///         .await?;
/// #   Ok(drop(store))
/// }
/// ```
#[must_use]
pub fn compile_if_asked() -> Option<std::process::ExitCode> {
    // A pool of instances changes nothing of the code, and takes address space.
    artifact_compiled::compile_if_asked(|| config(None))
}

fn config(pool: Option<PoolingAllocationConfig>) -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        // Off: what no store component needs, and what an attacker might.
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_tail_call(false)
        // The contract has no async functions; without them a call is cheaper.
        .concurrency_support(false);
    if let Some(pool) = pool {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

/// Core instances that one component may be made of.
///
/// Component tools add small adapter modules to the main one: 2 or 3. Python with its
/// libraries has 14.
const CORE_INSTANCES: u32 = 16;

/// Tables that one component may be made of. One that carries an interpreter has one or
/// two.
const TABLES: u32 = 8;

/// Memories that one component may have; one is usual. Each takes gigabytes of address
/// space.
const MEMORIES: u32 = 2;

/// Instances that may wait for their next call, in all of a sandbox.
fn max_idle(limits: &Limits) -> u32 {
    limits.concurrent_calls.div_ceil(8)
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    // Those that wait for a call take no room from those that are called.
    let calls = limits.concurrent_calls.saturating_add(max_idle(limits));
    let mut pool = PoolingAllocationConfig::new();
    // Enough for as many as there is room for, whatever they are made of: else calls of
    // one component could take what the others' need.
    pool.total_component_instances(calls)
        .total_stacks(calls)
        .total_core_instances(calls.saturating_mul(CORE_INSTANCES))
        .total_tables(calls.saturating_mul(TABLES))
        .total_memories(calls.saturating_mul(MEMORIES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memory_size(limits.memory_bytes)
        .table_elements(limits.table_elements)
        // A slot that a component left can be taken by it again as it is, and by no other
        // without asking the system. So many are kept apart before one is given away. With
        // a hundred policies called in turn, a call takes 31 µs, and 47 with the default of
        // 100; with three hundred, more than are kept apart, 54 instead of 50.
        .max_unused_warm_slots(limits.concurrent_calls.div_ceil(4))
        // Pages that are written again in every call are kept, not given back
        // to the system and asked for again.
        .linear_memory_keep_resident(256 << 10)
        .async_stack_keep_resident(32 << 10)
        .table_keep_resident(8 << 10);
    pool
}

/// What a component of this world may import, and nothing else.
fn linker(engine: &Engine, world: World) -> wasmtime::Result<Linker<CallState>> {
    type Data = wasmtime::component::HasSelf<CallState>;
    let mut linker = Linker::new(engine);
    artifacts::types::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    match world {
        World::ContentFilter | World::S3Client => {}
        World::ArtifactStore => {
            artifacts::objects::add_to_linker::<_, Data>(&mut linker, |state| state)?;
            artifacts::s3::add_to_linker::<_, Data>(&mut linker, |state| state)?;
        }
        World::Policy => {
            artifacts::objects::add_to_linker::<_, Data>(&mut linker, |state| state)?;
            artifacts::store::add_to_linker::<_, Data>(&mut linker, |state| state)?;
            artifacts::digest::add_to_linker::<_, Data>(&mut linker, |state| state)?;
            artifacts::clock::add_to_linker::<_, Data>(&mut linker, |state| state)?;
            artifacts::log::add_to_linker::<_, Data>(&mut linker, |state| state)?;
        }
    }
    wasmtime_wasi_config::add_to_linker(&mut linker, |state: &mut CallState| {
        WasiConfig::new(&state.place.settings)
    })?;
    Ok(linker)
}
