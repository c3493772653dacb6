use std::io;

use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, fmt::format::FmtSpan, layer::SubscriberExt, registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::environment::Environment;

/// Sends what the libraries tell to standard error, as much as `-v` asks for.
pub fn trace(verbose: u8, env: &Environment) {
    tracing_subscriber::registry().with(trace_layer(verbose, env)).init();
}

/// Other people's crates stay at `info`: below that they may show headers.
pub fn trace_layer<S>(verbose: u8, env: &Environment) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let filter = match verbose {
        // What policies write on record, and that one was set aside.
        0 => "off,artifacts=warn,artifact_store=warn,artifact_store::policy_log=info",
        // One line for each call of the store, and one for each request.
        1 => "warn,artifact_store=info,artifact_s3=debug,artifacts=info",
        2 => "info,artifact_store=debug,artifact_s3=debug,artifacts=debug",
        _ => "info,artifact_store=trace,artifact_s3=trace,artifacts=trace",
    };
    let shown = tracing_subscriber::fmt::layer()
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(env.stderr_is_terminal)
        .with_writer(io::stderr);
    shown.with_filter(EnvFilter::new(filter))
}
