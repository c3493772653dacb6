use std::time::{Duration, SystemTime};

use artifact_session::{Run, RunFilter, RunId, RunStatus, SessionErrorKind, SessionId};

use crate::Sessions;

fn run(session: SessionId, status: RunStatus, second: u64) -> Run {
    let started_at = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
    Run { status, started_at, ..Run::new(session) }
}

async fn save(sessions: &Sessions, run: Run) -> Run {
    sessions.save_run(&run).await.unwrap();
    run
}

pub(crate) async fn save_and_get(sessions: Sessions) {
    let mut run = Run {
        turn_count: 3,
        cost_usd: Some(0.25),
        ended_at: Some(SystemTime::now()),
        provider: Some("claude".to_owned()),
        ..Run::new(SessionId::random())
    };
    run.token_usage.insert("input_tokens".to_owned(), 12.into());
    run.output = Some(run.token_usage.clone());
    assert_eq!(run.status, RunStatus::Pending);
    sessions.save_run(&run).await.unwrap();
    assert_eq!(sessions.get_run(run.id).await.unwrap(), run);
}

pub(crate) async fn a_missing_run_is_not_found(sessions: Sessions) {
    let id = RunId::random();
    let error = sessions.get_run(id).await.unwrap_err();
    assert_eq!(error.kind(), SessionErrorKind::RunNotFound);
    assert!(error.to_string().contains(&id.to_string()), "{error}");
}

pub(crate) async fn a_second_save_updates(sessions: Sessions) {
    let session = SessionId::random();
    let mut run = save(&sessions, Run::new(session)).await;
    run.status = RunStatus::Failed;
    run.turn_count = 2;
    sessions.save_run(&run).await.unwrap();
    assert_eq!(sessions.list_runs(session, &RunFilter::default()).await.unwrap(), [run]);
}

pub(crate) async fn list_gives_those_of_the_session_the_oldest_first(sessions: Sessions) {
    let session = SessionId::random();
    let late = save(&sessions, run(session, RunStatus::Pending, 2)).await;
    let early = save(&sessions, run(session, RunStatus::Pending, 1)).await;
    save(&sessions, Run::new(SessionId::random())).await;
    assert_eq!(sessions.list_runs(session, &RunFilter::default()).await.unwrap(), [early, late]);
}

pub(crate) async fn list_filters_by_status_and_limit(sessions: Sessions) {
    let session = SessionId::random();
    let one = save(&sessions, run(session, RunStatus::Completed, 1)).await;
    let two = save(&sessions, run(session, RunStatus::Timeout, 2)).await;
    let three = save(&sessions, run(session, RunStatus::Completed, 3)).await;
    let list = async |status, limit| {
        let found = sessions.list_runs(session, &RunFilter { status, limit }).await.unwrap();
        found.into_iter().map(|run| run.id).collect::<Vec<_>>()
    };
    let completed = Some(RunStatus::Completed);
    assert_eq!(list(completed, None).await, [one.id, three.id]);
    assert_eq!(list(completed, Some(1)).await, [one.id]);
    assert_eq!(list(None, Some(2)).await, [one.id, two.id]);
    assert_eq!(list(None, Some(0)).await, []);
    assert_eq!(list(Some(RunStatus::Cancelled), None).await, []);
}

pub(crate) async fn the_running_run_is_active(sessions: Sessions) {
    let session = SessionId::random();
    save(&sessions, Run::new(session)).await;
    let running = save(&sessions, run(session, RunStatus::Running, 1)).await;
    save(&sessions, run(SessionId::random(), RunStatus::Running, 9)).await;
    assert_eq!(sessions.get_active_run(session).await.unwrap(), Some(running));
}

pub(crate) async fn no_run_is_active_once_completed(sessions: Sessions) {
    let session = SessionId::random();
    assert_eq!(sessions.get_active_run(session).await.unwrap(), None);
    let mut run = save(&sessions, run(session, RunStatus::Running, 1)).await;
    run.status = RunStatus::Completed;
    sessions.save_run(&run).await.unwrap();
    assert_eq!(sessions.get_active_run(session).await.unwrap(), None);
}

pub(crate) async fn the_active_run_is_read_after_write(sessions: Sessions) {
    let session = SessionId::random();
    for second in 1..=20 {
        let mut run = save(&sessions, run(session, RunStatus::Running, second)).await;
        let active = sessions.get_active_run(session).await.unwrap();
        assert_eq!(active.map(|run| run.id), Some(run.id));
        run.status = RunStatus::Cancelled;
        sessions.save_run(&run).await.unwrap();
        assert_eq!(sessions.get_active_run(session).await.unwrap(), None);
    }
}

pub(crate) async fn of_two_running_runs_the_last_begun_is_active(sessions: Sessions) {
    let session = SessionId::random();
    let late = save(&sessions, run(session, RunStatus::Running, 2)).await;
    save(&sessions, run(session, RunStatus::Running, 1)).await;
    assert_eq!(sessions.get_active_run(session).await.unwrap(), Some(late));
}
