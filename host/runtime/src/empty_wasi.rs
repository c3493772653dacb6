use std::time::Duration;

use rand::{SeedableRng, rngs::SmallRng};
use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime_wasi::{
    HostWallClock, WasiCtx, WasiCtxView, WasiView,
    clocks::WasiClocksView,
    p2::{DynPollable, bindings::clocks::monotonic_clock},
};

use crate::instance::CallState;

/// Most random bytes of one call. They cost the host time, and the component no fuel.
const MAX_RANDOM: u64 = 4096;

/// WASI 0.2, with nothing behind it: what the interpreters of other languages import
/// before they run a line of their script.
///
/// There are no arguments, variables, files, sockets or names to look up. What is
/// written to standard output goes nowhere. Clocks stand still at 1970 and random
/// numbers are the same in every call, so a policy stays a function of what it is
/// asked and told: it can neither measure what others do, nor keep a secret of its own.
pub(crate) fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)?;
    linker.allow_shadowing(false);
    Ok(())
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        // Made when it is first asked for: most components cannot.
        let ctx = self.wasi.get_or_insert_with(context);
        WasiCtxView { ctx, table: &mut self.table }
    }
}

fn context() -> WasiCtx {
    WasiCtx::builder()
        // Else each socket would be one of the host's, even without an address.
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .secure_random(SmallRng::seed_from_u64(0))
        .insecure_random(SmallRng::seed_from_u64(0))
        .insecure_random_seed(0)
        .max_random_size(MAX_RANDOM)
        .wall_clock(Still)
        .build()
}

/// A clock that does not move.
struct Still;

impl HostWallClock for Still {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

/// A clock that does not move either, and by which nobody sleeps: a call that does
/// nothing would keep its room in the sandbox from others, and pay no fuel.
impl monotonic_clock::Host for CallState {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(0)
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1_000_000_000)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.subscribe_duration(when)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        if duration > 0 {
            wasmtime::bail!("a policy cannot sleep: its clock stands still");
        }
        monotonic_clock::Host::subscribe_duration(&mut self.clocks(), 0)
    }
}
