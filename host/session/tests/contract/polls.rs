use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use artifact_session::{
    Event, EventFilter, EventType, Flush, Map, Run, RunId, Session, SessionId,
};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{NONE, Sessions, append, event, numbers_of};

/// Longer than any test may take: a poll that answers did not wait for its end.
const LONG: Duration = Duration::from_mins(1);
/// Long enough for a poll to have ended that should not have.
const MOMENT: Duration = Duration::from_millis(50);

fn long() -> EventFilter {
    EventFilter { wait: Some(LONG), ..Default::default() }
}

/// A poll that has begun, and waits.
async fn waiting(
    sessions: &Sessions,
    session: SessionId,
    filter: EventFilter,
) -> JoinHandle<Vec<Event>> {
    let sessions = Arc::clone(sessions);
    let (began, has_begun) = oneshot::channel();
    let poll = tokio::spawn(async move {
        let mut events = sessions.get_events(session, &filter);
        let first = futures::poll!(&mut events);
        assert!(first.is_pending(), "the poll did not wait");
        began.send(()).unwrap();
        events.await.unwrap()
    });
    has_begun.await.unwrap();
    poll
}

/// The numbers that the poll answers, well before its time is up.
async fn answer(poll: JoinHandle<Vec<Event>>) -> Vec<u64> {
    numbers_of(&tokio::time::timeout(LONG / 4, poll).await.unwrap().unwrap())
}

pub(crate) async fn what_is_there_comes_at_once(sessions: Sessions) {
    let session = SessionId::random();
    append(&sessions, &event(session)).await;
    let began = Instant::now();
    let events = sessions.get_events(session, &long()).await.unwrap();
    assert_eq!(numbers_of(&events), [1]);
    assert!(began.elapsed() < LONG / 4);
}

pub(crate) async fn blocks_until_an_append(sessions: Sessions) {
    let session = SessionId::random();
    let poll = waiting(&sessions, session, long()).await;
    sessions.append_event(&event(session)).await.unwrap();
    assert_eq!(answer(poll).await, [1]);
}

pub(crate) async fn blocks_until_a_batch(sessions: Sessions) {
    let session = SessionId::random();
    let poll = waiting(&sessions, session, long()).await;
    sessions.append_events(&[event(session), event(session)]).await.unwrap();
    // All of it: a batch is never seen in part.
    assert_eq!(answer(poll).await, [1, 2]);
}

pub(crate) async fn blocks_until_a_flush(sessions: Sessions) {
    let session = Session::new("reviewer");
    let poll = waiting(&sessions, session.id, long()).await;
    let (run, events) = (Run::new(session.id), vec![event(session.id), event(session.id)]);
    let flush = Flush { session, run, events, provider_metadata: Map::new() };
    sessions.flush(&flush).await.unwrap();
    assert_eq!(answer(poll).await, [1, 2]);
}

pub(crate) async fn is_empty_at_the_end_of_its_time(sessions: Sessions) {
    let session = SessionId::random();
    let began = Instant::now();
    let filter = EventFilter { wait: Some(MOMENT), ..Default::default() };
    assert_eq!(sessions.get_events(session, &filter).await.unwrap(), []);
    assert!(began.elapsed() >= MOMENT);
    // The log is as good as before.
    assert_eq!(append(&sessions, &event(session)).await.sequence_number, Some(1));
}

pub(crate) async fn waits_for_what_the_filters_ask(sessions: Sessions) {
    let (session, run) = (SessionId::random(), RunId::random());
    let later = SystemTime::now() + LONG;
    append(&sessions, &event(session)).await;
    let filters = [
        EventFilter { run_id: Some(run), ..long() },
        EventFilter { event_type: Some(EventType::TurnCompleted), ..long() },
        EventFilter { since: Some(later), ..long() },
        EventFilter { after: Some(2), ..long() },
        EventFilter { after: Some(2), before: Some(4), limit: Some(1), ..long() },
    ];
    let mut polls = Vec::new();
    for filter in filters {
        polls.push(waiting(&sessions, session, filter).await);
    }
    // What none of them asks for ends none of them.
    append(&sessions, &event(session)).await;
    tokio::time::sleep(MOMENT).await;
    assert!(polls.iter().all(|poll| !poll.is_finished()));
    // What each of them asks for ends them all.
    let wanted = Event::new(EventType::TurnCompleted, session);
    append(&sessions, &Event { run_id: Some(run), timestamp: later, ..wanted }).await;
    for poll in polls {
        assert_eq!(answer(poll).await, [3]);
    }
}

pub(crate) async fn an_append_elsewhere_does_not_end_it(sessions: Sessions) {
    let session = SessionId::random();
    let poll = waiting(&sessions, session, long()).await;
    append(&sessions, &event(SessionId::random())).await;
    tokio::time::sleep(MOMENT).await;
    assert!(!poll.is_finished());
    append(&sessions, &event(session)).await;
    assert_eq!(answer(poll).await, [1]);
}

pub(crate) async fn without_a_wait_it_answers_at_once(sessions: Sessions) {
    for wait in [None, Some(Duration::ZERO)] {
        let filter = EventFilter { wait, ..Default::default() };
        let events = sessions.get_events(SessionId::random(), &filter);
        assert_eq!(tokio::time::timeout(LONG / 4, events).await.unwrap().unwrap(), []);
    }
}

pub(crate) async fn limit_zero_does_not_wait(sessions: Sessions) {
    let filter = EventFilter { limit: Some(0), ..long() };
    let events = sessions.get_events(SessionId::random(), &filter);
    assert_eq!(tokio::time::timeout(LONG / 4, events).await.unwrap().unwrap(), []);
}

pub(crate) async fn ends_when_the_session_is_deleted(sessions: Sessions) {
    let session = Session::new("reviewer");
    sessions.save_session(&session).await.unwrap();
    append(&sessions, &event(session.id)).await;
    let poll = waiting(&sessions, session.id, EventFilter { after: Some(1), ..long() }).await;
    sessions.delete_session(session.id).await.unwrap();
    assert_eq!(answer(poll).await, NONE);
}

pub(crate) async fn all_who_wait_are_told(sessions: Sessions) {
    let session = SessionId::random();
    let mut polls = Vec::new();
    for _ in 0..3 {
        polls.push(waiting(&sessions, session, long()).await);
    }
    // One that is given up takes nothing from the others.
    polls.remove(1).abort();
    append(&sessions, &event(session)).await;
    for poll in polls {
        assert_eq!(answer(poll).await, [1]);
    }
}
