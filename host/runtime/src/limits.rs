use std::time::Duration;

use wasmtime::{ResourceLimiter, Trap};

use crate::{layer::Beneath, turns::TURN};

/// What one call of a component may use.
///
/// Each stops one way in which a component could harm the process that runs it.
///
/// ```
/// use artifact_store::{Limits, Sandbox};
///
/// let limits = Limits { memory_bytes: 64 << 20, ..Limits::default() };
/// let sandbox = Sandbox::new(limits)?;
/// # Ok::<(), artifact_store::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Limits {
    /// Linear memory of all of a component's memories together, in bytes.
    ///
    /// Stops a component that grows until the process is killed. Default 16 MiB:
    /// a page of 1,000 keys of 1,024 bytes fits ten times.
    pub memory_bytes: usize,
    /// Elements of all of a component's tables together.
    ///
    /// Stops growth outside linear memory. Default 10,000; the bundled component
    /// has fewer than 100.
    pub table_elements: usize,
    /// Fuel for one call; one unit is about one instruction.
    ///
    /// Stops a component that computes for ever. Default 1,000 million: about a
    /// second of one core, a thousand times what the longest honest call needs.
    ///
    /// What the host does for it (copying its strings, say) costs it no fuel, but time:
    /// one that keeps a thread for four times as long as its fuel would is ended too.
    pub fuel: u64,
    /// Bytes that a component may hand the host in one host call, or return.
    ///
    /// Stops a component that makes the host allocate: strings, lists and error
    /// messages count. Default 4 MiB: a page of 1,000 of the longest keys fits
    /// twice.
    pub hostcall_bytes: usize,
    /// Handles (bodies, receipts) that a component may hold at one time.
    ///
    /// Stops a component that opens objects and keeps them open. Default 64;
    /// an honest put needs two.
    pub handles: usize,
    /// S3 calls that a component may make in one call.
    ///
    /// Stops a component that turns one request into thousands, which somebody
    /// pays for. Default 64; an honest call makes one.
    pub s3_calls: usize,
    /// Calls that run at one time in one [`Sandbox`](crate::Sandbox); more of them wait.
    ///
    /// Bounds the memory and address space that all instances take together. A
    /// [`ComponentS3`](crate::ComponentS3) takes the room of one of them for its life.
    /// Besides them, an eighth as many [reused](crate::Instances::Reused) instances may
    /// wait for their next call.
    /// Default 1,000.
    pub concurrent_calls: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 16 << 20,
            table_elements: 10_000,
            fuel: 1_000_000_000,
            hostcall_bytes: 4 << 20,
            handles: 64,
            s3_calls: 64,
            concurrent_calls: 1000,
        }
    }
}

/// How long a call may take, waiting included, unless the store says otherwise.
pub(crate) const DEFAULT_DEADLINE: Duration = Duration::from_hours(1);

/// Sums what one component takes (over all its memories and tables, where wasmtime's
/// own `StoreLimits` bounds each by itself), and remembers what it was refused.
#[derive(Debug)]
pub(crate) struct Usage {
    memory: Counter,
    table: Counter,
    /// Calls of what is beneath: S3, or the next store.
    calls: Counter,
    turns: Turns,
}

/// The time that a component keeps a thread, in turns of [`TURN`].
#[derive(Debug)]
struct Turns {
    allowed: u64,
    left: u64,
    /// Whether it has just waited for something beneath: that was no time of its own.
    waited: bool,
}

impl Turns {
    /// Four times what the fuel should take (a thousand units are about a microsecond),
    /// for a machine that is slow or busy; half a second at least.
    fn new(fuel: u64) -> Self {
        let micros = u128::from(fuel) * 4 / 1000;
        let allowed = u64::try_from(micros / TURN.as_micros()).unwrap_or(u64::MAX).max(50);
        Self { allowed, left: allowed, waited: false }
    }
}

#[derive(Debug)]
struct Counter {
    name: &'static str,
    used: usize,
    allowed: usize,
    refused: Option<usize>,
}

impl Counter {
    fn grow(&mut self, current: usize, desired: usize) -> bool {
        let asked = self.used.saturating_add(desired.saturating_sub(current));
        if asked > self.allowed {
            self.refused = Some(asked);
            return false;
        }
        self.used = asked;
        true
    }

    fn refusal(&self) -> Option<String> {
        let Self { name, allowed, .. } = self;
        Some(format!("{name}: allowed {allowed}, asked for {}", self.refused?))
    }
}

impl Usage {
    pub(crate) fn new(limits: &Limits, beneath: &Beneath) -> Self {
        let calls = match beneath {
            Beneath::S3 { .. } => ("S3 calls", limits.s3_calls),
            Beneath::Store { grant, .. } => ("calls of the next store", grant.max_next_calls()),
            Beneath::Nothing => ("calls", 0),
        };
        let counter = |name, allowed| Counter { name, used: 0, allowed, refused: None };
        Self {
            memory: counter("bytes of memory", limits.memory_bytes),
            table: counter("table elements", limits.table_elements),
            calls: counter(calls.0, calls.1),
            turns: Turns::new(limits.fuel),
        }
    }

    /// A turn is over. The last one ends the component as its fuel would have.
    pub(crate) fn end_turn(&mut self) -> wasmtime::Result<()> {
        let Turns { left, waited, .. } = &mut self.turns;
        if std::mem::take(waited) {
            return Ok(());
        }
        *left = left.checked_sub(1).ok_or(Trap::OutOfFuel)?;
        Ok(())
    }

    /// Before another call of the same instance: it has the turns of a fresh one, and a
    /// refusal that the last call survived is not why this one fails.
    pub(crate) fn renew(&mut self) {
        self.turns.left = self.turns.allowed;
        for counter in [&mut self.memory, &mut self.table, &mut self.calls] {
            counter.refused = None;
        }
    }

    /// Before a call into an instance that was called before: nothing of what that took
    /// counts but the memory and tables that it keeps.
    pub(crate) fn next_call(&mut self) {
        self.calls.used = 0;
        self.turns.waited = false;
    }

    /// Bytes of linear memory that the instance has.
    pub(crate) fn memory(&self) -> usize {
        self.memory.used
    }

    /// The limit that the component ran into, if it did.
    pub(crate) fn refusal(&self) -> Option<String> {
        [&self.memory, &self.table, &self.calls].into_iter().find_map(Counter::refusal)
    }

    /// Counts a call of what is beneath. One too many traps the component: a
    /// refusal would cost the host more than the component that loops.
    pub(crate) fn count_call(&mut self) -> wasmtime::Result<()> {
        self.turns.waited = true;
        if self.calls.grow(0, 1) { Ok(()) } else { Err(wasmtime::Error::msg("too many calls")) }
    }
}

impl ResourceLimiter for Usage {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.memory.grow(current, desired))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.table.grow(current, desired))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_summed() {
        let counter =
            |allowed| Counter { name: "bytes of memory", used: 0, allowed, refused: None };
        let turns = Turns::new(0);
        let mut usage = Usage { memory: counter(100), table: counter(0), calls: counter(0), turns };
        assert!(usage.memory_growing(0, 60, None).unwrap());
        assert!(!usage.memory_growing(0, 60, None).unwrap());
        assert!(usage.memory_growing(60, 100, None).unwrap());
        assert_eq!(usage.refusal().unwrap(), "bytes of memory: allowed 100, asked for 120");
    }

    #[test]
    fn turns_are_counted_but_for_those_that_were_waited_through() {
        let counter = || Counter { name: "calls", used: 0, allowed: 1000, refused: None };
        let turns = Turns::new(250_000_000);
        assert_eq!(turns.left, 100);
        let mut usage = Usage { memory: counter(), table: counter(), calls: counter(), turns };
        for _ in 0..500 {
            usage.count_call().unwrap();
            usage.end_turn().unwrap();
        }
        for _ in 0..100 {
            usage.end_turn().unwrap();
        }
        assert!(usage.end_turn().is_err());
        usage.renew();
        assert!(usage.end_turn().is_ok());
    }
}
