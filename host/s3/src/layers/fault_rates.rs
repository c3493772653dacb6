use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sha2::{Digest, Sha256};

use super::Fault;
use crate::{Operation, S3Error, S3ErrorKind};

/// How often a call meets each fault: probabilities from 0 to 1, none by default.
///
/// At most one fault meets a call. Where the probabilities add up to more than 1, the
/// last ones are cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaultRates {
    /// Of [`Fault::Before`].
    pub before: f64,
    /// Of [`Fault::AnswerLost`].
    pub answer_lost: f64,
    /// Of [`Fault::BreakBody`].
    pub broken_body: f64,
    /// A body breaks after fewer bytes than this. 64 KiB, by default.
    pub broken_within: u64,
    /// Of [`Fault::Delay`].
    pub delay: f64,
    /// The longest delay. 10 milliseconds, by default.
    pub longest_delay: Duration,
}

impl Default for FaultRates {
    fn default() -> Self {
        Self {
            before: 0.0,
            answer_lost: 0.0,
            broken_body: 0.0,
            broken_within: 64 * 1024,
            delay: 0.0,
            longest_delay: Duration::from_millis(10),
        }
    }
}

impl FaultRates {
    /// Each of the three failures in a third of `rate` of the calls.
    #[must_use]
    pub fn failing(rate: f64) -> Self {
        let each = rate / 3.0;
        Self { before: each, answer_lost: each, broken_body: each, ..Self::default() }
    }
}

/// Decides by chance, and the same way each time.
pub(super) struct Dice {
    seed: u64,
    rates: Box<dyn Fn(Operation) -> FaultRates + Send + Sync>,
    /// How many calls there were of this name, on this target.
    calls: Mutex<HashMap<(Operation, String), u64>>,
}

impl Dice {
    pub(super) fn new(
        seed: u64,
        rates: impl Fn(Operation) -> FaultRates + Send + Sync + 'static,
    ) -> Self {
        Self { seed, rates: Box::new(rates), calls: Mutex::default() }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn throw(&self, operation: Operation, target: &str) -> Option<Fault> {
        let mut dice = fastrand::Rng::with_seed(self.seed_of_call(operation, target));
        let rates = (self.rates)(operation);
        let mut left = dice.f64();
        let mut falls = |rate: f64| {
            left -= rate;
            left < 0.0
        };
        if falls(rates.before) {
            let kind = dice.u8(0..4);
            Some(Fault::Before(failure(kind)))
        } else if falls(rates.answer_lost) {
            // A service that throttles says that nothing happened.
            let kind = dice.u8(1..4);
            Some(Fault::AnswerLost(failure(kind)))
        } else if falls(rates.broken_body) {
            let after = dice.u64(0..rates.broken_within.max(1));
            let error = S3Error::new(S3ErrorKind::Unreachable, "injected: the connection broke");
            Some(Fault::BreakBody { after, error })
        } else if falls(rates.delay) {
            Some(Fault::Delay(rates.longest_delay.mul_f64(dice.f64())))
        } else {
            None
        }
    }

    fn seed_of_call(&self, operation: Operation, target: &str) -> u64 {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let call = calls.entry((operation, target.to_owned())).or_default();
        *call += 1;
        let digest = Sha256::new()
            .chain_update(self.seed.to_le_bytes())
            .chain_update(call.to_le_bytes())
            .chain_update(operation.to_string())
            .chain_update(target)
            .finalize();
        digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
    }
}

/// What a service or a network says when it is not well.
fn failure(kind: u8) -> S3Error {
    let answered = |kind, message: &str, status, code: &str| {
        S3Error::new(kind, message)
            .answered(status, Some(code.to_owned()), Some("INJECTED".to_owned()))
            .retryable(true)
    };
    match kind {
        0 => answered(S3ErrorKind::Throttled, "injected: reduce your rate", 503, "SlowDown"),
        1 => answered(S3ErrorKind::Service, "injected: internal error", 500, "InternalError"),
        2 => S3Error::new(S3ErrorKind::Timeout, "injected: no answer in time"),
        _ => S3Error::new(S3ErrorKind::Unreachable, "injected: the connection broke"),
    }
}
