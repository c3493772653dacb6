use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime},
};

use http::{HeaderMap, header};

use super::retry::Failure;
use crate::S3ErrorKind;

/// Services refuse what is signed 15 minutes off; one that is half as far off, and
/// gives no reason, is taken to mean that.
const SUSPICIOUS: u64 = 7 * 60;

const TOO_SKEWED: &str = "RequestTimeTooSkewed";

/// This machine's clock, set right by the service's where that refuses the time.
///
/// Every answer tells the service's time (`Date`). It is remembered, and followed only
/// after a refusal: a service whose own clock is off must not disturb the others.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// Seconds that the service was last seen ahead.
    seen: AtomicI64,
    /// Seconds that are added when signing.
    correction: AtomicI64,
}

impl Clock {
    /// The time to sign with.
    pub(super) fn now(&self) -> SystemTime {
        shifted(SystemTime::now(), self.correction())
    }

    /// Seconds that are added when signing now.
    pub(super) fn correction(&self) -> i64 {
        self.correction.load(Ordering::Relaxed)
    }

    /// Reads the service's clock off an answer.
    pub(super) fn observe(&self, headers: &HeaderMap) {
        if let Some(ahead) = told(headers) {
            self.seen.store(ahead, Ordering::Relaxed);
        }
    }

    /// Seconds that the service is ahead of this machine; negative where it is behind.
    pub(super) fn skew(&self) -> i64 {
        self.seen.load(Ordering::Relaxed)
    }

    /// Takes on the service's time, if this refusal is about the time; also back to that of
    /// this machine, once that has been set right.
    ///
    /// `signed` is the correction that the call was signed with. So it is true also where
    /// another call has corrected the clock meanwhile.
    pub(super) fn correct(&self, refusal: &Failure, signed: i64) -> bool {
        let about_time = self.is_about_time(refusal, signed);
        let seen = self.skew();
        if about_time && self.correction.swap(seen, Ordering::Relaxed) != seen {
            tracing::warn!(
                seconds = seen,
                "the service refuses the time; from now on its own is followed, so many seconds \
                 ahead of this machine's clock"
            );
        }
        about_time
    }

    fn is_about_time(&self, refusal: &Failure, signed: i64) -> bool {
        let off = self.skew().abs_diff(signed);
        match refusal.error.code() {
            Some(TOO_SKEWED) => off > 0,
            _ => refusal.error.kind() == S3ErrorKind::AccessDenied && off > SUSPICIOUS,
        }
    }

    /// What to say of an error that the time may have caused; `signed` as in
    /// [`correct`](Self::correct).
    pub(super) fn note(&self, refusal: &Failure, signed: i64) -> Option<String> {
        let says_so = refusal.error.code() == Some(TOO_SKEWED);
        if !says_so && !self.is_about_time(refusal, signed) {
            return None;
        }
        let skew = self.skew();
        if skew == 0 {
            return Some("set this machine's clock (by NTP)".to_owned());
        }
        let side = if skew > 0 { "behind" } else { "ahead of" };
        let off = skew.unsigned_abs();
        Some(format!("this machine's clock is {off} s {side} the service's: set it (by NTP)"))
    }
}

/// Seconds that who gave this answer is ahead of this machine, if it tells the time.
pub(super) fn told(headers: &HeaderMap) -> Option<i64> {
    let date = headers.get(header::DATE)?.to_str().ok()?;
    Some(ahead(httpdate::parse_http_date(date).ok()?, SystemTime::now()))
}

fn ahead(there: SystemTime, here: SystemTime) -> i64 {
    let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    match there.duration_since(here) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => -seconds(behind.duration()),
    }
}

/// The same time on a clock that is so many seconds ahead.
pub(super) fn shifted(time: SystemTime, seconds: i64) -> SystemTime {
    let span = Duration::from_secs(seconds.unsigned_abs());
    let shifted = if seconds < 0 { time.checked_sub(span) } else { time.checked_add(span) };
    shifted.unwrap_or(time)
}
