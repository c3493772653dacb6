use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    Error, PolicyHealth, PolicyState,
    error::{Blame, ErrorKind},
    layer::Fault,
};

/// When a policy or filter that keeps failing is set aside, and for how long.
///
/// A failure is a trap, a limit that it went over, or an answer that no honest
/// component gives; a refusal is none. While it is set aside, calls fail at once
/// (or go on without it, where it [fails open](crate::OnFailure::Open)). Then one
/// call tries it; if that fails too, it is set aside for twice as long, up to
/// 64 times.
///
/// Stops a broken component from costing every call its whole fuel and wall time.
///
/// ```
/// use std::time::Duration;
/// use artifact_store::Supervision;
///
/// let patient = Supervision { failures: 10, ..Supervision::default() };
/// assert_eq!(patient.within, Duration::from_secs(5));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supervision {
    /// So many failures set it aside. Default 3, at least 1.
    pub failures: usize,
    /// If they happen within this time. Default 5 s.
    pub within: Duration,
    /// For how long, at first. Default 5 s.
    pub set_aside: Duration,
}

impl Default for Supervision {
    fn default() -> Self {
        let within = Duration::from_secs(5);
        Self { failures: 3, within, set_aside: within }
    }
}

/// Watches one policy or filter of one store, over all of its calls.
pub(crate) struct Supervisor {
    name: String,
    rules: Supervision,
    watch: Mutex<Watch>,
}

#[derive(Default)]
struct Watch {
    calls: u64,
    failures: u64,
    /// The latest ones, within the time that counts.
    recent: VecDeque<Instant>,
    last_failure: Option<String>,
    aside: Option<Aside>,
}

struct Aside {
    until: Instant,
    /// How often it was set aside without a good call in between.
    times: u32,
    /// A call is trying it right now.
    probing: bool,
}

impl Supervisor {
    pub(crate) fn new(name: &str, rules: Supervision) -> Self {
        Self { name: name.to_owned(), rules, watch: Mutex::default() }
    }

    /// Lets a call in, or says why not.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Admission, Error> {
        self.admit_at(Instant::now())
    }

    fn admit_at(self: &Arc<Self>, now: Instant) -> Result<Admission, Error> {
        let mut watch = self.watch();
        if let Some(aside) = &mut watch.aside {
            if aside.probing || now < aside.until {
                let left = aside.until.saturating_duration_since(now);
                return Err(self.refusal(left, watch.last_failure.as_deref()));
            }
            aside.probing = true;
        }
        watch.calls += 1;
        Ok(Admission { supervisor: Arc::clone(self), open: true })
    }

    fn refusal(&self, left: Duration, last_failure: Option<&str>) -> Error {
        let Self { name, rules, .. } = self;
        let Supervision { failures, within, .. } = rules;
        metrics::counter!("artifact_store_calls_refused_total", "component" => name.clone())
            .increment(1);
        let message = format!(
            "{name} is set aside, for it failed {failures} times within {within:?}; it is tried \
             again in {:.1} s. The last failure: {}",
            left.as_secs_f64(),
            last_failure.unwrap_or("unknown")
        );
        Error::new(ErrorKind::PolicyFailed, Blame::Policy, message).retryable(true)
    }

    fn succeeded(&self) {
        let mut watch = self.watch();
        if watch.aside.take_if(|aside| aside.probing).is_some() {
            watch.recent.clear();
            self.shows(true);
            tracing::info!(component = self.name, "a component that was set aside works again");
        }
    }

    fn failed(&self, error: &Error, now: Instant) {
        metrics::counter!("artifact_store_failures_total", "component" => self.name.clone())
            .increment(1);
        let mut watch = self.watch();
        watch.failures += 1;
        watch.last_failure = Some(error.to_string());
        watch.recent.push_back(now);
        while watch.recent.front().is_some_and(|at| now.duration_since(*at) > self.rules.within) {
            watch.recent.pop_front();
        }
        let times = match &watch.aside {
            Some(aside) if aside.probing => aside.times + 1,
            None if watch.recent.len() >= self.rules.failures.max(1) => 0,
            // Too few yet; or a call that began before it was set aside.
            _ => return,
        };
        watch.recent.clear();
        let pause = self.rules.set_aside.saturating_mul(1 << times.min(6));
        watch.aside = Some(Aside { until: now + pause, times, probing: false });
        drop(watch);
        self.shows(false);
        tracing::warn!(component = self.name, ?pause, %error, "a component keeps failing: set aside");
    }

    /// Nobody knows how the call would have ended: it was dropped.
    fn abandoned(&self) {
        if let Some(aside) = &mut self.watch().aside {
            aside.probing = false;
        }
    }

    fn shows(&self, serving: bool) {
        metrics::gauge!("artifact_store_component_serving", "component" => self.name.clone())
            .set(if serving { 1.0 } else { 0.0 });
    }

    pub(crate) fn health(&self) -> PolicyHealth {
        let watch = self.watch();
        let state = match &watch.aside {
            None => PolicyState::Serving,
            Some(Aside { probing: true, .. }) => PolicyState::Probing,
            Some(Aside { until, .. }) => {
                PolicyState::SetAside { retry_in: until.saturating_duration_since(Instant::now()) }
            }
        };
        PolicyHealth {
            name: self.name.clone(),
            state,
            calls: watch.calls,
            failures: watch.failures,
            last_failure: watch.last_failure.clone(),
        }
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that was let in; it says how it went.
pub(crate) struct Admission {
    supervisor: Arc<Supervisor>,
    open: bool,
}

impl Admission {
    /// Notes how the call ended. What it was told counts for it: it works.
    pub(crate) fn noted(mut self, fault: Option<&Fault>) {
        self.open = false;
        match fault {
            None | Some(Fault::Told(_)) => self.supervisor.succeeded(),
            Some(Fault::Own(error)) => self.supervisor.failed(error, Instant::now()),
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.open {
            self.supervisor.abandoned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supervisor() -> Arc<Supervisor> {
        Arc::new(Supervisor::new("the policy \"p\"", Supervision::default()))
    }

    fn fail(supervisor: &Arc<Supervisor>, now: Instant) {
        let mut admission = supervisor.admit_at(now).unwrap();
        admission.open = false;
        supervisor.failed(&Error::new(ErrorKind::PolicyFailed, Blame::Policy, "trapped"), now);
    }

    #[test]
    fn three_failures_in_five_seconds_set_it_aside_and_one_call_tries_it() {
        let (supervisor, begin) = (supervisor(), Instant::now());
        let at = |millis| begin + Duration::from_millis(millis);
        fail(&supervisor, at(0));
        fail(&supervisor, at(4000));
        fail(&supervisor, at(5500));
        assert!(supervisor.admit_at(at(5600)).is_ok(), "two within five seconds are not three");
        fail(&supervisor, at(6000));
        let refusal = supervisor.admit_at(at(7000)).err().unwrap();
        assert_eq!((refusal.kind(), refusal.is_retryable()), (ErrorKind::PolicyFailed, true));
        assert_eq!(
            refusal.to_string(),
            "the policy \"p\" is set aside, for it failed 3 times within 5s; it is tried again in \
             4.0 s. The last failure: trapped"
        );
        let probe = supervisor.admit_at(at(11_500)).unwrap();
        assert!(supervisor.admit_at(at(11_500)).is_err(), "one call tries it, and no other");
        probe.noted(None);
        assert!(supervisor.admit_at(at(11_600)).is_ok());
        assert_eq!(supervisor.health().state, PolicyState::Serving);
    }

    #[test]
    fn a_probe_that_fails_doubles_the_pause_and_one_that_is_dropped_leaves_it() {
        let (supervisor, begin) = (supervisor(), Instant::now());
        let at = |seconds| begin + Duration::from_secs(seconds);
        for _ in 0..3 {
            fail(&supervisor, at(0));
        }
        fail(&supervisor, at(6));
        assert!(supervisor.admit_at(at(15)).is_err());
        drop(supervisor.admit_at(at(17)).unwrap());
        assert!(supervisor.admit_at(at(17)).is_ok(), "the next call tries it instead");
    }
}
