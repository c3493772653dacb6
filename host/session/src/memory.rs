mod state;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tokio::sync::watch;

use self::state::State;
use crate::{
    Event, EventFilter, Flush, Run, RunFilter, RunId, Session, SessionError, SessionFilter,
    SessionId, SessionStore,
};

/// A session store that keeps everything in memory.
///
/// - Clones share what is stored; it is gone with the last of them.
/// - The lock is held for the time of one look or one change, and never while a call waits.
///
/// # Example: what did my code store?
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), artifact_session::SessionError> {
/// use artifact_session::{
///     MemorySessions, Session, SessionFilter, SessionStatus, SessionStore,
/// };
///
/// let store = MemorySessions::new();
/// let session = Session { status: SessionStatus::Active, ..Session::new("reviewer") };
/// store.clone().save_session(&session).await?;
///
/// let active = SessionFilter { status: Some(SessionStatus::Active), ..Default::default() };
/// assert_eq!(store.list_sessions(&active).await?, [session]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemorySessions {
    state: Arc<Mutex<State>>,
}

impl MemorySessions {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No change is left half done by a panic, so what a poisoned lock guards is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What matches now; where nothing does, what tells of appends from now on.
    fn look(
        &self,
        session: SessionId,
        filter: &EventFilter,
    ) -> Result<Vec<Event>, watch::Receiver<()>> {
        let mut state = self.state();
        let events = state.events(session, filter);
        let wait = filter.wait.is_some_and(|wait| !wait.is_zero()) && filter.limit != Some(0);
        if events.is_empty() && wait { Err(state.watch(session)) } else { Ok(events) }
    }

    /// What matches as soon as anything does; nothing once the session is deleted.
    async fn first_matching(
        &self,
        session: SessionId,
        filter: &EventFilter,
        mut appends: watch::Receiver<()>,
    ) -> Vec<Event> {
        while appends.changed().await.is_ok() {
            let events = self.state().events(session, filter);
            if !events.is_empty() {
                return events;
            }
        }
        Vec::new()
    }
}

impl fmt::Debug for MemorySessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySessions").finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for MemorySessions {
    async fn save_session(&self, session: &Session) -> Result<(), SessionError> {
        session.check()?;
        self.state().save_session(session.clone());
        Ok(())
    }

    async fn get_session(&self, id: SessionId) -> Result<Session, SessionError> {
        self.state().session(id)
    }

    async fn list_sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>, SessionError> {
        Ok(self.state().sessions(filter))
    }

    async fn delete_session(&self, id: SessionId) -> Result<(), SessionError> {
        self.state().delete_session(id);
        Ok(())
    }

    async fn save_run(&self, run: &Run) -> Result<(), SessionError> {
        self.state().save_run(run.clone());
        Ok(())
    }

    async fn get_run(&self, id: RunId) -> Result<Run, SessionError> {
        self.state().run(id)
    }

    async fn list_runs(
        &self,
        session: SessionId,
        filter: &RunFilter,
    ) -> Result<Vec<Run>, SessionError> {
        Ok(self.state().runs(session, filter))
    }

    async fn get_active_run(&self, session: SessionId) -> Result<Option<Run>, SessionError> {
        Ok(self.state().active_run(session))
    }

    async fn append_event(&self, event: &Event) -> Result<(), SessionError> {
        self.append_event_with_sequence(event).await.map(drop)
    }

    async fn append_event_with_sequence(&self, event: &Event) -> Result<Event, SessionError> {
        let mut state = self.state();
        state.check([event])?;
        Ok(state.append(event))
    }

    async fn append_events(&self, events: &[Event]) -> Result<Vec<Event>, SessionError> {
        let mut state = self.state();
        state.check(events)?;
        Ok(events.iter().map(|event| state.append(event)).collect())
    }

    async fn flush(&self, flush: &Flush) -> Result<(), SessionError> {
        flush.check()?;
        let mut state = self.state();
        state.check(&flush.events)?;
        // Nothing fails from here on.
        state.save_session(flush.session.clone());
        state.save_run(flush.stored_run());
        for event in &flush.events {
            state.append(event);
        }
        Ok(())
    }

    async fn get_events(
        &self,
        session: SessionId,
        filter: &EventFilter,
    ) -> Result<Vec<Event>, SessionError> {
        let appends = match self.look(session, filter) {
            Ok(events) => return Ok(events),
            Err(appends) => appends,
        };
        let first = self.first_matching(session, filter, appends);
        let in_time = tokio::time::timeout(filter.wait.unwrap_or_default(), first).await;
        Ok(in_time.unwrap_or_default())
    }

    async fn get_latest_sequence(&self, session: SessionId) -> Result<u64, SessionError> {
        Ok(self.state().latest_sequence(session))
    }
}
