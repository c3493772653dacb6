use std::fmt;

use async_trait::async_trait;

use crate::{
    Event, EventFilter, Map, Run, RunFilter, RunId, Session, SessionError, SessionErrorKind,
    SessionFilter, SessionId,
};

/// The port that applications depend on: sessions, their runs and their events.
///
/// What every implementation promises, held by one contract suite (`tests/contract`):
/// - a read sees every write that was answered before it began;
/// - each call is atomic: it is stored whole or not at all;
/// - the events of a session are numbered 1, 2, 3, … without a gap, whoever appends them
///   and however many at once;
/// - an event whose id was stored before is not stored again: the event stored then is the
///   answer, and is never changed;
/// - an id belongs to one session: an event that brings it in another is refused with
///   [`InvalidEvent`](SessionErrorKind::InvalidEvent), and so is its batch;
/// - calls run side by side: a long poll holds up nothing;
/// - no default methods: a wrapper that forgets one does not compile.
///
/// Runs and events need no saved session: a log may begin before its session is saved.
///
/// ```
/// use artifact_session::{Run, RunStatus, SessionError, SessionId, SessionStore};
///
/// async fn start(store: &dyn SessionStore, session: SessionId) -> Result<Run, SessionError> {
///     let run = Run { status: RunStatus::Running, ..Run::new(session) };
///     store.save_run(&run).await?;
///     Ok(run)
/// }
/// ```
#[async_trait]
pub trait SessionStore: fmt::Debug + Send + Sync {
    /// Saves the session, over whatever had its id.
    async fn save_session(&self, session: &Session) -> Result<(), SessionError>;

    /// The session; [`SessionNotFound`](SessionErrorKind::SessionNotFound) where there is none.
    async fn get_session(&self, id: SessionId) -> Result<Session, SessionError>;

    /// The sessions that match, the oldest first (by `created_at`, then by id).
    async fn list_sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>, SessionError>;

    /// Deletes the session with its runs, its events and its sequence; succeeds where there
    /// is none.
    ///
    /// Long polls on its events end at once, with no event. A log that begins again begins
    /// at 1, and ids that went with the session may be used again.
    async fn delete_session(&self, id: SessionId) -> Result<(), SessionError>;

    /// Saves the run, over whatever had its id.
    async fn save_run(&self, run: &Run) -> Result<(), SessionError>;

    /// The run; [`RunNotFound`](SessionErrorKind::RunNotFound) where there is none.
    async fn get_run(&self, id: RunId) -> Result<Run, SessionError>;

    /// The session's runs that match, the oldest first (by `started_at`, then by id).
    async fn list_runs(
        &self,
        session: SessionId,
        filter: &RunFilter,
    ) -> Result<Vec<Run>, SessionError>;

    /// The session's run with the status running; of several, the one begun last.
    async fn get_active_run(&self, session: SessionId) -> Result<Option<Run>, SessionError>;

    /// Appends the event to its session's log.
    async fn append_event(&self, event: &Event) -> Result<(), SessionError>;

    /// Appends the event to its session's log, and gives it as stored, with its number.
    async fn append_event_with_sequence(&self, event: &Event) -> Result<Event, SessionError>;

    /// Appends the events in order, all or none, and gives each as stored.
    ///
    /// A repeat, within the batch or of what was stored before, gives what is stored.
    async fn append_events(&self, events: &[Event]) -> Result<Vec<Event>, SessionError>;

    /// Saves a session and a run, and appends events: all or nothing.
    async fn flush(&self, flush: &Flush) -> Result<(), SessionError>;

    /// The session's events that match, the oldest first; none where there is no session.
    ///
    /// With [`EventFilter::wait`], where nothing matches: as soon as something does, or
    /// none when the time is up or the session is deleted.
    async fn get_events(
        &self,
        session: SessionId,
        filter: &EventFilter,
    ) -> Result<Vec<Event>, SessionError>;

    /// The sequence number of the session's last event; 0 where there is none.
    async fn get_latest_sequence(&self, session: SessionId) -> Result<u64, SessionError>;
}

/// What came of a run, to be stored in one go.
#[derive(Clone, Debug, PartialEq)]
pub struct Flush {
    /// The session, as it now stands.
    pub session: Session,
    /// The run, as it now stands; it belongs to the session.
    pub run: Run,
    /// What happened; all of it in the session.
    pub events: Vec<Event>,
    /// What the provider says: stored with the run, over what the run itself has.
    pub provider_metadata: Map,
}

impl Flush {
    /// Whether it may be stored; every store asks before it begins.
    ///
    /// Fails with [`SessionErrorKind::InvalidSession`] as [`Session::check`] does, and with
    /// [`InvalidRun`](SessionErrorKind::InvalidRun) or
    /// [`InvalidEvent`](SessionErrorKind::InvalidEvent) for what belongs to another session.
    pub fn check(&self) -> Result<(), SessionError> {
        self.session.check()?;
        let session = self.session.id;
        if self.run.session_id != session {
            let message =
                format!("run {} does not belong to {session}; flush it alone", self.run.id);
            return Err(SessionError::new(SessionErrorKind::InvalidRun, message));
        }
        if let Some(event) = self.events.iter().find(|event| event.session_id != session) {
            let message =
                format!("event {} does not belong to {session}; append it alone", event.id);
            return Err(SessionError::new(SessionErrorKind::InvalidEvent, message));
        }
        Ok(())
    }

    /// The run as it is to be stored: with what the provider says.
    #[must_use]
    pub fn stored_run(&self) -> Run {
        let mut run = self.run.clone();
        run.provider_metadata.extend(self.provider_metadata.clone());
        run
    }
}
