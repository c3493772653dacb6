//! Many calls, so many of them in flight at any time.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::usage::{count_allocations, cpu_time};

/// What a call took, over many of them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Load {
    pub(crate) per_second: f64,
    pub(crate) p50_micros: f64,
    pub(crate) p99_micros: f64,
    /// CPU time of this process, user and system, for each call.
    pub(crate) cpu_micros: f64,
    /// Allocations for each call, counted in a run of its own.
    pub(crate) allocations: f64,
}

/// How long [`closed_loop`] goes on.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Times {
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

/// Keeps `in_flight` calls of `call` under way, each begun when the one before it in its
/// place has ended, and says what a call took.
///
/// `call` is given a number that no other call has at that time. Warms up first, then
/// measures times, then counts allocations for a moment.
///
/// # Errors
///
/// The first error of a call ends it.
pub(crate) async fn closed_loop<C, F>(
    in_flight: usize,
    times: Times,
    call: C,
) -> anyhow::Result<Load>
where
    C: Fn(u64) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let latencies = Histogram::new_with_bounds(1, 60_000_000, 3)?;
    let shared = Arc::new(Shared {
        next: AtomicU64::new(0),
        ended: AtomicU64::new(0),
        measuring: AtomicBool::new(false),
        stop: AtomicBool::new(false),
        latencies: Mutex::new(latencies),
    });
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..in_flight {
        tasks.spawn(one_after_the_other(Arc::clone(&shared), call.clone()));
    }
    // The tasks hold the runtime's workers; this one only looks at clocks.
    let watch = async {
        tokio::time::sleep(times.warm_up).await;
        shared.measuring.store(true, Relaxed);
        let (began, cpu, first) = (Instant::now(), cpu_time(), shared.ended.load(Relaxed));
        tokio::time::sleep(times.measured).await;
        shared.measuring.store(false, Relaxed);
        let (wall, cpu, last) =
            (began.elapsed(), cpu_time().saturating_sub(cpu), shared.ended.load(Relaxed));
        let (before, counted_from) = (count_allocations(true), shared.ended.load(Relaxed));
        tokio::time::sleep(times.measured / 4).await;
        let (after, counted_to) = (count_allocations(false), shared.ended.load(Relaxed));
        shared.stop.store(true, Relaxed);
        let calls = as_f64(last - first);
        let latencies = shared.latencies.lock().unwrap_or_else(PoisonError::into_inner);
        Load {
            per_second: calls / wall.as_secs_f64(),
            p50_micros: as_f64(latencies.value_at_quantile(0.5)),
            p99_micros: as_f64(latencies.value_at_quantile(0.99)),
            cpu_micros: cpu.as_secs_f64() * 1e6 / calls,
            allocations: as_f64(after - before) / as_f64(counted_to - counted_from),
        }
    };
    let ended = async {
        while let Some(task) = tasks.join_next().await {
            task??;
        }
        anyhow::Ok(())
    };
    let (load, ended) = tokio::join!(watch, ended);
    ended.map(|()| load)
}

struct Shared {
    next: AtomicU64,
    ended: AtomicU64,
    measuring: AtomicBool,
    stop: AtomicBool,
    latencies: Mutex<Histogram<u64>>,
}

async fn one_after_the_other<C, F>(shared: Arc<Shared>, call: C) -> anyhow::Result<()>
where
    C: Fn(u64) -> F,
    F: Future<Output = anyhow::Result<()>>,
{
    while !shared.stop.load(Relaxed) {
        let began = Instant::now();
        let done = call(shared.next.fetch_add(1, Relaxed)).await;
        if done.is_err() {
            shared.stop.store(true, Relaxed);
            return done;
        }
        shared.ended.fetch_add(1, Relaxed);
        if shared.measuring.load(Relaxed) {
            let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            let mut latencies = shared.latencies.lock().unwrap_or_else(PoisonError::into_inner);
            latencies.saturating_record(micros);
        }
    }
    Ok(())
}

/// Counts here are far below the 53 bits that an `f64` holds.
#[expect(clippy::cast_precision_loss, reason = "see above")]
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}
