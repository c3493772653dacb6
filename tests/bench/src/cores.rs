//! Who runs on which core.
//!
//! The server has the last core, and the client all others, so that neither takes time
//! from the other and the client is what is measured. On one core they share it.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Keeps this process, and the threads that it will start, on the cores of the client.
/// Gives their number. To be called before a runtime is made.
pub(crate) fn use_clients() -> anyhow::Result<usize> {
    let mut cores = available()?;
    if cores.len() > 1 {
        cores.pop();
    }
    stay_on(&cores)?;
    Ok(cores.len())
}

/// Keeps this process, and the threads that it will start, on the core of the server.
pub(crate) fn use_servers() -> anyhow::Result<()> {
    let cores = available()?;
    stay_on(&cores[cores.len() - 1..])
}

/// A multi-threaded runtime with a worker for each core that this process may use, for
/// every contender alike.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let workers = available()?.len();
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?)
}

/// The cores that this process may use, at least one.
pub(crate) fn available() -> anyhow::Result<Vec<usize>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect())
}

fn stay_on(cores: &[usize]) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    Ok(sched_setaffinity(None, &set)?)
}
