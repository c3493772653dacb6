//! What a process uses: CPU time, memory, allocations.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    fs,
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use anyhow::Context;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// What the whole process used while something ran.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Usage {
    pub(crate) wall_seconds: f64,
    /// User and system time of all threads.
    pub(crate) cpu_seconds: f64,
    /// The largest resident memory while it ran, over what was resident before.
    pub(crate) peak_bytes_over_idle: u64,
}

/// Begins to look at what this process uses.
#[derive(Debug)]
pub(crate) struct Meter {
    began: Instant,
    cpu: Duration,
    resident: u64,
}

impl Meter {
    /// From here on; what is resident now counts as idle.
    pub(crate) fn start() -> anyhow::Result<Self> {
        // The kernel's "reset peak resident set size", see proc(5).
        fs::write("/proc/self/clear_refs", "5").context("cannot reset the peak of memory")?;
        let resident = status("VmRSS:")?;
        Ok(Self { began: Instant::now(), cpu: cpu_time(), resident })
    }

    /// Up to here.
    pub(crate) fn stop(self) -> anyhow::Result<Usage> {
        let (wall, cpu) = (self.began.elapsed(), cpu_time().saturating_sub(self.cpu));
        Ok(Usage {
            wall_seconds: wall.as_secs_f64(),
            cpu_seconds: cpu.as_secs_f64(),
            peak_bytes_over_idle: status("VmHWM:")?.saturating_sub(self.resident),
        })
    }
}

/// The CPU time of this process so far, user and system.
pub(crate) fn cpu_time() -> Duration {
    clock(ClockId::ProcessCPUTime)
}

/// The CPU time of this thread so far, user and system: for work that one thread does
/// without waiting, the time that it takes on a machine which does nothing else.
pub(crate) fn thread_time() -> Duration {
    clock(ClockId::ThreadCPUTime)
}

fn clock(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    // Since the process or thread began, so neither is negative.
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Memory of this process that is resident now, in bytes.
pub(crate) fn resident_bytes() -> anyhow::Result<u64> {
    status("VmRSS:")
}

fn status(name: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}

/// The system's allocator, which counts its calls while [`count_allocations`] says so,
/// and costs one look at a flag while it does not.
#[derive(Debug)]
pub(crate) struct CountingAllocator;

static COUNTING: AtomicBool = AtomicBool::new(false);
/// A count for each thread (up to a number), so that threads do not fight for one.
static COUNTS: [Count; 64] = [const { Count(AtomicU64::new(0)) }; 64];
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Alone on its cache lines.
#[repr(align(128))]
struct Count(AtomicU64);

thread_local! {
    static SLOT: Cell<usize> = const { Cell::new(usize::MAX) };
}

fn count() {
    if COUNTING.load(Relaxed) {
        // At the end of a thread its slot may be gone already.
        let slot = SLOT.try_with(|slot| {
            if slot.get() == usize::MAX {
                slot.set(THREADS.fetch_add(1, Relaxed) % COUNTS.len());
            }
            slot.get()
        });
        COUNTS[slot.unwrap_or_default()].0.fetch_add(1, Relaxed);
    }
}

/// Turns counting on or off. Gives how many allocations were counted so far, in all
/// threads; a reallocation is one.
///
/// Measure times with it off.
pub(crate) fn count_allocations(on: bool) -> u64 {
    COUNTING.store(on, Relaxed);
    COUNTS.iter().map(|count| count.0.load(Relaxed)).sum()
}

#[expect(unsafe_code, reason = "an allocator is unsafe to implement")]
// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps to what `alloc` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: likewise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: likewise.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: likewise.
        unsafe { System.dealloc(memory, layout) }
    }
}
