//! The suite that attacks: one test for each attack, with what the user is told of it.
//! After each, the same store and its neighbour in the same sandbox serve.
//!
//! The attackers are `guest/hostile` (a store component), `guest/hostile-policy` and
//! `guest/hostile-filter`, which take the attack as a setting, and the modules in
//! `components/`, where an attack is on the calling convention itself. Filters are
//! attacked in `host/runtime/tests/filters.rs`, the clock in `tests/timing.rs`.

#![expect(clippy::unwrap_used, reason = "tests")]

mod answers;
mod corpus;
mod failing_open;
mod grants;
mod handles;
mod lies;
mod loading;
mod logs;
mod loops;
mod memory;
mod secrets;
#[allow(dead_code, reason = "each file of tests uses a part of it")]
#[path = "../support/mod.rs"]
mod support;
