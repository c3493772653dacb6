use std::{fmt, sync::Arc};

use artifact_store::{
    Artifact, Body, DeleteOptions, Error, GetOptions, ListOptions, Listing, ObjectInfo, PutOptions,
    Store,
};
use async_trait::async_trait;

use crate::{
    Event, EventFilter, Flush, Run, RunFilter, RunId, Session, SessionError, SessionFilter,
    SessionId, SessionStore,
};

/// A session store and an artifact store behind one handle, which is both.
///
/// - Every call goes straight to its store: there is no task, queue or lock in between, so
///   no call waits for another, and a store that fails leaves the other at work.
/// - The two share nothing: artifacts outlive the session that made them.
/// - Clones share the two stores.
///
/// See the [crate's example](crate).
#[derive(Clone)]
pub struct CompositeStore {
    sessions: Arc<dyn SessionStore>,
    artifacts: Arc<dyn Store>,
}

impl CompositeStore {
    /// Joins the two.
    #[must_use]
    pub fn new(sessions: Arc<dyn SessionStore>, artifacts: Arc<dyn Store>) -> Self {
        Self { sessions, artifacts }
    }
}

impl fmt::Debug for CompositeStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompositeStore").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for CompositeStore {
    async fn save_session(&self, session: &Session) -> Result<(), SessionError> {
        self.sessions.save_session(session).await
    }

    async fn get_session(&self, id: SessionId) -> Result<Session, SessionError> {
        self.sessions.get_session(id).await
    }

    async fn list_sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>, SessionError> {
        self.sessions.list_sessions(filter).await
    }

    async fn delete_session(&self, id: SessionId) -> Result<(), SessionError> {
        self.sessions.delete_session(id).await
    }

    async fn save_run(&self, run: &Run) -> Result<(), SessionError> {
        self.sessions.save_run(run).await
    }

    async fn get_run(&self, id: RunId) -> Result<Run, SessionError> {
        self.sessions.get_run(id).await
    }

    async fn list_runs(
        &self,
        session: SessionId,
        filter: &RunFilter,
    ) -> Result<Vec<Run>, SessionError> {
        self.sessions.list_runs(session, filter).await
    }

    async fn get_active_run(&self, session: SessionId) -> Result<Option<Run>, SessionError> {
        self.sessions.get_active_run(session).await
    }

    async fn append_event(&self, event: &Event) -> Result<(), SessionError> {
        self.sessions.append_event(event).await
    }

    async fn append_event_with_sequence(&self, event: &Event) -> Result<Event, SessionError> {
        self.sessions.append_event_with_sequence(event).await
    }

    async fn append_events(&self, events: &[Event]) -> Result<Vec<Event>, SessionError> {
        self.sessions.append_events(events).await
    }

    async fn flush(&self, flush: &Flush) -> Result<(), SessionError> {
        self.sessions.flush(flush).await
    }

    async fn get_events(
        &self,
        session: SessionId,
        filter: &EventFilter,
    ) -> Result<Vec<Event>, SessionError> {
        self.sessions.get_events(session, filter).await
    }

    async fn get_latest_sequence(&self, session: SessionId) -> Result<u64, SessionError> {
        self.sessions.get_latest_sequence(session).await
    }
}

#[async_trait]
impl Store for CompositeStore {
    async fn put(&self, key: &str, body: Body, options: &PutOptions) -> Result<ObjectInfo, Error> {
        self.artifacts.put(key, body, options).await
    }

    async fn get(&self, key: &str, options: &GetOptions) -> Result<Artifact, Error> {
        self.artifacts.get(key, options).await
    }

    async fn head(&self, key: &str, options: &GetOptions) -> Result<ObjectInfo, Error> {
        self.artifacts.head(key, options).await
    }

    async fn delete(&self, key: &str, options: &DeleteOptions) -> Result<(), Error> {
        self.artifacts.delete(key, options).await
    }

    async fn list(&self, options: &ListOptions) -> Result<Listing, Error> {
        self.artifacts.list(options).await
    }
}
