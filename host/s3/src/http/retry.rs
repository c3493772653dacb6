use std::time::Duration;

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
/// - a body that can be read only once, when its first byte was taken;
/// - a write with a condition, when it may have happened: the second try would
///   meet the first one's object and report that the condition failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all; 1 means none again. 4, by default.
    pub max_attempts: u32,
    /// The first span. 50 milliseconds, by default: S3's own errors pass that fast.
    pub base_delay: Duration,
    /// The longest span. 10 seconds, by default.
    pub max_delay: Duration,
}

impl RetryPolicy {
    /// One try, and no more.
    #[must_use]
    pub fn none() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    pub(super) fn delays(self) -> Delays {
        Delays { policy: self, left: self.max_attempts.saturating_sub(1), span: self.base_delay }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            base_delay: Duration::from_millis(50),
            max_delay: Duration::from_secs(10),
        }
    }
}

/// The pauses before the second try and those after it.
#[derive(Clone, Debug)]
pub(super) struct Delays {
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
