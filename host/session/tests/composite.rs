//! What the two halves of a composite store are to one another: nothing.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{error::Error as _, sync::Arc, time::Duration};

use artifact_s3::{MemoryS3, MockS3, S3Client, S3Error, S3ErrorKind};
use artifact_session::{
    CompositeStore, Event, EventFilter, EventType, Flush, MemorySessions, Run, RunFilter, RunId,
    Session, SessionError, SessionErrorKind, SessionFilter, SessionId, SessionStore,
};
use artifact_store::{
    ArtifactStore, DeleteOptions, Error, ErrorKind, GetOptions, ListOptions, PutOptions, Store,
};
use async_trait::async_trait;
use futures::future::join_all;

async fn over(client: impl S3Client) -> Arc<ArtifactStore> {
    let builder = ArtifactStore::builder().bucket("test-bucket").prefix("asm/").client(client);
    Arc::new(builder.start().await.unwrap())
}

async fn put(store: &dyn Store, key: &str, bytes: &'static str) -> Result<(), Error> {
    store.put(key, bytes.into(), &PutOptions::default()).await.map(drop)
}

async fn read(store: &dyn Store, key: &str) -> Result<Vec<u8>, Error> {
    Ok(store.get(key, &GetOptions::default()).await?.bytes().await?.to_vec())
}

#[tokio::test]
async fn artifacts_survive_the_deletion_of_a_session() {
    let store = CompositeStore::new(Arc::new(MemorySessions::new()), over(MemoryS3::new()).await);
    let session = Session::new("agent-1");
    let key = format!("snapshot-{}", session.id);
    store.save_session(&session).await.unwrap();
    put(&store, &key, "workspace state").await.unwrap();
    assert_eq!(store.get_session(session.id).await.unwrap(), session);
    assert_eq!(read(&store, &key).await.unwrap(), b"workspace state");

    store.delete_session(session.id).await.unwrap();
    let gone = store.get_session(session.id).await.unwrap_err();
    assert_eq!(gone.kind(), SessionErrorKind::SessionNotFound);
    assert_eq!(read(&store, &key).await.unwrap(), b"workspace state");
}

#[tokio::test]
async fn all_five_calls_of_the_artifact_store_reach_it() {
    let artifacts = over(MemoryS3::new()).await;
    let store = CompositeStore::new(Arc::new(MemorySessions::new()), artifacts.clone());
    put(&store, "a", "diff content").await.unwrap();
    assert_eq!(read(&*artifacts, "a").await.unwrap(), b"diff content");
    assert_eq!(store.head("a", &GetOptions::default()).await.unwrap().size, 12);
    let listing = Store::list(&store, &ListOptions::default()).await.unwrap();
    assert_eq!(listing.objects.into_iter().map(|object| object.key).collect::<Vec<_>>(), ["a"]);

    Store::delete(&store, "a", &DeleteOptions::default()).await.unwrap();
    Store::delete(&store, "a", &DeleteOptions::default()).await.unwrap();
    assert_eq!(read(&store, "a").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_broken_artifact_store_gives_storage_error_and_leaves_the_sessions_working() {
    let broken = || {
        S3Error::new(S3ErrorKind::Service, "the disk is on fire").answered(
            500,
            Some("InternalError".to_owned()),
            Some("R1".to_owned()),
        )
    };
    let mut s3 = MockS3::new();
    s3.expect_put_object().times(1).returning(move |_, _, _, _| Err(broken()));
    s3.expect_get_object().times(1).returning(move |_, _, _| Err(broken()));
    s3.expect_delete_object().times(1).returning(move |_, _, _| Err(broken()));
    let store = CompositeStore::new(Arc::new(MemorySessions::new()), over(s3).await);

    let error = put(&store, "boom", "data").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageError);
    assert_eq!(error.s3().and_then(S3Error::code), Some("InternalError"));
    assert_eq!(read(&store, "boom").await.unwrap_err().kind(), ErrorKind::StorageError);
    let error = Store::delete(&store, "boom", &DeleteOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageError);

    let session = Session::new("still-works");
    store.save_session(&session).await.unwrap();
    assert_eq!(store.get_session(session.id).await.unwrap(), session);
    let event = Event::new(EventType::ErrorOccurred, session.id);
    assert_eq!(store.append_event_with_sequence(&event).await.unwrap().sequence_number, Some(1));
}

#[tokio::test]
async fn a_broken_session_store_leaves_the_artifacts_working() {
    let store = CompositeStore::new(Arc::new(BrokenSessions), over(MemoryS3::new()).await);
    let error = store.save_session(&Session::new("agent-1")).await.unwrap_err();
    assert_eq!(error.kind(), SessionErrorKind::Storage);
    assert!(error.is_retryable());
    assert_eq!(error.source().unwrap().to_string(), "connection refused");

    put(&store, "patch", "diff content").await.unwrap();
    assert_eq!(read(&store, "patch").await.unwrap(), b"diff content");
}

#[tokio::test]
async fn a_long_poll_on_events_holds_up_nothing_else() {
    let store = CompositeStore::new(Arc::new(MemorySessions::new()), over(MemoryS3::new()).await);
    let (polled, other) = (SessionId::random(), Session::new("agent-1"));
    let polls: Vec<_> = (0..100)
        .map(|_| {
            let store = store.clone();
            let minute = EventFilter { wait: Some(Duration::from_mins(1)), ..Default::default() };
            tokio::spawn(async move { store.get_events(polled, &minute).await })
        })
        .collect();
    // All of them wait before the work begins.
    tokio::time::sleep(Duration::from_millis(100)).await;

    let work = async {
        put(&store, "patch", "diff content").await.unwrap();
        assert_eq!(read(&store, "patch").await.unwrap(), b"diff content");
        store.save_session(&other).await.unwrap();
        for number in 1..=10 {
            let event = Event::new(EventType::MessageStreamed, other.id);
            let stored = store.append_event_with_sequence(&event).await.unwrap();
            assert_eq!(stored.sequence_number, Some(number));
        }
        assert_eq!(store.get_events(other.id, &EventFilter::default()).await.unwrap().len(), 10);
        assert_eq!(store.get_latest_sequence(polled).await.unwrap(), 0);
    };
    tokio::time::timeout(Duration::from_secs(20), work).await.unwrap();
    assert!(polls.iter().all(|poll| !poll.is_finished()), "a poll did not wait");

    let event = Event::new(EventType::SessionCompleted, polled);
    store.append_event(&event).await.unwrap();
    let answers = tokio::time::timeout(Duration::from_secs(20), join_all(polls)).await.unwrap();
    for answer in answers {
        let events = answer.unwrap().unwrap();
        assert_eq!(events, [Event { sequence_number: Some(1), ..event.clone() }]);
    }
}

/// A session store whose database is away.
#[derive(Debug)]
struct BrokenSessions;

fn away<T>() -> Result<T, SessionError> {
    let error = SessionError::new(SessionErrorKind::Storage, "the database cannot be reached");
    Err(error.retryable(true).caused_by("connection refused"))
}

#[async_trait]
impl SessionStore for BrokenSessions {
    async fn save_session(&self, _: &Session) -> Result<(), SessionError> {
        away()
    }

    async fn get_session(&self, _: SessionId) -> Result<Session, SessionError> {
        away()
    }

    async fn list_sessions(&self, _: &SessionFilter) -> Result<Vec<Session>, SessionError> {
        away()
    }

    async fn delete_session(&self, _: SessionId) -> Result<(), SessionError> {
        away()
    }

    async fn save_run(&self, _: &Run) -> Result<(), SessionError> {
        away()
    }

    async fn get_run(&self, _: RunId) -> Result<Run, SessionError> {
        away()
    }

    async fn list_runs(&self, _: SessionId, _: &RunFilter) -> Result<Vec<Run>, SessionError> {
        away()
    }

    async fn get_active_run(&self, _: SessionId) -> Result<Option<Run>, SessionError> {
        away()
    }

    async fn append_event(&self, _: &Event) -> Result<(), SessionError> {
        away()
    }

    async fn append_event_with_sequence(&self, _: &Event) -> Result<Event, SessionError> {
        away()
    }

    async fn append_events(&self, _: &[Event]) -> Result<Vec<Event>, SessionError> {
        away()
    }

    async fn flush(&self, _: &Flush) -> Result<(), SessionError> {
        away()
    }

    async fn get_events(&self, _: SessionId, _: &EventFilter) -> Result<Vec<Event>, SessionError> {
        away()
    }

    async fn get_latest_sequence(&self, _: SessionId) -> Result<u64, SessionError> {
        away()
    }
}
