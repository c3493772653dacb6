use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use crate::{S3Error, S3ErrorKind};

/// Longest pause that a service can ask for (`Retry-After`): a caller waits meanwhile.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(30);

/// How often, and after what pauses, a call is tried again.
///
/// Tried again are calls that could not connect, were throttled (429, 503), or met
/// an error of the service (5xx) or a broken or silent connection. The pause is a
/// random part of a span that doubles each time (full jitter), so that clients that
/// failed together do not come back together; `Retry-After` is honoured up to 30
/// seconds.
///
/// Not tried again, whatever this says:
/// - a write with a condition, when it may have happened: the second try would
///   meet the first one's object and report that the condition failed;
/// - anything, once too many calls of the client failed: see [`RetryPolicy::budget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all; 1 means none again. 4, by default.
    pub max_attempts: u32,
    /// The first span. 50 milliseconds, by default: S3's own errors pass that fast.
    pub base_delay: Duration,
    /// The longest span. 10 seconds, by default.
    pub max_delay: Duration,
    /// How much the client's calls may spend on further tries, together; 500 by
    /// default. A try after a time-out costs 10, any other 5; a call that succeeds
    /// gives back 1, and 5 more where it took more than one try. So a service that is
    /// down is asked once for each call, and not four times.
    pub budget: u32,
}

impl RetryPolicy {
    /// One try, and no more.
    #[must_use]
    pub fn none() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    pub(crate) fn delays(self) -> Delays {
        Delays { policy: self, left: self.max_attempts.saturating_sub(1), span: self.base_delay }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            base_delay: Duration::from_millis(50),
            max_delay: Duration::from_secs(10),
            budget: 500,
        }
    }
}

/// The pauses before the second try and those after it.
#[derive(Clone, Debug)]
pub(crate) struct Delays {
    policy: RetryPolicy,
    left: u32,
    span: Duration,
}

impl Iterator for Delays {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let span = self.span.min(self.policy.max_delay);
        self.span = span.saturating_mul(2);
        Some(span.mul_f64(fastrand::f64()))
    }
}

/// Said of a call for which the budget left no further try.
pub(super) const OVER_BUDGET: &str = "not tried again: too many calls of this client failed lately";

/// What a client's calls may still spend on further tries.
///
/// Source: the retry quota of AWS's SDKs, [retry behavior][quota].
///
/// [quota]: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
#[derive(Debug)]
pub(crate) struct Budget {
    full: u32,
    left: AtomicU32,
}

impl Budget {
    const RETRY: u32 = 5;
    const RETRY_AFTER_TIMEOUT: u32 = 10;
    const SUCCESS: u32 = 1;

    pub(crate) fn new(full: u32) -> Self {
        Self { full, left: AtomicU32::new(full) }
    }

    /// Takes what another try costs; false where there is not so much.
    pub(crate) fn withdraw(&self, failure: S3ErrorKind) -> bool {
        let cost = match failure {
            S3ErrorKind::Timeout => Self::RETRY_AFTER_TIMEOUT,
            _ => Self::RETRY,
        };
        let take = |left: u32| left.checked_sub(cost);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    /// Gives back for a call that succeeded with this try.
    pub(crate) fn deposit(&self, attempt: u32) {
        let gift = if attempt > 1 { Self::SUCCESS + Self::RETRY } else { Self::SUCCESS };
        // Full nearly always: then nothing is written that other threads would wait for.
        if self.left.load(Ordering::Relaxed) < self.full {
            let give = |left: u32| Some(left.saturating_add(gift).min(self.full));
            let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, give);
        }
    }
}

/// One try that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: S3Error,
    /// What the service asked for.
    pub(super) retry_after: Option<Duration>,
    /// Whether the service may have done what it was asked, all the same.
    pub(super) may_be_done: bool,
}

impl Failure {
    /// A failure before anything could happen at the service.
    pub(super) fn before(error: S3Error) -> Self {
        Self { error, retry_after: None, may_be_done: false }
    }

    /// A failure after which nobody knows.
    pub(super) fn midway(error: S3Error) -> Self {
        Self { error, retry_after: None, may_be_done: true }
    }

    /// Whether there was nobody to send it to.
    pub(super) fn met_nobody(&self) -> bool {
        !self.may_be_done
            && self.error.kind() == S3ErrorKind::Unreachable
            && self.error.status().is_none()
    }

    /// The error, saying so where a write may have happened.
    pub(super) fn into_error(self, conditional: bool) -> S3Error {
        if conditional && self.may_be_done && self.error.kind() != S3ErrorKind::BodyFailed {
            self.error.retryable(false)
        } else {
            self.error
        }
    }

    /// The pause before the next try.
    pub(super) fn pause(&self, planned: Option<Duration>) -> Option<Duration> {
        let asked = self.retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
        planned.map(|planned| planned.max(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_double_up_to_the_cap_and_end() {
        let policy = RetryPolicy {
            max_attempts: 6,
            base_delay: Duration::from_millis(100),
            max_delay: Duration::from_millis(400),
            ..RetryPolicy::default()
        };
        for _ in 0..100 {
            let delays: Vec<Duration> = policy.delays().collect();
            assert_eq!(delays.len(), 5);
            for (delay, most) in delays.iter().zip([100, 200, 400, 400, 400]) {
                assert!(*delay <= Duration::from_millis(most), "{delays:?}");
            }
        }
        assert_eq!(RetryPolicy::none().delays().count(), 0);
    }

    #[test]
    fn a_budget_is_spent_and_earned_again() {
        let budget = Budget::new(20);
        assert!(budget.withdraw(S3ErrorKind::Timeout));
        assert!(budget.withdraw(S3ErrorKind::Throttled));
        assert!(!budget.withdraw(S3ErrorKind::Timeout), "5 are left");
        assert!(budget.withdraw(S3ErrorKind::Throttled));
        assert!(!budget.withdraw(S3ErrorKind::Throttled));
        (0..4).for_each(|_| budget.deposit(1));
        assert!(!budget.withdraw(S3ErrorKind::Throttled));
        budget.deposit(2);
        assert!(budget.withdraw(S3ErrorKind::Throttled));
        (0..100).for_each(|_| budget.deposit(1));
        assert_eq!(budget.left.into_inner(), 20);
    }

    #[test]
    fn retry_after_is_a_lower_bound_with_a_cap() {
        let mut failure = Failure::before(S3Error::new(S3ErrorKind::Throttled, ""));
        let planned = Some(Duration::from_millis(10));
        assert_eq!(failure.pause(planned), planned);
        failure.retry_after = Some(Duration::from_secs(2));
        assert_eq!(failure.pause(planned), failure.retry_after);
        failure.retry_after = Some(Duration::from_hours(1));
        assert_eq!(failure.pause(planned), Some(MAX_RETRY_AFTER));
        assert_eq!(failure.pause(None), None);
    }
}
