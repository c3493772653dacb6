use std::{collections::BTreeSet, sync::Arc};

use artifact_session::{Event, EventFilter, SessionId};
use futures::future::try_join_all;

use crate::{Sessions, all_numbers, append, event, numbers_of};

pub(crate) async fn fifty_appends_from_fifty_tasks_are_one_to_fifty(sessions: Sessions) {
    let session = SessionId::random();
    let tasks = (0..50).map(|_| {
        let sessions = Arc::clone(&sessions);
        tokio::spawn(async move { append(&sessions, &event(session)).await })
    });
    let stored = try_join_all(tasks).await.unwrap();
    let given: BTreeSet<u64> = numbers_of(&stored).into_iter().collect();
    assert!(given.into_iter().eq(1..=50), "a number was given twice, or left out");
    assert!(all_numbers(&sessions, session).await.into_iter().eq(1..=50));
}

pub(crate) async fn ten_batches_of_five_are_one_to_fifty(sessions: Sessions) {
    let session = SessionId::random();
    let tasks = (0..10).map(|_| {
        let sessions = Arc::clone(&sessions);
        let batch: Vec<Event> = (0..5).map(|_| event(session)).collect();
        tokio::spawn(async move { sessions.append_events(&batch).await.unwrap() })
    });
    for batch in try_join_all(tasks).await.unwrap() {
        let numbers = numbers_of(&batch);
        assert!(numbers.iter().copied().eq(numbers[0]..numbers[0] + 5), "{numbers:?}");
    }
    assert!(all_numbers(&sessions, session).await.into_iter().eq(1..=50));
}

pub(crate) async fn the_same_id_from_many_tasks_is_one_event(sessions: Sessions) {
    let session = SessionId::random();
    let given = event(session);
    let tasks = (0..20).map(|_| {
        let (sessions, given) = (Arc::clone(&sessions), given.clone());
        tokio::spawn(async move { append(&sessions, &given).await })
    });
    let stored = try_join_all(tasks).await.unwrap();
    assert!(stored.iter().all(|event| *event == stored[0]));
    assert_eq!(all_numbers(&sessions, session).await, [1]);
}

pub(crate) async fn a_batch_of_three_thousand_events(sessions: Sessions) {
    let session = SessionId::random();
    let batch: Vec<Event> = (0..3_000).map(|_| event(session)).collect();
    let stored = sessions.append_events(&batch).await.unwrap();
    assert!(numbers_of(&stored).into_iter().eq(1..=3_000));
    assert_eq!(sessions.get_latest_sequence(session).await.unwrap(), 3_000);
    let last = EventFilter { after: Some(2_990), ..Default::default() };
    assert_eq!(sessions.get_events(session, &last).await.unwrap(), stored[2_990..]);
}
