use artifact_store::{Blame, s3::S3Error};
use serde_json::{Value, json};

use super::{printable, tell};
use crate::failure::{Exit, Failure, Kind};

/// Shows why the program failed.
pub fn show(failure: &Failure, as_json: bool) {
    if matches!(failure, Failure::Told(_)) {
        return;
    }
    if as_json {
        tell(&json!({ "error": failure_json(failure) }).to_string());
        return;
    }
    let text = format!("\x1b[1;31merror\x1b[0m: {}", printable(&failure.to_string()));
    let causes = failure.causes();
    let causes = causes.iter().map(|cause| format!("\n  caused by: {}", printable(cause)));
    let advice = failure.advice().into_iter().flat_map(str::lines);
    let advice = advice.map(|line| match line {
        "" => "\n".to_owned(),
        line => format!("\n  {}", printable(line)),
    });
    tell(&causes.chain(advice).fold(text, |text, more| text + &more));
}

/// Shows what clap says: help and version as results, anything else as an error.
pub fn usage(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        // Help that nobody reads is no failure.
        let _ = error.print();
        return Exit::Done;
    }
    // The command line is not understood, so what it wants is looked for by hand.
    let wants_json =
        std::env::args_os().skip(1).take_while(|arg| arg != "--").any(|arg| arg == "--json");
    if wants_json {
        let text = error.render().to_string();
        // What follows the first empty line is advice for people.
        let lines = text.trim().trim_start_matches("error: ").lines().map(str::trim);
        let message: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
        show(&Failure::usage(message.join(" ")), true);
    } else {
        let _ = error.print();
    }
    Exit::Usage
}

/// The failure as programs read it.
pub fn failure_json(failure: &Failure) -> Value {
    let mut value = match failure {
        Failure::Store(error) => json!({
            "kind": error.kind().as_str(),
            "message": error.to_string(),
            "blame": blame(error.blame()),
            "retryable": error.is_retryable(),
            "operation": error.operation().map(artifact_store::Operation::as_str),
            "key": error.key(),
            "s3": error.s3().map(s3_error_json),
        }),
        Failure::Here { kind, message, .. } => json!({
            "kind": kind.as_str(),
            "message": message,
            "blame": match kind {
                Kind::Usage | Kind::Config | Kind::Input | Kind::Interrupted => "caller",
                Kind::Output | Kind::Demo => "host",
                Kind::Doctor => "storage",
            },
            "retryable": false,
            "operation": null,
            "key": null,
            "s3": null,
        }),
        Failure::Told(_) => json!({}),
    };
    value["causes"] = failure.causes().into();
    if let Some(advice) = failure.advice() {
        value["advice"] = advice.into();
    }
    value
}

/// What S3 said, or what stood in its way.
pub fn s3_error_json(error: &S3Error) -> Value {
    json!({
        "kind": error.kind().to_string().replace(' ', "-"),
        "operation": error.operation().map(|operation| operation.to_string()),
        "target": error.target(),
        "status": error.status(),
        "code": error.code(),
        "message": error.message(),
        "request_id": error.request_id(),
        "retryable": error.is_retryable(),
        "attempts": error.attempts(),
        "elapsed_seconds": error.elapsed().map(|elapsed| elapsed.as_secs_f64()),
        "region": error.redirect().and_then(|redirect| redirect.region.as_deref()),
        "endpoint": error.redirect().and_then(|redirect| redirect.endpoint.as_deref()),
    })
}

fn blame(blame: Blame) -> &'static str {
    match blame {
        Blame::Caller => "caller",
        Blame::Policy => "policy",
        Blame::Storage => "storage",
        Blame::Host => "host",
    }
}
