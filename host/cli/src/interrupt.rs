use std::{io, pin::pin};

use futures::future::{Either, select};

use crate::failure::Failure;

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
