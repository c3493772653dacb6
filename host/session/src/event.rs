use std::time::SystemTime;

use crate::{EventId, Map, RunId, SessionId, name::named};

/// Something that happened in a session. Once stored, it never changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The id. An event whose id was stored before is the event stored then.
    pub id: EventId,
    /// What happened.
    pub event_type: EventType,
    /// When it happened, as the caller says.
    pub timestamp: SystemTime,
    /// The session that it belongs to.
    pub session_id: SessionId,
    /// The run that it belongs to.
    pub run_id: Option<RunId>,
    /// Its place in the session's log, from 1; the store gives it, over whatever is here.
    pub sequence_number: Option<u64>,
    /// What there is to say of it.
    pub data: Map,
    /// What the application notes of it.
    pub metadata: Map,
    /// The version of what `data` looks like; 1 unless set.
    pub schema_version: u32,
    /// Who reported it.
    pub provider: Option<String>,
    /// What ties it to events elsewhere.
    pub correlation_id: Option<String>,
}

impl Event {
    /// An event with an id of its own, happened now.
    #[must_use]
    pub fn new(event_type: EventType, session_id: SessionId) -> Self {
        Self {
            id: EventId::random(),
            event_type,
            timestamp: SystemTime::now(),
            session_id,
            run_id: None,
            sequence_number: None,
            data: Map::new(),
            metadata: Map::new(),
            schema_version: 1,
            provider: None,
            correlation_id: None,
        }
    }
}

named! {
    /// What happened.
    ///
    /// ```
    /// use artifact_session::EventType;
    ///
    /// assert_eq!(EventType::ToolCallStarted.as_str(), "tool_call_started");
    /// assert_eq!("policy_violation".parse(), Ok(EventType::PolicyViolation));
    /// ```
    EventType: "an event type" {
        SessionCreated = "session_created",
        SessionStarted = "session_started",
        SessionPaused = "session_paused",
        SessionResumed = "session_resumed",
        SessionCompleted = "session_completed",
        SessionFailed = "session_failed",
        SessionCancelled = "session_cancelled",
        RunStarted = "run_started",
        RunCompleted = "run_completed",
        RunFailed = "run_failed",
        RunCancelled = "run_cancelled",
        RunTimeout = "run_timeout",
        MessageSent = "message_sent",
        MessageReceived = "message_received",
        MessageStreamed = "message_streamed",
        ToolCallStarted = "tool_call_started",
        ToolCallCompleted = "tool_call_completed",
        ToolCallFailed = "tool_call_failed",
        ErrorOccurred = "error_occurred",
        ErrorRecovered = "error_recovered",
        TokenUsageUpdated = "token_usage_updated",
        TurnCompleted = "turn_completed",
        WorkspaceSnapshotTaken = "workspace_snapshot_taken",
        WorkspaceDiffComputed = "workspace_diff_computed",
        PolicyViolation = "policy_violation",
        ToolApprovalRequested = "tool_approval_requested",
        ToolApprovalGranted = "tool_approval_granted",
        ToolApprovalDenied = "tool_approval_denied",
    }
}
