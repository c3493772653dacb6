use std::io;

use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

use crate::environment::Environment;

/// Sends what the libraries tell to standard error, as much as `-v` asks for.
///
/// Other people's crates stay at `info`: below that they may show headers.
pub fn trace(verbose: u8, env: &Environment) {
    let filter = match verbose {
        // What policies write on record, and that one was set aside.
        0 => "off,artifact_store=warn,artifact_store::policy_log=info",
        // One line for each call of the store, and one for each request.
        1 => "warn,artifact_store=info,artifact_s3=debug,artifacts=info",
        2 => "info,artifact_store=debug,artifact_s3=debug,artifacts=debug",
        _ => "info,artifact_store=trace,artifact_s3=trace,artifacts=trace",
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(env.stderr_is_terminal)
        .with_writer(io::stderr)
        .init();
}
