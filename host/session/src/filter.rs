use std::time::{Duration, SystemTime};

use crate::{Event, EventType, Run, RunId, RunStatus, Session, SessionStatus};

/// Which sessions to list; all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Only those that stand so.
    pub status: Option<SessionStatus>,
    /// Only those of this agent.
    pub agent_id: Option<String>,
    /// At most so many; 0 gives none.
    pub limit: Option<usize>,
    /// Without so many of the first.
    pub offset: usize,
}

/// Which runs to list; all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only those that stand so.
    pub status: Option<RunStatus>,
    /// At most so many; 0 gives none.
    pub limit: Option<usize>,
}

/// Which events to get, and how long to wait for the first; all that is given must hold.
///
/// # Example: how do I follow a session?
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), artifact_session::SessionError> {
/// use std::time::Duration;
///
/// use artifact_session::{
///     Event, EventFilter, EventType, MemorySessions, SessionId, SessionStore,
/// };
///
/// let (store, session) = (MemorySessions::new(), SessionId::random());
/// store.append_event(&Event::new(EventType::RunStarted, session)).await?;
/// store.append_event(&Event::new(EventType::RunCompleted, session)).await?;
///
/// let mut seen = Vec::new();
/// let mut filter = EventFilter { wait: Some(Duration::from_millis(50)), ..Default::default() };
/// loop {
///     let events = store.get_events(session, &filter).await?;
///     let Some(last) = events.last() else { break }; // nothing came in time
///     filter.after = last.sequence_number;
///     seen.extend(events.iter().map(|event| event.event_type));
/// }
/// assert_eq!(seen, [EventType::RunStarted, EventType::RunCompleted]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only those of this run.
    pub run_id: Option<RunId>,
    /// Only those of this type.
    pub event_type: Option<EventType>,
    /// Only those that happened then or later.
    pub since: Option<SystemTime>,
    /// Only those with a greater sequence number.
    pub after: Option<u64>,
    /// Only those with a smaller sequence number.
    pub before: Option<u64>,
    /// At most so many; 0 gives none, at once.
    pub limit: Option<usize>,
    /// Where nothing matches, how long to wait until something does.
    pub wait: Option<Duration>,
}

impl SessionFilter {
    pub(crate) fn matches(&self, session: &Session) -> bool {
        self.status.is_none_or(|status| session.status == status)
            && self.agent_id.as_ref().is_none_or(|agent_id| session.agent_id == *agent_id)
    }
}

impl RunFilter {
    pub(crate) fn matches(&self, run: &Run) -> bool {
        self.status.is_none_or(|status| run.status == status)
    }
}

impl EventFilter {
    /// Whether all but the cursors hold: those say where in the log to look.
    pub(crate) fn matches(&self, event: &Event) -> bool {
        self.run_id.is_none_or(|run_id| event.run_id == Some(run_id))
            && self.event_type.is_none_or(|event_type| event.event_type == event_type)
            && self.since.is_none_or(|since| event.timestamp >= since)
    }
}
