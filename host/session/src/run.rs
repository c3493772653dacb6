use std::time::SystemTime;

use crate::{Map, RunId, SessionId, name::named};

/// One piece of work in a session, done by a provider.
///
/// A store keeps it as it is given, times included.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The id.
    pub id: RunId,
    /// The session that it belongs to.
    pub session_id: SessionId,
    /// How it stands.
    pub status: RunStatus,
    /// What was asked.
    pub input: Option<Map>,
    /// What came of it.
    pub output: Option<Map>,
    /// Why it failed.
    pub error: Option<Map>,
    /// What the application notes of it.
    pub metadata: Map,
    /// How many turns it took.
    pub turn_count: u64,
    /// Tokens used, by the provider's names for them.
    pub token_usage: Map,
    /// What it cost, in US dollars.
    pub cost_usd: Option<f64>,
    /// When it began.
    pub started_at: SystemTime,
    /// When it ended.
    pub ended_at: Option<SystemTime>,
    /// Who did it.
    pub provider: Option<String>,
    /// What the provider says of it.
    pub provider_metadata: Map,
}

impl Run {
    /// A pending run with an id of its own, begun now.
    #[must_use]
    pub fn new(session_id: SessionId) -> Self {
        Self {
            id: RunId::random(),
            session_id,
            status: RunStatus::Pending,
            input: None,
            output: None,
            error: None,
            metadata: Map::new(),
            turn_count: 0,
            token_usage: Map::new(),
            cost_usd: None,
            started_at: SystemTime::now(),
            ended_at: None,
            provider: None,
            provider_metadata: Map::new(),
        }
    }
}

named! {
    /// How a run stands.
    RunStatus: "a run status" {
        Pending = "pending",
        Running = "running",
        Completed = "completed",
        Failed = "failed",
        Cancelled = "cancelled",
        Timeout = "timeout",
    }
}
