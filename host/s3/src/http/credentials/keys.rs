use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use arc_swap::ArcSwapOption;
use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};

use tokio::task::AbortHandle;

use super::{AccessKey, CredentialsSource, Origin};
use crate::{S3Error, S3ErrorKind};

/// A key is fetched anew when so much of its life is left, or a quarter of it if that
/// is less; calls go on with the old one meanwhile.
const REFRESH_BEFORE: Duration = Duration::from_mins(5);

/// With less left than this a call waits for the new key: its own way to S3 takes time.
const TOO_LITTLE: Duration = Duration::from_secs(15);

/// Pause after a refresh that failed while the old key still works.
const AFTER_FAILURE: Duration = Duration::from_secs(30);

/// A key, and where it came from.
#[derive(Clone, Debug)]
pub(in crate::http) struct Fetched {
    pub(in crate::http) key: AccessKey,
    pub(super) source: CredentialsSource,
}

/// The key of a client, shared by its calls and fetched by one of them.
///
/// A call goes on with the old key while a new one is fetched, or cannot be had, until
/// the old one expires.
#[derive(Clone)]
pub(in crate::http) struct Keys(Arc<Inner>);

struct Inner {
    origin: Origin,
    /// Read without the lock, and written under it.
    current: ArcSwapOption<Entry>,
    /// Counts the keys that were different from the one before. As `current`.
    generation: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The last fetch, and its task: the next one can begin however that ends.
    fetch: Option<(Fetch, AbortHandle)>,
    no_refresh_before: Option<Instant>,
    /// The key that was fetched for an answer without a reason.
    beyond_suspicion: Option<u64>,
}

#[derive(Debug)]
struct Entry {
    fetched: Arc<Fetched>,
    at: SystemTime,
}

type Fetch = Shared<BoxFuture<'static, Result<Arc<Fetched>, S3Error>>>;

impl Keys {
    pub(super) fn new(origin: Origin) -> Self {
        let (current, generation) = (ArcSwapOption::empty(), AtomicU64::new(0));
        Self(Arc::new(Inner { origin, current, generation, state: Mutex::default() }))
    }

    /// The key that signs now, fetched where there is none that works.
    pub(in crate::http) async fn current(&self) -> Result<Arc<Fetched>, S3Error> {
        if let Some(entry) = &*self.0.current.load()
            && !entry.is_due(SystemTime::now())
        {
            return Ok(Arc::clone(&entry.fetched));
        }
        self.fetched().await
    }

    /// Who would sign now.
    pub(in crate::http) async fn source(&self) -> Result<CredentialsSource, S3Error> {
        Ok(self.current().await?.source.clone())
    }

    /// The key where it is due, or there is none.
    async fn fetched(&self) -> Result<Arc<Fetched>, S3Error> {
        let (old, fetch) = {
            let mut state = self.0.state();
            let now = SystemTime::now();
            let old = self.0.current.load_full().filter(|entry| !entry.left(now).is_zero());
            match &old {
                Some(entry) if !entry.is_due(now) => return Ok(Arc::clone(&entry.fetched)),
                Some(entry) if state.must_pause() => return Ok(Arc::clone(&entry.fetched)),
                Some(entry) if entry.left(now) > entry.too_little() => {
                    drop(self.start(&mut state));
                    return Ok(Arc::clone(&entry.fetched));
                }
                _ => (old, self.start(&mut state)),
            }
        };
        match (fetch.await, old) {
            (Err(_), Some(old)) if !old.left(SystemTime::now()).is_zero() => {
                Ok(Arc::clone(&old.fetched))
            }
            (outcome, _) => outcome,
        }
    }

    /// Which key signs now: a number that changes with it, for [`Keys::renew`]. To be
    /// taken before a call is signed.
    pub(in crate::http) fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// Sees to an answer that the session token has expired: `Ok` if there is another key
    /// by now, so that the call can be repeated once, and else the answer as an error
    /// that says what to do.
    ///
    /// `refused` is the [`Keys::generation`] from before the call was signed. Calls that
    /// were refused together share one fetch.
    pub(in crate::http) async fn renew(
        &self,
        refused: u64,
        answer: S3Error,
    ) -> Result<(), S3Error> {
        renewed_or(self.fetched_after(refused).await, answer)
    }

    /// Fetches a key after this one was refused; gives it if it is the same once more.
    async fn fetched_after(&self, refused: u64) -> Result<Option<Arc<Fetched>>, S3Error> {
        // The first call takes the number of no key, and signs with the first.
        let refused = refused.max(1);
        let fetch = {
            let mut state = self.0.state();
            if self.generation() != refused {
                return Ok(None);
            }
            self.start(&mut state)
        };
        let fetched = fetch.await?;
        Ok((self.generation() == refused).then_some(fetched))
    }

    /// The same for an answer without a reason, which an expired token may stand behind.
    ///
    /// A key that was fetched for such an answer is not suspected itself, be it another or
    /// the same: a service that has other reasons would have the source asked at every call.
    pub(in crate::http) async fn renew_suspected(
        &self,
        refused: u64,
        answer: S3Error,
    ) -> Result<(), S3Error> {
        let current = self.0.current.load_full();
        let temporary = current.is_some_and(|entry| entry.fetched.key.session_token.is_some());
        if !temporary || self.0.state().beyond_suspicion == Some(refused.max(1)) {
            return Err(answer);
        }
        let answer = answer.advised("it may be that the session token has expired");
        let renewed = self.fetched_after(refused).await;
        if renewed.is_ok() {
            self.0.state().beyond_suspicion = Some(self.generation());
        }
        renewed_or(renewed, answer)
    }

    /// Starts to fetch a key, unless that is under way.
    ///
    /// On a task of its own: the call that began it may be given up, and nobody waits
    /// while the old key works.
    fn start(&self, state: &mut State) -> Fetch {
        if let Some(fetch) = state.under_way() {
            return fetch.clone();
        }
        let inner = Arc::clone(&self.0);
        let task = tokio::spawn(async move { inner.fetch().await });
        let handle = task.abort_handle();
        let ended = |_| {
            Err(S3Error::new(S3ErrorKind::Unreachable, "the search for credentials ended early"))
        };
        let fetch = task.map(move |outcome| outcome.unwrap_or_else(ended)).boxed().shared();
        state.fetch = Some((fetch.clone(), handle));
        fetch
    }
}

/// What became of a refused call: it can be repeated with another key, or its answer says
/// what to do.
fn renewed_or(
    renewed: Result<Option<Arc<Fetched>>, S3Error>,
    answer: S3Error,
) -> Result<(), S3Error> {
    let advice = match renewed {
        Ok(None) => return Ok(()),
        Ok(Some(same)) => same.source.what_to_renew(),
        Err(error) => format!("no new credentials could be had: {}", error.message()),
    };
    Err(answer.advised(&advice))
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn under_way(&self) -> Option<&Fetch> {
        self.fetch.as_ref().filter(|(_, task)| !task.is_finished()).map(|(fetch, _)| fetch)
    }

    fn must_pause(&self) -> bool {
        self.no_refresh_before.is_some_and(|time| Instant::now() < time)
    }
}

impl Entry {
    fn left(&self, now: SystemTime) -> Duration {
        self.fetched.key.left(now)
    }

    fn is_due(&self, now: SystemTime) -> bool {
        self.left(now) <= REFRESH_BEFORE.min(self.left(self.at) / 4)
    }

    fn too_little(&self) -> Duration {
        TOO_LITTLE.min(self.left(self.at) / 8)
    }
}

impl Inner {
    async fn fetch(&self) -> Result<Arc<Fetched>, S3Error> {
        let outcome = self.origin.fetch().await.map(Arc::new);
        let mut state = self.state();
        match &outcome {
            Ok(fetched) => {
                tracing::debug!(source = %fetched.source, "credentials found");
                let old = self.current.load();
                let known = old.as_ref().is_some_and(|old| old.fetched.key == fetched.key);
                let entry = Entry { fetched: Arc::clone(fetched), at: SystemTime::now() };
                self.current.store(Some(Arc::new(entry)));
                self.generation.fetch_add(u64::from(!known), Ordering::Release);
                state.no_refresh_before = None;
            }
            Err(error) => {
                if self.current.load().is_some() {
                    tracing::warn!(%error, "credentials could not be fetched anew");
                }
                state.no_refresh_before = Instant::now().checked_add(AFTER_FAILURE);
            }
        }
        drop(state);
        outcome
    }
}

/// Whether an answer says that the session token has expired.
///
/// Source: [list of error codes](https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList).
pub(in crate::http) fn says_expired(error: &S3Error) -> bool {
    matches!(error.code(), Some("ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use futures::future::join_all;
    use tokio::sync::Notify;

    use super::*;
    use crate::CredentialsProvider;

    /// Gives one key after the other, and fails where there is none left.
    struct Script {
        keys: Mutex<Vec<AccessKey>>,
        asked: AtomicUsize,
        /// Each answer waits for this.
        go: Notify,
    }

    #[async_trait]
    impl CredentialsProvider for Arc<Script> {
        fn name(&self) -> String {
            "script".to_owned()
        }

        async fn access_key(&self) -> Result<AccessKey, S3Error> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.go.notified().await;
            self.keys
                .lock()
                .unwrap()
                .pop()
                .ok_or_else(|| S3Error::new(S3ErrorKind::Unreachable, "the script ended"))
        }
    }

    fn script(keys: impl IntoIterator<Item = AccessKey>) -> (Arc<Script>, Keys) {
        let mut keys: Vec<AccessKey> = keys.into_iter().collect();
        keys.reverse();
        let (asked, go) = (AtomicUsize::new(0), Notify::new());
        let script = Arc::new(Script { keys: Mutex::new(keys), asked, go });
        let keys = Keys::new(Origin::Provider(Arc::new(Arc::clone(&script))));
        (script, keys)
    }

    fn key(id: &str, left: Duration) -> AccessKey {
        AccessKey::new(id, "s").session_token("t").expires_at(SystemTime::now() + left)
    }

    /// Keys that hold one which was fetched an hour ago.
    fn holding(keys: &Keys, id: &str, left: Duration) {
        let fetched =
            Arc::new(Fetched { key: key(id, left), source: CredentialsSource::new("script") });
        let at = SystemTime::now() - Duration::from_hours(1);
        keys.0.current.store(Some(Arc::new(Entry { fetched, at })));
        keys.0.generation.store(1, Ordering::Release);
    }

    async fn ended(keys: &Keys) {
        while keys.0.state().under_way().is_some() {
            tokio::task::yield_now().await;
        }
    }

    async fn id(keys: &Keys) -> String {
        keys.current().await.unwrap().key.id.clone()
    }

    #[tokio::test]
    async fn a_hundred_calls_ask_once_for_a_key_and_once_for_a_failure() {
        let (script, keys) = script([]);
        for (asked, given) in [(1, None), (2, Some(key("A", Duration::from_hours(1))))] {
            script.keys.lock().unwrap().extend(given.clone());
            let calls = join_all((0..100).map(|_| keys.current()));
            let (outcomes, ()) = futures::join!(calls, async { script.go.notify_one() });
            assert!(outcomes.iter().all(|outcome| outcome.is_ok() == given.is_some()));
            assert_eq!(script.asked.load(Ordering::SeqCst), asked);
        }
    }

    #[tokio::test]
    async fn a_key_is_refreshed_before_it_expires_while_calls_go_on() {
        let (script, keys) = script([key("B", Duration::from_hours(1))]);
        holding(&keys, "A", Duration::from_mins(6));
        assert_eq!(id(&keys).await, "A");
        assert!(keys.0.state().under_way().is_none(), "it is not due");
        holding(&keys, "A", Duration::from_mins(4));
        assert_eq!(id(&keys).await, "A");
        assert_eq!(id(&keys).await, "A");
        script.go.notify_one();
        ended(&keys).await;
        assert_eq!(id(&keys).await, "B");
        assert_eq!(script.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_refresh_that_fails_fails_no_call_until_the_key_expires() {
        let (script, keys) = script([]);
        holding(&keys, "A", Duration::from_mins(4));
        assert_eq!(id(&keys).await, "A");
        script.go.notify_one();
        ended(&keys).await;
        assert_eq!(id(&keys).await, "A");
        assert!(keys.0.state().under_way().is_none(), "the next try has to wait");
        // So little is left that a call waits for the new key, in vain.
        keys.0.state().no_refresh_before = None;
        holding(&keys, "A", Duration::from_secs(10));
        let (last, ()) = futures::join!(id(&keys), async { script.go.notify_one() });
        assert_eq!(last, "A");
        holding(&keys, "A", Duration::ZERO);
        let (expired, ()) = futures::join!(keys.current(), async { script.go.notify_one() });
        assert!(expired.unwrap_err().message().contains("script ended"));
        assert_eq!(script.asked.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_call_that_is_given_up_leaves_its_fetch_to_the_next() {
        let (script, keys) = script([key("A", Duration::from_hours(1))]);
        let given_up = tokio::time::timeout(Duration::from_millis(1), keys.current()).await;
        assert!(given_up.is_err());
        script.go.notify_one();
        assert_eq!(id(&keys).await, "A");
        assert_eq!(script.asked.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_runtime_that_ends_within_a_fetch_does_not_block_the_next() {
        let (script, keys) = script([key("A", Duration::from_hours(1))]);
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
        let first = runtime().unwrap();
        let wait = async { tokio::time::timeout(Duration::from_millis(1), keys.current()).await };
        assert!(first.block_on(wait).is_err());
        let handle = first.handle().clone();
        drop(first);
        let failed = handle.block_on(keys.current()).unwrap_err();
        assert!(failed.message().contains("ended early"), "{failed}");
        script.go.notify_one();
        assert_eq!(runtime().unwrap().block_on(id(&keys)), "A");
    }

    #[tokio::test]
    async fn a_refused_token_is_fetched_anew_once_for_all_calls_that_it_failed() {
        let (script, keys) =
            script([key("A", Duration::from_hours(1)), key("B", Duration::from_hours(1))]);
        script.go.notify_one();
        assert_eq!(id(&keys).await, "A");
        let refused = keys.generation();
        let answer = || {
            S3Error::new(S3ErrorKind::AccessDenied, "The token has expired.").answered(
                400,
                Some("ExpiredToken".into()),
                None,
            )
        };
        assert!(says_expired(&answer()));
        let calls = join_all((0..100).map(|_| keys.renew(refused, answer())));
        let (outcomes, ()) = futures::join!(calls, async { script.go.notify_one() });
        assert!(outcomes.iter().all(Result::is_ok));
        assert_eq!(id(&keys).await, "B");
        keys.renew(refused, answer()).await.unwrap();
        assert_eq!(script.asked.load(Ordering::SeqCst), 2);
        // And where there is no new one, the error says both.
        let late = keys.renew(keys.generation(), answer());
        let (late, ()) = futures::join!(late, async { script.go.notify_one() });
        let late = late.unwrap_err();
        assert_eq!(
            (late.code(), late.message()),
            (
                Some("ExpiredToken"),
                "The token has expired; no new credentials could be had: the script ended"
            )
        );
    }

    #[tokio::test]
    async fn a_given_token_that_expired_is_said_to_be_the_caller_s_to_renew() {
        let keys = Keys::new(Origin::Given(AccessKey::new("A", "s").session_token("t")));
        assert_eq!(id(&keys).await, "A");
        let answer = S3Error::new(S3ErrorKind::AccessDenied, "");
        let error = keys.renew(keys.generation(), answer).await.unwrap_err();
        assert!(error.message().contains("make a client with them"), "{error}");
    }
}
