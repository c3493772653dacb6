use std::{
    future::Future,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use backon::Retryable;
use http::Method;

use super::{
    HttpS3,
    credentials::{Keys, says_expired},
    places::Place,
    request::{Request, target},
    response::Answer,
    retry::{Failure, OVER_BUDGET, RetryPolicy},
};
use crate::{S3Error, S3ErrorKind};

/// What one call has been through.
#[derive(Debug)]
struct Call {
    began: Instant,
    attempts: AtomicU32,
    /// The last try that failed.
    last: Mutex<Option<S3Error>>,
    /// A refusal is followed by another try at once, once for each reason.
    moved: AtomicBool,
    corrected: AtomicBool,
    renewed: AtomicBool,
    /// The clock's correction that the last try was signed with.
    signed: AtomicI64,
    /// Whether the client's budget forbade another try.
    over_budget: AtomicBool,
}

impl Call {
    fn begin() -> Self {
        Self {
            began: Instant::now(),
            attempts: AtomicU32::new(0),
            last: Mutex::default(),
            moved: AtomicBool::new(false),
            corrected: AtomicBool::new(false),
            renewed: AtomicBool::new(false),
            signed: AtomicI64::new(0),
            over_budget: AtomicBool::new(false),
        }
    }
}

impl HttpS3 {
    /// Sends a call, and again where that is safe, until there is an answer.
    pub(super) fn send(
        &self,
        request: &Request<'_>,
    ) -> impl Future<Output = Result<Answer, S3Error>> {
        self.send_by(request, self.parts().retry)
    }

    /// The same, with the tries and pauses of this policy.
    pub(super) async fn send_by(
        &self,
        request: &Request<'_>,
        retry: RetryPolicy,
    ) -> Result<Answer, S3Error> {
        let parts = self.parts();
        let call = Call::begin();
        let sending = (|| self.attempt(request, &call))
            .retry(retry.delays())
            .when(|failure: &Failure| request.may_repeat(failure))
            .adjust(|failure, planned| self.pause(&call, failure, planned));
        let outcome = match parts.call_timeout {
            None => sending.await,
            Some(limit) => tokio::time::timeout(limit, sending)
                .await
                .unwrap_or_else(|_| Err(out_of_time(&call, limit))),
        };
        let attempts = || call.attempts.load(Ordering::Relaxed);
        let answer = outcome.map_err(|failure| {
            let note = if call.over_budget.load(Ordering::Relaxed) {
                Some(OVER_BUDGET.to_owned())
            } else {
                parts.clock.note(&failure, call.signed.load(Ordering::Relaxed))
            };
            failure
                .into_error(request.conditional_write)
                .noting(note)
                .on(request.operation, target(request.bucket, request.key))
                .after_attempts(attempts(), call.began.elapsed())
        })?;
        Ok(Answer { attempts: attempts(), began: Some(call.began), ..answer })
    }

    /// The pause before the next try; none where there is to be none.
    fn pause(&self, call: &Call, failure: &Failure, planned: Option<Duration>) -> Option<Duration> {
        let pause = failure.pause(planned)?;
        let limit = self.parts().call_timeout;
        if limit.is_some_and(|limit| call.began.elapsed().saturating_add(pause) >= limit) {
            return None;
        }
        let affordable = self.parts().budget.withdraw(failure.error.kind());
        call.over_budget.store(!affordable, Ordering::Relaxed);
        affordable.then_some(pause)
    }

    /// One try, and a second one at once where the refusal tells how to make it.
    async fn attempt(&self, request: &Request<'_>, call: &Call) -> Result<Answer, Failure> {
        loop {
            let number = call.attempts.fetch_add(1, Ordering::Relaxed) + 1;
            let place = self.parts().places.of(request.bucket);
            let key = self.parts().keys.as_ref().map(Keys::generation);
            call.signed.store(self.parts().clock.correction(), Ordering::Relaxed);
            let outcome = self.within_limit(request, &place, number).await;
            let mut failure = match outcome {
                Ok(answer) => {
                    self.parts().budget.deposit(number);
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            let mended = self.renew(request, key, call, &mut failure).await
                || self.mend(request, &place, call, &failure);
            if !mended {
                if failure.met_nobody() && self.parts().places.forget(request.bucket, &place) {
                    call.moved.store(false, Ordering::Relaxed);
                }
                let error = Some(failure.error.clone());
                *call.last.lock().unwrap_or_else(PoisonError::into_inner) = error;
                return Err(failure);
            }
        }
    }

    /// Whether the same call, sent again at once, goes elsewhere or is signed anew.
    fn mend(&self, request: &Request<'_>, place: &Place, call: &Call, failure: &Failure) -> bool {
        let parts = self.parts();
        if let Some(redirect) = failure.error.redirect() {
            return !call.moved.swap(true, Ordering::Relaxed)
                && parts.places.follow(request.bucket, place, redirect);
        }
        parts.keys.is_some()
            && parts.clock.correct(failure, call.signed.load(Ordering::Relaxed))
            && !call.corrected.swap(true, Ordering::Relaxed)
    }

    /// Fetches credentials anew, once, where the service says that they have expired, or
    /// cannot say so; where that gives no others, the failure says what to do.
    async fn renew(
        &self,
        request: &Request<'_>,
        key: Option<u64>,
        call: &Call,
        failure: &mut Failure,
    ) -> bool {
        let (Some(keys), Some(key)) = (&self.parts().keys, key) else {
            return false;
        };
        let answer = failure.error.clone();
        let says_so = says_expired(&answer);
        // The answer to a HEAD has no body that would name the error.
        let cannot_say = request.method == Method::HEAD
            && answer.status() == Some(400)
            && answer.code().is_none()
            && answer.redirect().is_none();
        if !(says_so || cannot_say) || call.renewed.swap(true, Ordering::Relaxed) {
            return false;
        }
        let renewed = if says_so {
            keys.renew(key, answer).await
        } else {
            keys.renew_suspected(key, answer).await
        };
        renewed.map_err(|error| failure.error = error).is_ok()
    }

    async fn within_limit(
        &self,
        request: &Request<'_>,
        place: &Place,
        number: u32,
    ) -> Result<Answer, Failure> {
        let began = Instant::now();
        let outcome = match self.parts().attempt_timeout {
            None => self.exchange(request, place).await,
            Some(limit) => {
                let exchange = tokio::time::timeout(limit, self.exchange(request, place)).await;
                exchange.unwrap_or_else(|_| {
                    let service = place.endpoint.authority();
                    let message = format!("{service} gave no answer within {limit:?}");
                    Err(Failure::midway(S3Error::new(S3ErrorKind::Timeout, message)))
                })
            }
        };
        // The fields are made only if somebody listens.
        tracing::debug!(
            operation = %request.operation,
            method = %request.method,
            target = target(request.bucket, request.key),
            attempt = number,
            status = match &outcome {
                Ok(answer) => Some(answer.status.as_u16()),
                Err(failure) => failure.error.status(),
            },
            request_id = match &outcome {
                Ok(answer) => answer.request_id(),
                Err(failure) => failure.error.request_id().map(str::to_owned),
            },
            error = outcome.as_ref().err().map(|f| tracing::field::display(f.error.kind())),
            elapsed = ?began.elapsed(),
            "S3 request"
        );
        outcome
    }
}

fn out_of_time(call: &Call, limit: Duration) -> Failure {
    let message = format!("the call did not end within {limit:?}, its limit");
    let error = S3Error::new(S3ErrorKind::Timeout, message);
    let last = call.last.lock().unwrap_or_else(PoisonError::into_inner).take();
    Failure::midway(match last {
        Some(last) => error.caused_by(last),
        None => error,
    })
}
