use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use http::{
    Uri,
    uri::{Authority, Scheme},
};
use tokio::{
    runtime::Handle,
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::{connection::Connection, error::TransportError};

/// Idle connections are closed before common servers and load balancers do so
/// (20 s and up), which would make the next request fail.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// What a connection can be used again for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin(pub(super) Scheme, pub(super) Authority);

impl Origin {
    pub(super) fn of(url: &Uri) -> Option<Self> {
        Some(Self(url.scheme()?.clone(), url.authority()?.clone()))
    }

    /// The URL of its root.
    pub(super) fn url(&self) -> Result<Uri, TransportError> {
        let Self(scheme, authority) = self.clone();
        let url = Uri::builder().scheme(scheme).authority(authority).path_and_query("/");
        url.build().map_err(TransportError::connect)
    }
}

/// Connections that nobody uses.
///
/// Those last used go first, so that no more stay open than are needed. They are no
/// more than were in use at once within the time after which they are closed.
#[derive(Default)]
pub(super) struct Pool(Mutex<State>);

#[derive(Default)]
struct State {
    /// Of each origin in the order in which they came back.
    idle: HashMap<Origin, Vec<Idle>>,
    /// What closes them; ends when there are none.
    reaper: Option<JoinHandle<()>>,
}

struct Idle {
    connection: Box<Connection>,
    since: Instant,
}

impl Idle {
    fn is_expired(&self) -> bool {
        self.since.elapsed() >= IDLE_TIMEOUT
    }
}

impl Pool {
    /// A connection; the server may have closed it meanwhile.
    pub(super) fn take(&self, origin: &Origin) -> Option<Box<Connection>> {
        let runtime = Handle::try_current().ok()?.id();
        let mut state = self.lock();
        let idle = state.idle.get_mut(origin)?;
        let at = idle.iter().rposition(|idle| idle.connection.runtime == Some(runtime))?;
        let found = idle.remove(at);
        // The reaper comes for it.
        (!found.is_expired()).then_some(found.connection)
    }

    pub(super) fn put(self: &Arc<Self>, origin: Origin, connection: Box<Connection>) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let idle = Idle { connection, since: Instant::now() };
        let mut state = self.lock();
        state.idle.entry(origin).or_default().push(idle);
        if state.reaper.as_ref().is_none_or(JoinHandle::is_finished) {
            state.reaper = Some(runtime.spawn(reap(Arc::downgrade(self))));
        }
    }

    /// Takes out what has been idle for too long; tells whether there is more.
    fn expired(&self) -> (Vec<Idle>, bool) {
        let mut state = self.lock();
        let mut expired = Vec::new();
        state.idle.retain(|_, idle| {
            expired.extend(idle.extract_if(.., |idle| idle.is_expired()));
            !idle.is_empty()
        });
        let more = !state.idle.is_empty();
        if !more {
            state.reaper = None;
        }
        (expired, more)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn reap(pool: Weak<Pool>) {
    loop {
        sleep(IDLE_TIMEOUT).await;
        let Some(pool) = pool.upgrade() else {
            return;
        };
        let (expired, more) = pool.expired();
        for idle in expired {
            idle.connection.close();
        }
        if !more {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use http::uri::Authority;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, DuplexStream, duplex};

    use super::*;

    fn origin() -> Origin {
        Origin(Scheme::HTTP, Authority::from_static("h.test"))
    }

    /// A connection, and its other end.
    async fn connection(pool: &Arc<Pool>) -> (Box<Connection>, DuplexStream) {
        let (io, other) = duplex(1024);
        let io = Box::new(TokioIo::new(io));
        let connection = Connection::over(io, origin(), Arc::downgrade(pool), false).await;
        (Box::new(connection.unwrap()), other)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_idle_for_too_long_is_closed_and_what_is_not_is_kept() {
        let pool = Arc::new(Pool::default());
        let (old, mut far_from_old) = connection(&pool).await;
        let (new, _far_from_new) = connection(&pool).await;
        pool.put(origin(), old);
        sleep(IDLE_TIMEOUT / 2).await;
        pool.put(origin(), new);
        assert_eq!(far_from_old.read(&mut [0]).await.unwrap(), 0, "it was closed");
        assert!(pool.take(&origin()).is_some());
        assert!(pool.take(&origin()).is_none());
        sleep(IDLE_TIMEOUT * 2).await;
        assert!(pool.lock().reaper.is_none() && pool.lock().idle.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn one_is_taken_for_its_origin_and_in_its_runtime_only() {
        let pool = Arc::new(Pool::default());
        let (idle, _far) = connection(&pool).await;
        pool.put(origin(), idle);
        let tls = Origin(Scheme::HTTPS, Authority::from_static("h.test"));
        assert!(pool.take(&tls).is_none());
        let there = Arc::clone(&pool);
        let other = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async { there.take(&origin()).is_some() })
        });
        assert!(!other.join().unwrap());
        assert!(pool.take(&origin()).is_some());
    }
}
