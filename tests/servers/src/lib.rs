//! What tests run against, besides the server of `artifact-s3-server`.
//!
//! - [`SeaweedFs`] finds a real S3 server: `tests/servers/seaweedfs` installs it, starts
//!   it, runs the contract suite and stops it; `just test-seaweedfs` calls it. With
//!   `--serve` it starts the server only.
//! - [`FaultProxy`] stands before any HTTP server, breaks connections, flips bits and
//!   delays answers.
//! - [`Careless`] is an S3 client that ignores conditions, and [`Overwriting`] one that
//!   ignores `If-Match` on writes; to be put behind a server.

mod seaweedfs;
pub use seaweedfs::{InvalidSetting, SeaweedFs};
mod careless;
pub use careless::Careless;
mod overwriting;
pub use overwriting::Overwriting;
mod fault_proxy;
pub use fault_proxy::{FaultProxy, FaultProxyBuilder, Faults};
