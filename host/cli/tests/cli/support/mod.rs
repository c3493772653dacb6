mod server;
pub use server::Server;
mod throttle;
pub use throttle::Throttle;
mod slow;
pub use slow::Slow;
mod cli;
mod filters;
pub use cli::Cli;
#[cfg(unix)]
pub use cli::{interrupt, signal};
