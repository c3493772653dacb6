use std::collections::HashMap;

use tokio::sync::watch;

use crate::{
    Event, EventFilter, EventId, Run, RunFilter, RunId, RunStatus, Session, SessionError,
    SessionErrorKind, SessionFilter, SessionId,
};

/// What the lock guards.
#[derive(Default)]
pub(super) struct State {
    sessions: HashMap<SessionId, Session>,
    runs: HashMap<RunId, Run>,
    /// An event's sequence number is its place here, from 1.
    logs: HashMap<SessionId, Vec<Event>>,
    /// Where each event is: in which log, and at what index.
    places: HashMap<EventId, (SessionId, usize)>,
    /// What tells those who wait for a log to grow.
    watched: HashMap<SessionId, watch::Sender<()>>,
}

impl State {
    pub(super) fn save_session(&mut self, session: Session) {
        self.sessions.insert(session.id, session);
    }

    pub(super) fn session(&self, id: SessionId) -> Result<Session, SessionError> {
        self.sessions.get(&id).cloned().ok_or_else(|| {
            SessionError::new(SessionErrorKind::SessionNotFound, format!("session not found: {id}"))
        })
    }

    pub(super) fn sessions(&self, filter: &SessionFilter) -> Vec<Session> {
        let mut found: Vec<_> =
            self.sessions.values().filter(|session| filter.matches(session)).collect();
        found.sort_unstable_by_key(|session| (session.created_at, session.id));
        let limit = filter.limit.unwrap_or(usize::MAX);
        found.into_iter().skip(filter.offset).take(limit).cloned().collect()
    }

    pub(super) fn delete_session(&mut self, id: SessionId) {
        self.sessions.remove(&id);
        self.runs.retain(|_, run| run.session_id != id);
        for event in self.logs.remove(&id).unwrap_or_default() {
            self.places.remove(&event.id);
        }
        // Whoever waits sees the sender gone.
        self.watched.remove(&id);
    }

    pub(super) fn save_run(&mut self, run: Run) {
        self.runs.insert(run.id, run);
    }

    pub(super) fn run(&self, id: RunId) -> Result<Run, SessionError> {
        self.runs.get(&id).cloned().ok_or_else(|| {
            SessionError::new(SessionErrorKind::RunNotFound, format!("run not found: {id}"))
        })
    }

    pub(super) fn runs(&self, session: SessionId, filter: &RunFilter) -> Vec<Run> {
        let mut found: Vec<_> = self.runs_of(session).filter(|run| filter.matches(run)).collect();
        found.sort_unstable_by_key(|run| (run.started_at, run.id));
        found.into_iter().take(filter.limit.unwrap_or(usize::MAX)).cloned().collect()
    }

    pub(super) fn active_run(&self, session: SessionId) -> Option<Run> {
        let running = self.runs_of(session).filter(|run| run.status == RunStatus::Running);
        running.max_by_key(|run| (run.started_at, run.id)).cloned()
    }

    fn runs_of(&self, session: SessionId) -> impl Iterator<Item = &Run> {
        self.runs.values().filter(move |run| run.session_id == session)
    }

    /// Whether all of these can be appended: no id is in two sessions.
    pub(super) fn check<'a>(
        &self,
        events: impl IntoIterator<Item = &'a Event>,
    ) -> Result<(), SessionError> {
        let mut batch = HashMap::new();
        for event in events {
            let first = *batch.entry(event.id).or_insert(event.session_id);
            let home = self.places.get(&event.id).map_or(first, |&(session, _)| session);
            if home != event.session_id {
                let message = format!(
                    "event {} belongs to {home}; give the one for {} an id of its own",
                    event.id, event.session_id
                );
                return Err(SessionError::new(SessionErrorKind::InvalidEvent, message));
            }
        }
        Ok(())
    }

    /// Appends what [`State::check`] has let through, and gives what is stored.
    pub(super) fn append(&mut self, event: &Event) -> Event {
        let log = self.logs.entry(event.session_id).or_default();
        if let Some(stored) = self.places.get(&event.id).and_then(|&(_, index)| log.get(index)) {
            return stored.clone();
        }
        self.places.insert(event.id, (event.session_id, log.len()));
        let stored = Event { sequence_number: Some(log.len() as u64 + 1), ..event.clone() };
        log.push(stored.clone());
        if let Some(watched) = self.watched.get(&event.session_id) {
            watched.send_replace(());
        }
        stored
    }

    pub(super) fn events(&self, session: SessionId, filter: &EventFilter) -> Vec<Event> {
        let Some(log) = self.logs.get(&session) else { return Vec::new() };
        // Cursors are places, so following a long log does not read it all each time.
        let place = |number| usize::try_from(number).unwrap_or(usize::MAX).min(log.len());
        let after = place(filter.after.unwrap_or(0));
        let before = filter.before.map_or(log.len(), |before| place(before.saturating_sub(1)));
        let log = log.get(after..before).unwrap_or_default();
        let limit = filter.limit.unwrap_or(usize::MAX);
        log.iter().filter(|event| filter.matches(event)).take(limit).cloned().collect()
    }

    pub(super) fn latest_sequence(&self, session: SessionId) -> u64 {
        self.logs.get(&session).map_or(0, |log| log.len() as u64)
    }

    /// Tells of appends to this log from now on, until its session is deleted.
    pub(super) fn watch(&mut self, session: SessionId) -> watch::Receiver<()> {
        // Whoever stopped waiting is forgotten here.
        self.watched.retain(|_, watched| watched.receiver_count() > 0);
        self.watched.entry(session).or_default().subscribe()
    }
}
