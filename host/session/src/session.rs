use std::time::SystemTime;

use crate::{Map, SessionError, SessionErrorKind, SessionId, name::named};

/// What an agent works in: it has runs, and a log of events.
///
/// A store keeps it as it is given, times included.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The id.
    pub id: SessionId,
    /// Whose session it is; never empty.
    pub agent_id: String,
    /// How it stands.
    pub status: SessionStatus,
    /// The session that it came from.
    pub parent_session_id: Option<SessionId>,
    /// What the application notes of it.
    pub metadata: Map,
    /// What the agent is told with every run.
    pub context: Map,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// When it was made.
    pub created_at: SystemTime,
    /// When it was last changed.
    pub updated_at: SystemTime,
    /// When the application marked it as deleted; the store makes nothing of it.
    pub deleted_at: Option<SystemTime>,
}

impl Session {
    /// A pending session with an id of its own, made now.
    #[must_use]
    pub fn new(agent_id: impl Into<String>) -> Self {
        let now = SystemTime::now();
        Self {
            id: SessionId::random(),
            agent_id: agent_id.into(),
            status: SessionStatus::Pending,
            parent_session_id: None,
            metadata: Map::new(),
            context: Map::new(),
            tags: Vec::new(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }

    /// Whether it may be stored; every store asks before it saves one.
    ///
    /// Fails with [`SessionErrorKind::InvalidSession`] where the agent id is empty.
    pub fn check(&self) -> Result<(), SessionError> {
        if self.agent_id.is_empty() {
            let message = format!("session {} has no agent id; name an agent", self.id);
            return Err(SessionError::new(SessionErrorKind::InvalidSession, message));
        }
        Ok(())
    }
}

named! {
    /// How a session stands.
    SessionStatus: "a session status" {
        Pending = "pending",
        Active = "active",
        Paused = "paused",
        Completed = "completed",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}
