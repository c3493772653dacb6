use std::{io, pin::pin, time::Duration};

use futures::future::{Either, select};

use artifact_store::s3::HttpS3;

use crate::{failure::Failure, output::Output};

/// Time for the same that is not worth a word, unless the user waits for the program to end.
const MOMENT: Duration = Duration::from_secs(1);

/// Longest time for what a call that was stopped leaves to be done.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs `work` until it is done, or the user wants it to end (Ctrl-C, or a
/// polite `kill`). Then it is dropped, which ends its calls and removes its
/// temporary files.
pub async fn unless_interrupted<T>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match select(pin!(work), pin!(interrupted())).await {
        Either::Left((result, _)) => result,
        Either::Right((Ok(()), _)) => Err(Failure::interrupted()),
        Either::Right((Err(error), work)) => {
            // Without a handler Ctrl-C ends the process as it always did.
            tracing::warn!(%error, "cannot listen for signals");
            work.await
        }
    }
}

/// Returns when the client has removed what calls that did not come to their end have
/// left at the service, or when it takes too long, or the user insists.
pub async fn settled(client: &HttpS3, interrupted_before: bool, output: &Output) {
    let mut settle = pin!(client.settle());
    // Most of the time there is nothing to do.
    let quiet = if interrupted_before { Duration::ZERO } else { MOMENT };
    if tokio::time::timeout(quiet, settle.as_mut()).await.is_ok() {
        return;
    }
    output.say("aborting the unfinished upload… (Ctrl-C leaves it there)");
    let given_up = pin!(async {
        // Whether it is time or the user, the answer is the same.
        let _ = tokio::time::timeout(PATIENCE, interrupted()).await;
    });
    if let Either::Right(_) = select(settle, given_up).await {
        output.say("it may still be there: `artifacts doctor --abort-unfinished` aborts it");
    }
}

/// Returns when the user wants the program to end.
#[cfg(unix)]
pub async fn interrupted() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    match select(pin!(tokio::signal::ctrl_c()), pin!(terminate.recv())).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => Ok(()),
    }
}

/// Returns when the user wants the program to end.
#[cfg(not(unix))]
pub async fn interrupted() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
