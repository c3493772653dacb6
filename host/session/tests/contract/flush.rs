use artifact_session::{
    Event, Flush, Map, Run, RunStatus, Session, SessionErrorKind, SessionId, SessionStatus,
};

use crate::{NONE, Sessions, all_numbers, append, event, kind};

fn flush() -> Flush {
    let session = Session { status: SessionStatus::Completed, ..Session::new("reviewer") };
    let run = Run { status: RunStatus::Completed, ..Run::new(session.id) };
    let events = vec![event(session.id), event(session.id)];
    Flush { session, run, events, provider_metadata: Map::new() }
}

/// That the flush is refused so, and left no trace.
async fn refused(sessions: &Sessions, flush: &Flush, expected: SessionErrorKind) {
    assert_eq!(kind(sessions.flush(flush).await), expected);
    let Flush { session, run, .. } = flush;
    assert_eq!(kind(sessions.get_session(session.id).await), SessionErrorKind::SessionNotFound);
    assert_eq!(kind(sessions.get_run(run.id).await), SessionErrorKind::RunNotFound);
    assert_eq!(all_numbers(sessions, session.id).await, NONE);
    assert_eq!(sessions.get_latest_sequence(session.id).await.unwrap(), 0);
}

pub(crate) async fn persists_all_three(sessions: Sessions) {
    let flush = flush();
    sessions.save_session(&Session::new("another")).await.unwrap();
    sessions.flush(&flush).await.unwrap();
    let Flush { session, run, .. } = flush;
    assert_eq!(sessions.get_session(session.id).await.unwrap(), session);
    assert_eq!(sessions.get_run(run.id).await.unwrap(), run);
    assert_eq!(all_numbers(&sessions, session.id).await, [1, 2]);
}

pub(crate) async fn repeats_store_no_event_twice(sessions: Sessions) {
    let mut flush = flush();
    sessions.flush(&flush).await.unwrap();
    flush.session.status = SessionStatus::Failed;
    sessions.flush(&flush).await.unwrap();
    assert_eq!(all_numbers(&sessions, flush.session.id).await, [1, 2]);
    assert_eq!(sessions.get_session(flush.session.id).await.unwrap(), flush.session);
}

pub(crate) async fn stores_what_the_provider_says_with_the_run(sessions: Sessions) {
    let mut flush = flush();
    let map = |pairs: &[(&str, &str)]| -> Map {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.into())).collect()
    };
    flush.run.provider_metadata = map(&[("model", "old"), ("kept", "yes")]);
    flush.provider_metadata = map(&[("model", "new"), ("region", "eu")]);
    sessions.flush(&flush).await.unwrap();
    let stored = sessions.get_run(flush.run.id).await.unwrap();
    let expected = map(&[("model", "new"), ("kept", "yes"), ("region", "eu")]);
    assert_eq!(stored.provider_metadata, expected);
}

pub(crate) async fn with_an_invalid_event_nothing_is_visible(sessions: Sessions) {
    let mut flush = flush();
    // Its id was stored before, in another session.
    let taken = append(&sessions, &event(SessionId::random())).await;
    flush.events.push(Event { session_id: flush.session.id, ..taken });
    refused(&sessions, &flush, SessionErrorKind::InvalidEvent).await;
}

pub(crate) async fn with_an_event_of_another_session_nothing_is_visible(sessions: Sessions) {
    let mut flush = flush();
    let other = SessionId::random();
    flush.events.push(event(other));
    refused(&sessions, &flush, SessionErrorKind::InvalidEvent).await;
    assert_eq!(all_numbers(&sessions, other).await, NONE);
}

pub(crate) async fn with_a_run_of_another_session_nothing_is_visible(sessions: Sessions) {
    let mut flush = flush();
    flush.run.session_id = SessionId::random();
    refused(&sessions, &flush, SessionErrorKind::InvalidRun).await;
}

pub(crate) async fn with_an_invalid_session_nothing_is_visible(sessions: Sessions) {
    let mut flush = flush();
    flush.session.agent_id.clear();
    refused(&sessions, &flush, SessionErrorKind::InvalidSession).await;
}
