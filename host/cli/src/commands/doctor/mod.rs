//! Finds out whether a store can work, and what the service behind it honours.

use artifact_store::s3::{Bucket, Check, Feature, Finding, HttpS3, Probe};
use serde_json::{Value, json};

use super::Store;
use crate::{
    args::{DoctorArgs, rfc3339},
    failure::{Exit, Failure},
    output::{Output, s3_error_json},
};

mod table;
mod uploads;
use uploads::Uploads;

/// Examines the service and the bucket of the settings.
pub async fn run(args: &DoctorArgs, store: &Store<'_>, output: &Output) -> Result<(), Failure> {
    let bucket = Bucket::parse(store.settings.bucket()?)
        .map_err(|error| Failure::config(error.to_string()))?;
    let prefix = store.settings.prefix.as_ref().map_or("", |prefix| prefix.value.as_str());
    let s3 = store.client().await?;
    let probe = s3.probe(&bucket, prefix).await;
    if !output.json {
        output.coloured(&table::of(&probe.checks))?;
    }
    let kept = keep(&probe, store);
    let uploads = if is_reachable(&probe) {
        Uploads::find(&s3, &bucket, prefix).await
    } else {
        Uploads::unknown()
    };
    let mut exit = Exit::Done;
    if output.json {
        let (aborted, worst) = uploads.abort(args, (&s3, &bucket, prefix), output).await?;
        exit = worst;
        let mut value = as_json(&s3, &bucket, prefix, &probe);
        value["kept_in"] = kept.into();
        value["unfinished_uploads"] = uploads.as_json();
        value["aborted_uploads"] = aborted.into();
        output.json(&value)?;
    } else {
        output.data(&uploads.as_text(prefix, args.abort_unfinished))?;
        if args.abort_unfinished {
            exit = uploads.abort(args, (&s3, &bucket, prefix), output).await?.1;
        }
    }
    conclude(&probe, exit)
}

/// Whether a call can be sent at all.
fn is_reachable(probe: &Probe) -> bool {
    let needed = |check: &&Check| matches!(check.feature, Feature::Endpoint | Feature::Credentials);
    probe.checks.iter().filter(needed).all(|check| check.finding == Finding::Ok)
}

/// Keeps what was found for later commands; what is of no use does not replace what is.
fn keep(probe: &Probe, store: &Store<'_>) -> Option<String> {
    let findings = store.settings.findings(store.env).filter(|_| probe.works())?;
    match findings.keep(&probe.capabilities()) {
        Ok(path) => Some(path.display().to_string()),
        Err(error) => {
            tracing::warn!(%error, "what was found out cannot be kept for later commands");
            None
        }
    }
}

fn conclude(probe: &Probe, exit: Exit) -> Result<(), Failure> {
    if !probe.works() {
        let tried = |check: &&Check| check.feature.is_required() && is_bad(check.finding);
        let failed: Vec<_> =
            probe.checks.iter().filter(tried).map(|c| c.feature.as_str()).collect();
        let message = format!("no artifact store can work here, as it needs {}", failed.join(", "));
        return Err(Failure::doctor(message));
    }
    if exit == Exit::Done { Ok(()) } else { Err(Failure::Told(exit)) }
}

/// Not what was never tried: what stood in its way says more.
fn is_bad(finding: Finding) -> bool {
    !matches!(finding, Finding::Ok | Finding::Unknown)
}

fn as_json(s3: &HttpS3, bucket: &Bucket, prefix: &str, probe: &Probe) -> Value {
    let check = |check: &Check| {
        json!({
            "check": check.feature.as_str(),
            "required": check.feature.is_required(),
            "finding": check.finding.to_string(),
            "message": check.message,
            "s3": check.error.as_ref().map(s3_error_json),
        })
    };
    json!({
        "endpoint": s3.endpoint(),
        "region": s3.region(),
        "bucket": bucket.as_str(),
        "prefix": prefix,
        "works": probe.works(),
        "found_at": rfc3339(probe.capabilities().found_at()),
        "checks": probe.checks.iter().map(check).collect::<Vec<_>>(),
    })
}
