//! Servers that tests run against, and that are not part of this process.
//!
//! `tests/servers/seaweedfs` installs SeaweedFS, starts it, runs the contract suite
//! and stops it; `just test-seaweedfs` calls it. With `--serve` it starts the server
//! only. [`SeaweedFs`] is how a test finds it.

mod seaweedfs;
pub use seaweedfs::{InvalidSetting, SeaweedFs};
