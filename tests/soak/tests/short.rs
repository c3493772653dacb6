//! A few seconds of the soak, as a test: `just soak` runs it for longer.

use std::{error::Error, time::Duration};

use artifact_soak::Settings;

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_acknowledged_is_lost_over_connections_that_break() -> Outcome {
    let settings = Settings { duration: Duration::from_secs(4), seed: 20, ..Settings::default() };
    let report = artifact_soak::run(settings).await?;
    assert!(report.violations.is_empty(), "{report}");
    // It was no walk in the park, and not all failed.
    let broken = report.faults.broken_requests + report.faults.broken_answers;
    assert!(broken > 0 && report.done() > 50, "{report}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_put_leaves_no_upload_where_the_service_can_be_reached() -> Outcome {
    let duration = Duration::from_secs(3);
    let settings = Settings { duration, seed: 21, tasks: 6, break_one_in: 0 };
    let report = artifact_soak::run(settings).await?;
    assert!(report.violations.is_empty() && report.orphans == 0, "{report}");
    assert!(report.counts.values().all(|counts| counts.failed == 0), "{report}");
    assert!(report.counts.values().any(|counts| counts.dropped > 0), "{report}");
    Ok(())
}
