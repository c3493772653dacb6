//! Layers: each wraps a client, adds one thing, and is a client again.

mod layer;
pub use layer::{Answer, Attempt, Call, Layer};
mod concurrency_limit;
pub use concurrency_limit::ConcurrencyLimit;
mod deadline;
pub use deadline::Deadline;
mod retry;
pub use retry::Retry;
mod fault_rates;
pub use fault_rates::FaultRates;
mod faults;
pub use faults::{Fault, Faults};
mod traced;
pub use traced::Traced;
