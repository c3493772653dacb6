use std::{fmt, time::Instant};

use super::{Answer, Attempt, Call, Layer};
use crate::{
    Body, RetryPolicy, S3Client, S3Error, S3ErrorKind,
    http::{Budget, is_throttling},
};

/// Tries calls again for a client that does not do so itself: a component, or one of
/// your own.
///
/// [`HttpS3`](crate::HttpS3) retries on its own, and better: it knows what was sent,
/// and honours `Retry-After`. Around it this layer would multiply the tries.
///
/// - Tried again is what fails with a [retryable](S3Error::is_retryable) error, after
///   the pauses of the [`RetryPolicy`], and within its budget.
/// - A put is tried again where its body can be [replayed](Body::is_replayable); a
///   stream has one try.
/// - A write with a condition that may have happened is not tried again, as the second
///   try would meet the first one's object. From outside a client only
///   [`Throttled`](S3ErrorKind::Throttled) says that nothing happened, and not as a bare
///   503, which may be a proxy's.
/// - The body of a get that breaks midway is not resumed: the call was over by then.
/// - The error says how often it was tried, the tries of the client inside included.
#[derive(Debug)]
pub struct Retry<C> {
    policy: RetryPolicy,
    budget: Budget,
    client: C,
}

impl<C> Retry<C> {
    /// Tries the calls of this client again, as the policy says.
    pub fn new(policy: RetryPolicy, client: C) -> Self {
        Self { policy, budget: Budget::new(policy.budget), client }
    }
}

impl<C: S3Client> Layer for Retry<C> {
    type Client = C;

    fn client(&self) -> &C {
        &self.client
    }

    async fn around<T: Answer>(
        &self,
        call: Call<'_>,
        mut body: Body,
        attempt: &Attempt<'_, T>,
    ) -> Result<T, S3Error> {
        let began = Instant::now();
        let mut pauses = self.policy.delays();
        let (mut tries, mut attempts) = (0, 0_u32);
        loop {
            let again = body.try_clone();
            tries += 1;
            let mut error = match attempt(body).await {
                Ok(answer) => {
                    self.budget.deposit(tries);
                    return Ok(answer);
                }
                Err(error) => error,
            };
            attempts = attempts.saturating_add(error.attempts());
            if call.conditional_write && !nothing_happened(&error) {
                error = error.retryable(false);
            }
            match again.filter(|_| error.is_retryable()).zip(pauses.next()) {
                Some((again, pause)) if self.budget.withdraw(error.kind()) => {
                    tokio::time::sleep(pause).await;
                    body = again;
                }
                _ => return Err(error.after_attempts(attempts, began.elapsed())),
            }
        }
    }
}

fn nothing_happened(error: &S3Error) -> bool {
    let failed_within = error.status().is_some_and(|status| status >= 500);
    error.kind() == S3ErrorKind::Throttled
        && (!failed_within || error.code().is_some_and(is_throttling))
}

impl<C: fmt::Display> fmt::Display for Retry<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Retry({}, {})", self.policy.max_attempts, self.client)
    }
}
