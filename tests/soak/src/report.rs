use std::{collections::BTreeMap, fmt, time::Duration};

use artifact_test_servers::Faults;

use crate::Settings;

/// What a run did, and what of it was wrong.
#[derive(Debug)]
pub struct Report {
    /// With what it ran.
    pub settings: Settings,
    /// How long it took, checks included.
    pub elapsed: Duration,
    /// Of each operation.
    pub counts: BTreeMap<&'static str, Counts>,
    /// What the proxy did.
    pub faults: Faults,
    /// How often an acknowledged race was won, and how many updates of the counter were
    /// acknowledged.
    pub races: (usize, u64),
    /// Objects that were there at the end, and were compared byte by byte.
    pub compared: usize,
    /// Uploads whose id was lost with the answer that told it, and that were aborted at
    /// the end. None has parts.
    pub orphans: usize,
    /// Nothing, if all went well.
    pub violations: Vec<Violation>,
}

/// How often an operation ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// It was acknowledged, or refused as it had to be.
    pub done: u64,
    /// It ended in an error that a broken connection explains.
    pub failed: u64,
    /// Its future was dropped.
    pub dropped: u64,
}

/// Something that must not be.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The key.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What was done to the key, at last.
    pub log: Vec<String>,
}

impl Report {
    /// Operations that were acknowledged.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.counts.values().map(|counts| counts.done).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { seed, tasks, break_one_in, .. } = self.settings;
        writeln!(
            f,
            "soak: seed {seed}, {tasks} tasks, one connection in {break_one_in} broken, {:.1} s",
            self.elapsed.as_secs_f64()
        )?;
        for (name, counts) in &self.counts {
            let Counts { done, failed, dropped } = counts;
            writeln!(f, "  {name:<16} {done:>7} done {failed:>6} failed {dropped:>6} dropped")?;
        }
        let faults = &self.faults;
        writeln!(
            f,
            "  {} exchanges; connections broken in {} requests and {} answers; {} answers late",
            faults.exchanges, faults.broken_requests, faults.broken_answers, faults.delayed
        )?;
        let (won, updates) = self.races;
        writeln!(
            f,
            "  {won} races with one winner, {updates} updates of a counter, {} objects compared",
            self.compared
        )?;
        writeln!(f, "  {} uploads begun whose id never arrived, now aborted", self.orphans)?;
        for violation in &self.violations {
            writeln!(f, "{violation}")?;
        }
        write!(f, "  {} violations", self.violations.len())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VIOLATION on {}: {}", self.key, self.what)?;
        for line in &self.log {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}
