use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// Tells when bytes last moved in a call, in either direction.
#[derive(Clone, Debug)]
pub(super) struct Progress(Arc<State>);

#[derive(Debug)]
struct State {
    /// How long nothing may move.
    idle: Duration,
    began: Instant,
    /// Milliseconds from `began`.
    moved: AtomicU64,
    on_source: AtomicBool,
    sending: AtomicBool,
}

/// Nothing moved for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stalled {
    /// The service neither took nor gave a byte.
    Service,
    /// The body to be stored gave none.
    Source,
}

/// What looks after [`Progress`] from time to time. It is set anew only when it has
/// rung, not whenever bytes move, and outlasts a call: a timer for each would be
/// entered into the runtime's, and taken out of it again, in every one.
#[derive(Debug, Default)]
pub(super) struct Watchdog(Option<Pin<Box<Sleep>>>);

impl Progress {
    pub(super) fn new(idle: Duration) -> Self {
        Self(Arc::new(State {
            idle,
            began: Instant::now(),
            moved: AtomicU64::new(0),
            on_source: AtomicBool::new(false),
            sending: AtomicBool::new(false),
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

    /// Whether the body to be stored is still on its way.
    pub(super) fn is_sending(&self) -> bool {
        self.0.sending.load(Ordering::Relaxed)
    }

    pub(super) fn sending(&self, sending: bool) {
        self.0.sending.store(sending, Ordering::Relaxed);
    }

    /// Drives `work` until it is done, or nothing moved for too long.
    pub(super) async fn watch<F: Future>(&self, work: F) -> Result<F::Output, Stalled> {
        self.tick();
        let (mut work, mut watchdog) = (pin!(work), Watchdog::default());
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => self.poll_stalled(&mut watchdog, cx).map(Err),
        })
        .await
    }

    /// Ready when nothing moved for too long; asked whenever the call has to wait.
    pub(super) fn poll_stalled(
        &self,
        watchdog: &mut Watchdog,
        cx: &mut Context<'_>,
    ) -> Poll<Stalled> {
        // None where it lies beyond what a clock can say: then there is none.
        let limit = || {
            let moved = Duration::from_millis(self.0.moved.load(Ordering::Relaxed));
            self.0.began.checked_add(moved.checked_add(self.0.idle)?)
        };
        loop {
            let Some(at) = limit() else {
                return Poll::Pending;
            };
            let timer = watchdog.0.get_or_insert_with(|| Box::pin(sleep_until(at)));
            ready!(timer.as_mut().poll(cx));
            if at <= Instant::now() {
                let source = self.0.on_source.load(Ordering::Relaxed);
                return Poll::Ready(if source { Stalled::Source } else { Stalled::Service });
            }
            timer.as_mut().reset(at);
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
        let progress = Progress::new(IDLE);
        let work = async {
            for _ in 0..12 {
                sleep(IDLE / 8).await;
                progress.tick();
            }
        };
        assert_eq!(progress.watch(work).await, Ok(()));
        assert!(progress.0.began.elapsed() > IDLE);
    }

    #[tokio::test]
    async fn silence_ends_it_and_names_who_was_silent() {
        let progress = Progress::new(IDLE / 8);
        let silence = progress.watch(std::future::pending::<()>());
        assert_eq!(silence.await, Err(Stalled::Service));
        progress.waits_for_source(true);
        let silence = progress.watch(std::future::pending::<()>());
        assert_eq!(silence.await, Err(Stalled::Source));
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_beyond_all_clocks_is_none() {
        for idle in [Duration::MAX, Duration::from_secs(u64::MAX)] {
            let progress = Progress::new(idle);
            let silence = progress.watch(std::future::pending::<()>());
            assert!(tokio::time::timeout(Duration::from_hours(1), silence).await.is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_watchdog_of_an_earlier_call_does_not_end_the_next_one() {
        let (idle, mut watchdog) = (Duration::from_mins(1), Watchdog::default());
        for _ in 0..3 {
            let progress = Progress::new(idle);
            let mut silence = pin!(poll_fn(|cx| progress.poll_stalled(&mut watchdog, cx)));
            let early = tokio::time::timeout(idle / 2, &mut silence).await;
            assert!(early.is_err());
        }
        let (progress, began) = (Progress::new(idle), Instant::now());
        poll_fn(|cx| progress.poll_stalled(&mut watchdog, cx)).await;
        assert!(began.elapsed() >= idle);
    }
}
