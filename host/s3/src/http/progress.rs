use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// Tells when bytes last moved in a call, in either direction.
///
/// `reqwest`'s own `read_timeout` starts with the request and ends with the
/// answer's head: it would end every upload that takes longer.
#[derive(Clone, Debug)]
pub(super) struct Progress(Arc<State>);

#[derive(Debug)]
struct State {
    began: Instant,
    /// Milliseconds from `began`.
    moved: AtomicU64,
    on_source: AtomicBool,
}

/// Nothing moved for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stalled {
    /// The service neither took nor gave a byte.
    Service,
    /// The body to be stored gave none.
    Source,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self(Arc::new(State {
            began: Instant::now(),
            moved: AtomicU64::new(0),
            on_source: AtomicBool::new(false),
        }))
    }

    /// Bytes moved now.
    pub(super) fn tick(&self) {
        let moved = u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.moved.store(moved, Ordering::Relaxed);
    }

    /// Whether the call waits for the body to be stored.
    pub(super) fn waits_for_source(&self, waits: bool) {
        self.0.on_source.store(waits, Ordering::Relaxed);
    }

    /// Drives `work` until it is done, or nothing moved for as long as `idle`.
    pub(super) async fn watch<F: Future>(
        &self,
        idle: Duration,
        work: F,
    ) -> Result<F::Output, Stalled> {
        self.tick();
        let mut work = pin!(work);
        loop {
            let seen = self.0.moved.load(Ordering::Relaxed);
            let limit = self.0.began + Duration::from_millis(seen) + idle;
            tokio::select! {
                biased;
                output = &mut work => return Ok(output),
                () = sleep_until(limit) => {
                    if self.0.moved.load(Ordering::Relaxed) == seen {
                        let source = self.0.on_source.load(Ordering::Relaxed);
                        return Err(if source { Stalled::Source } else { Stalled::Service });
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    const IDLE: Duration = Duration::from_millis(400);

    #[tokio::test]
    async fn work_that_moves_may_take_long() {
        let progress = Progress::new();
        let work = async {
            for _ in 0..12 {
                sleep(IDLE / 8).await;
                progress.tick();
            }
        };
        assert_eq!(progress.watch(IDLE, work).await, Ok(()));
        assert!(progress.0.began.elapsed() > IDLE);
    }

    #[tokio::test]
    async fn silence_ends_it_and_names_who_was_silent() {
        let progress = Progress::new();
        let silence = progress.watch(IDLE / 8, std::future::pending::<()>());
        assert_eq!(silence.await, Err(Stalled::Service));
        progress.waits_for_source(true);
        let silence = progress.watch(IDLE / 8, std::future::pending::<()>());
        assert_eq!(silence.await, Err(Stalled::Source));
    }
}
