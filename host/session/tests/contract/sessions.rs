use std::time::{Duration, SystemTime};

use artifact_session::{
    Event, EventFilter, Run, RunFilter, Session, SessionErrorKind, SessionFilter, SessionId, SessionStatus,
};

use crate::{Sessions, all_numbers, append, event, kind};

/// One second after the other, so that their order is certain.
async fn save_three(sessions: &Sessions) -> [Session; 3] {
    let at = |second| SystemTime::UNIX_EPOCH + Duration::from_secs(second);
    let made = |agent: &str, status, second| Session {
        status,
        created_at: at(second),
        ..Session::new(agent)
    };
    let three = [
        made("writer", SessionStatus::Active, 1),
        made("reviewer", SessionStatus::Pending, 2),
        made("reviewer", SessionStatus::Active, 3),
    ];
    for index in [2, 0, 1] {
        sessions.save_session(&three[index]).await.unwrap();
    }
    three
}

async fn list(sessions: &Sessions, filter: SessionFilter) -> Vec<SessionId> {
    let found = sessions.list_sessions(&filter).await.unwrap();
    found.into_iter().map(|session| session.id).collect()
}

pub(crate) async fn save_and_get(sessions: Sessions) {
    let mut session = Session {
        parent_session_id: Some(SessionId::random()),
        tags: vec!["nightly".to_owned()],
        deleted_at: Some(SystemTime::now()),
        ..Session::new("reviewer")
    };
    session.metadata.insert("ticket".to_owned(), 7.into());
    session.context.insert("language".to_owned(), "en".into());
    assert_eq!(session.status, SessionStatus::Pending);
    sessions.save_session(&session).await.unwrap();
    assert_eq!(sessions.get_session(session.id).await.unwrap(), session);
}

pub(crate) async fn a_missing_session_is_not_found(sessions: Sessions) {
    let id = SessionId::random();
    let error = sessions.get_session(id).await.unwrap_err();
    assert_eq!(error.kind(), SessionErrorKind::SessionNotFound);
    assert!(error.to_string().contains(&id.to_string()), "{error}");
    assert!(!error.is_retryable());
}

pub(crate) async fn a_second_save_updates(sessions: Sessions) {
    let mut session = Session::new("reviewer");
    sessions.save_session(&session).await.unwrap();
    session.status = SessionStatus::Completed;
    session.updated_at = SystemTime::now();
    sessions.save_session(&session).await.unwrap();
    assert_eq!(sessions.get_session(session.id).await.unwrap(), session);
}

pub(crate) async fn three_saves_are_one_session(sessions: Sessions) {
    let session = Session::new("reviewer");
    for _ in 0..3 {
        sessions.save_session(&session).await.unwrap();
    }
    assert_eq!(list(&sessions, SessionFilter::default()).await, [session.id]);
}

pub(crate) async fn list_gives_all_the_oldest_first(sessions: Sessions) {
    assert_eq!(list(&sessions, SessionFilter::default()).await, []);
    let three = save_three(&sessions).await;
    assert_eq!(sessions.list_sessions(&SessionFilter::default()).await.unwrap(), three);
}

pub(crate) async fn list_filters_by_status_and_agent(sessions: Sessions) {
    let [one, two, three] = save_three(&sessions).await;
    let active = SessionFilter { status: Some(SessionStatus::Active), ..Default::default() };
    assert_eq!(list(&sessions, active.clone()).await, [one.id, three.id]);
    let agent = Some("reviewer".to_owned());
    let reviewer = SessionFilter { agent_id: agent.clone(), ..Default::default() };
    assert_eq!(list(&sessions, reviewer).await, [two.id, three.id]);
    assert_eq!(list(&sessions, SessionFilter { agent_id: agent, ..active }).await, [three.id]);
}

pub(crate) async fn list_pages_by_limit_and_offset(sessions: Sessions) {
    let [one, two, three] = save_three(&sessions).await;
    let page = |limit, offset| SessionFilter { limit, offset, ..Default::default() };
    assert_eq!(list(&sessions, page(Some(2), 0)).await, [one.id, two.id]);
    assert_eq!(list(&sessions, page(Some(2), 2)).await, [three.id]);
    assert_eq!(list(&sessions, page(None, 1)).await, [two.id, three.id]);
    assert_eq!(list(&sessions, page(Some(0), 0)).await, []);
    assert_eq!(list(&sessions, page(None, 4)).await, []);
}

pub(crate) async fn a_deleted_session_is_not_found(sessions: Sessions) {
    let session = Session::new("reviewer");
    sessions.save_session(&session).await.unwrap();
    sessions.delete_session(session.id).await.unwrap();
    assert_eq!(kind(sessions.get_session(session.id).await), SessionErrorKind::SessionNotFound);
    assert_eq!(list(&sessions, SessionFilter::default()).await, []);
}

pub(crate) async fn delete_twice_is_fine(sessions: Sessions) {
    let session = Session::new("reviewer");
    sessions.save_session(&session).await.unwrap();
    sessions.delete_session(session.id).await.unwrap();
    sessions.delete_session(session.id).await.unwrap();
    sessions.delete_session(SessionId::random()).await.unwrap();
}

pub(crate) async fn delete_takes_runs_events_and_sequence_along(sessions: Sessions) {
    let session = Session::new("reviewer");
    let run = Run::new(session.id);
    let first = event(session.id);
    sessions.save_session(&session).await.unwrap();
    sessions.save_run(&run).await.unwrap();
    append(&sessions, &first).await;
    let second = append(&sessions, &event(session.id)).await;

    sessions.delete_session(session.id).await.unwrap();
    assert_eq!(kind(sessions.get_run(run.id).await), SessionErrorKind::RunNotFound);
    assert_eq!(sessions.list_runs(session.id, &RunFilter::default()).await.unwrap(), []);
    assert_eq!(sessions.get_events(session.id, &EventFilter::default()).await.unwrap(), []);
    assert_eq!(sessions.get_latest_sequence(session.id).await.unwrap(), 0);
    // A new log, in which even the old ids are new.
    assert_eq!(append(&sessions, &first).await.sequence_number, Some(1));
    let elsewhere = Event { session_id: SessionId::random(), ..second };
    assert_eq!(append(&sessions, &elsewhere).await.sequence_number, Some(1));
}

pub(crate) async fn delete_leaves_other_sessions_alone(sessions: Sessions) {
    let [one, two, _] = save_three(&sessions).await;
    let run = Run::new(two.id);
    sessions.save_run(&run).await.unwrap();
    append(&sessions, &event(two.id)).await;

    sessions.delete_session(one.id).await.unwrap();
    assert_eq!(sessions.get_session(two.id).await.unwrap(), two);
    assert_eq!(sessions.get_run(run.id).await.unwrap(), run);
    assert_eq!(all_numbers(&sessions, two.id).await, [1]);
}

pub(crate) async fn a_session_without_an_agent_is_refused(sessions: Sessions) {
    let session = Session::new("");
    assert_eq!(kind(sessions.save_session(&session).await), SessionErrorKind::InvalidSession);
    assert_eq!(kind(sessions.get_session(session.id).await), SessionErrorKind::SessionNotFound);
}
