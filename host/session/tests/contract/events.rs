use std::time::{Duration, SystemTime};

use artifact_session::{
    Event, EventFilter, EventId, EventType, RunId, SessionErrorKind, SessionId,
};

use crate::{NONE, Sessions, all_numbers, append, event, kind, numbers, numbers_of};

async fn all(sessions: &Sessions, session: SessionId) -> Vec<Event> {
    sessions.get_events(session, &EventFilter::default()).await.unwrap()
}

pub(crate) async fn append_stores_every_field(sessions: Sessions) {
    let session = SessionId::random();
    let mut event = Event {
        run_id: Some(RunId::random()),
        schema_version: 2,
        provider: Some("claude".to_owned()),
        correlation_id: Some("c-1".to_owned()),
        ..event(session)
    };
    event.data.insert("text".to_owned(), "hello".into());
    event.metadata.insert("source".to_owned(), "test".into());
    sessions.append_event(&event).await.unwrap();
    let stored = Event { sequence_number: Some(1), ..event };
    assert_eq!(all(&sessions, session).await, [stored]);
}

pub(crate) async fn events_come_in_the_order_of_their_appends(sessions: Sessions) {
    let session = SessionId::random();
    // Their own times say otherwise.
    let at = |second| SystemTime::UNIX_EPOCH + Duration::from_secs(second);
    let given = [3, 1, 2].map(|second| Event { timestamp: at(second), ..event(session) });
    for event in &given {
        sessions.append_event(event).await.unwrap();
    }
    let stored = all(&sessions, session).await;
    assert!(stored.iter().map(|event| event.id).eq(given.iter().map(|event| event.id)));
}

pub(crate) async fn a_session_has_only_its_own_events(sessions: Sessions) {
    let (one, two) = (SessionId::random(), SessionId::random());
    sessions.append_events(&[event(one), event(two), event(one)]).await.unwrap();
    assert_eq!(all_numbers(&sessions, one).await, [1, 2]);
    assert_eq!(all_numbers(&sessions, two).await, [1]);
    assert_eq!(all_numbers(&sessions, SessionId::random()).await, NONE);
}

pub(crate) async fn filters_by_run_and_by_type(sessions: Sessions) {
    let (session, run) = (SessionId::random(), RunId::random());
    append(&sessions, &event(session)).await;
    append(&sessions, &Event { run_id: Some(run), ..event(session) }).await;
    append(&sessions, &Event::new(EventType::ErrorOccurred, session)).await;
    let of_run = EventFilter { run_id: Some(run), ..Default::default() };
    assert_eq!(numbers(&sessions, session, &of_run).await, [2]);
    let of_type = EventFilter { event_type: Some(EventType::MessageSent), ..Default::default() };
    assert_eq!(numbers(&sessions, session, &of_type).await, [1, 2]);
}

pub(crate) async fn since_takes_in_the_moment_itself(sessions: Sessions) {
    let session = SessionId::random();
    let at = |second| SystemTime::UNIX_EPOCH + Duration::from_secs(second);
    for second in 1..=3 {
        append(&sessions, &Event { timestamp: at(second), ..event(session) }).await;
    }
    let since = |second| EventFilter { since: Some(at(second)), ..Default::default() };
    assert_eq!(numbers(&sessions, session, &since(2)).await, [2, 3]);
    assert_eq!(numbers(&sessions, session, &since(4)).await, NONE);
}

pub(crate) async fn sequence_numbers_begin_at_one(sessions: Sessions) {
    let session = SessionId::random();
    assert_eq!(append(&sessions, &event(session)).await.sequence_number, Some(1));
    assert_eq!(append(&sessions, &event(session)).await.sequence_number, Some(2));
    assert_eq!(sessions.get_latest_sequence(session).await.unwrap(), 2);
}

pub(crate) async fn the_callers_own_number_is_overwritten(sessions: Sessions) {
    let session = SessionId::random();
    let given = Event { sequence_number: Some(99), ..event(session) };
    assert_eq!(append(&sessions, &given).await.sequence_number, Some(1));
    assert_eq!(all_numbers(&sessions, session).await, [1]);
}

pub(crate) async fn the_same_id_twice_is_one_event(sessions: Sessions) {
    let session = SessionId::random();
    let given = event(session);
    let first = append(&sessions, &given).await;
    append(&sessions, &event(session)).await;
    assert_eq!(append(&sessions, &given).await, first);
    sessions.append_event(&given).await.unwrap();
    assert_eq!(all_numbers(&sessions, session).await, [1, 2]);
}

pub(crate) async fn a_stored_event_never_changes(sessions: Sessions) {
    let session = SessionId::random();
    let first = append(&sessions, &event(session)).await;
    let other = Event { event_type: EventType::ErrorOccurred, ..first.clone() };
    assert_eq!(append(&sessions, &other).await, first);
    assert_eq!(all(&sessions, session).await, [first]);
}

pub(crate) async fn an_id_of_another_session_is_refused(sessions: Sessions) {
    let (one, two) = (SessionId::random(), SessionId::random());
    let first = append(&sessions, &event(one)).await;
    let other = Event { session_id: two, ..first };
    let refused = sessions.append_event_with_sequence(&other).await;
    assert_eq!(kind(refused), SessionErrorKind::InvalidEvent);
    assert_eq!(kind(sessions.append_event(&other).await), SessionErrorKind::InvalidEvent);
    assert_eq!(all_numbers(&sessions, two).await, NONE);
}

pub(crate) async fn a_batch_is_numbered_without_a_gap(sessions: Sessions) {
    let session = SessionId::random();
    append(&sessions, &event(session)).await;
    let batch = [event(session), event(session), event(session)];
    let stored = sessions.append_events(&batch).await.unwrap();
    assert_eq!(numbers_of(&stored), [2, 3, 4]);
    assert!(stored.iter().map(|event| event.id).eq(batch.iter().map(|event| event.id)));
    assert_eq!(append(&sessions, &event(session)).await.sequence_number, Some(5));
}

pub(crate) async fn a_batch_may_repeat_itself_and_what_is_stored(sessions: Sessions) {
    let session = SessionId::random();
    let old = append(&sessions, &event(session)).await;
    let (new, last) = (event(session), event(session));
    let batch = [new.clone(), old, new, last];
    let stored = sessions.append_events(&batch).await.unwrap();
    assert_eq!(numbers_of(&stored), [2, 1, 2, 3]);
    assert_eq!(all_numbers(&sessions, session).await, [1, 2, 3]);
}

pub(crate) async fn a_refused_batch_stores_nothing(sessions: Sessions) {
    let (one, two) = (SessionId::random(), SessionId::random());
    let taken = Event { session_id: two, ..append(&sessions, &event(one)).await };
    let refused = sessions.append_events(&[event(two), event(two), taken]).await;
    assert_eq!(kind(refused), SessionErrorKind::InvalidEvent);
    // One id in two sessions, within the batch itself.
    let new = event(one);
    let twice = [new.clone(), Event { session_id: two, ..new }];
    assert_eq!(kind(sessions.append_events(&twice).await), SessionErrorKind::InvalidEvent);
    assert_eq!(sessions.get_latest_sequence(one).await.unwrap(), 1);
    assert_eq!(sessions.get_latest_sequence(two).await.unwrap(), 0);
    assert_eq!(all_numbers(&sessions, two).await, NONE);
}

pub(crate) async fn an_empty_batch_is_fine(sessions: Sessions) {
    assert_eq!(sessions.append_events(&[]).await.unwrap(), []);
}

pub(crate) async fn the_latest_sequence_is_zero_when_empty(sessions: Sessions) {
    assert_eq!(sessions.get_latest_sequence(SessionId::random()).await.unwrap(), 0);
}

pub(crate) async fn after_and_before_are_cursors(sessions: Sessions) {
    let session = SessionId::random();
    sessions.append_events(&[event(session), event(session), event(session)]).await.unwrap();
    let between = |after, before| EventFilter { after, before, ..Default::default() };
    assert_eq!(numbers(&sessions, session, &between(Some(1), None)).await, [2, 3]);
    assert_eq!(numbers(&sessions, session, &between(None, Some(3))).await, [1, 2]);
    assert_eq!(numbers(&sessions, session, &between(Some(1), Some(3))).await, [2]);
    assert_eq!(numbers(&sessions, session, &between(Some(0), Some(4))).await, [1, 2, 3]);
    assert_eq!(numbers(&sessions, session, &between(Some(3), None)).await, NONE);
    assert_eq!(numbers(&sessions, session, &between(Some(u64::MAX), None)).await, NONE);
    assert_eq!(numbers(&sessions, session, &between(None, Some(0))).await, NONE);
}

pub(crate) async fn cursor_run_type_and_limit_compose(sessions: Sessions) {
    let (session, run) = (SessionId::random(), RunId::random());
    let make = |event_type, run_id| Event { run_id, event_type, ..event(session) };
    let batch = [
        make(EventType::MessageSent, Some(run)),
        make(EventType::MessageSent, None),
        make(EventType::MessageReceived, Some(run)),
        make(EventType::MessageSent, Some(run)),
        make(EventType::MessageSent, Some(run)),
        make(EventType::MessageSent, Some(run)),
    ];
    sessions.append_events(&batch).await.unwrap();
    let mut filter = EventFilter {
        run_id: Some(run),
        event_type: Some(EventType::MessageSent),
        after: Some(1),
        ..Default::default()
    };
    assert_eq!(numbers(&sessions, session, &filter).await, [4, 5, 6]);
    filter.before = Some(6);
    assert_eq!(numbers(&sessions, session, &filter).await, [4, 5]);
    filter.limit = Some(1);
    assert_eq!(numbers(&sessions, session, &filter).await, [4]);
}

pub(crate) async fn limit_zero_gives_none(sessions: Sessions) {
    let session = SessionId::random();
    append(&sessions, &Event { id: EventId::random(), ..event(session) }).await;
    let none = EventFilter { limit: Some(0), ..Default::default() };
    assert_eq!(numbers(&sessions, session, &none).await, NONE);
}
