//! What every session store must do, as cases that run against each of them.
//!
//! Each case has a store of its own, which begins empty.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use artifact_session::{
    CompositeStore, Event, EventFilter, EventType, MemorySessions, SessionError, SessionErrorKind,
    SessionId, SessionStore,
};
use artifact_store::{ArtifactStore, s3::MemoryS3};

/// Shared, so that a case can hand it to tasks.
type Sessions = Arc<dyn SessionStore>;

async fn memory_sessions() -> Sessions {
    Arc::new(MemorySessions::new())
}

async fn composite_store() -> Sessions {
    let artifacts = ArtifactStore::builder().bucket("test-bucket").client(MemoryS3::new());
    let artifacts = artifacts.start().await.unwrap();
    Arc::new(CompositeStore::new(Arc::new(MemorySessions::new()), Arc::new(artifacts)))
}

/// A test for each case and store, named `store::topic::case`.
macro_rules! suite {
    ($($topic:ident: $cases:tt)+) => {
        $(mod $topic;)+
        suite!(@store memory_sessions $($topic: $cases)+);
        suite!(@store composite_store $($topic: $cases)+);
    };
    (@store $store:ident $($topic:ident: [$($case:ident),+ $(,)?])+) => {
        mod $store {
            $(mod $topic {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    crate::$topic::$case(crate::$store().await).await;
                })+
            })+
        }
    };
}

suite! {
    sessions: [
        save_and_get,
        a_missing_session_is_not_found,
        a_second_save_updates,
        three_saves_are_one_session,
        list_gives_all_the_oldest_first,
        list_filters_by_status_and_agent,
        list_pages_by_limit_and_offset,
        a_deleted_session_is_not_found,
        delete_twice_is_fine,
        delete_takes_runs_events_and_sequence_along,
        delete_leaves_other_sessions_alone,
        a_session_without_an_agent_is_refused,
    ]
    runs: [
        save_and_get,
        a_missing_run_is_not_found,
        a_second_save_updates,
        list_gives_those_of_the_session_the_oldest_first,
        list_filters_by_status_and_limit,
        the_running_run_is_active,
        no_run_is_active_once_completed,
        the_active_run_is_read_after_write,
        of_two_running_runs_the_last_begun_is_active,
    ]
    events: [
        append_stores_every_field,
        events_come_in_the_order_of_their_appends,
        a_session_has_only_its_own_events,
        filters_by_run_and_by_type,
        since_takes_in_the_moment_itself,
        sequence_numbers_begin_at_one,
        the_callers_own_number_is_overwritten,
        the_same_id_twice_is_one_event,
        a_stored_event_never_changes,
        an_id_of_another_session_is_refused,
        a_batch_is_numbered_without_a_gap,
        a_batch_may_repeat_itself_and_what_is_stored,
        a_refused_batch_stores_nothing,
        an_empty_batch_is_fine,
        the_latest_sequence_is_zero_when_empty,
        after_and_before_are_cursors,
        cursor_run_type_and_limit_compose,
        limit_zero_gives_none,
    ]
    flush: [
        persists_all_three,
        repeats_store_no_event_twice,
        stores_what_the_provider_says_with_the_run,
        with_an_invalid_event_nothing_is_visible,
        with_an_event_of_another_session_nothing_is_visible,
        with_a_run_of_another_session_nothing_is_visible,
        with_an_invalid_session_nothing_is_visible,
    ]
    polls: [
        what_is_there_comes_at_once,
        blocks_until_an_append,
        blocks_until_a_batch,
        blocks_until_a_flush,
        is_empty_at_the_end_of_its_time,
        waits_for_what_the_filters_ask,
        an_append_elsewhere_does_not_end_it,
        without_a_wait_it_answers_at_once,
        limit_zero_does_not_wait,
        ends_when_the_session_is_deleted,
        all_who_wait_are_told,
    ]
    crowds: [
        fifty_appends_from_fifty_tasks_are_one_to_fifty,
        ten_batches_of_five_are_one_to_fifty,
        the_same_id_from_many_tasks_is_one_event,
        a_batch_of_three_thousand_events,
    ]
}

/// No sequence numbers.
const NONE: [u64; 0] = [];

fn event(session: SessionId) -> Event {
    Event::new(EventType::MessageSent, session)
}

async fn append(sessions: &Sessions, event: &Event) -> Event {
    sessions.append_event_with_sequence(event).await.unwrap()
}

/// The sequence numbers of the events that match.
async fn numbers(sessions: &Sessions, session: SessionId, filter: &EventFilter) -> Vec<u64> {
    numbers_of(&sessions.get_events(session, filter).await.unwrap())
}

async fn all_numbers(sessions: &Sessions, session: SessionId) -> Vec<u64> {
    numbers(sessions, session, &EventFilter::default()).await
}

fn numbers_of(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.sequence_number.unwrap()).collect()
}

fn kind<T: std::fmt::Debug>(result: Result<T, SessionError>) -> SessionErrorKind {
    result.unwrap_err().kind()
}
