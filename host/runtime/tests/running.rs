//! A running store: names, concurrency, deadlines, clients that misbehave.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use artifact_s3::{
    Body, Bucket, DeleteOptions, GetOptions, ListOptions, Listing, MemoryS3, Object, ObjectInfo,
    ObjectKey, PutOptions, S3Client, S3Error, WriteCondition,
};
use artifact_store::{ArtifactStore, Blame, ErrorKind, Limits, Policy, Sandbox, StoreBuilder};
use async_trait::async_trait;

/// Does to each call what its key says, and counts the calls under way.
#[derive(Clone, Debug)]
struct Moody {
    inner: MemoryS3,
    under_way: Arc<AtomicUsize>,
}

impl Moody {
    fn new() -> Self {
        Self { inner: MemoryS3::new(), under_way: Arc::default() }
    }

    async fn act(&self, key: &ObjectKey) {
        struct Leave(Arc<AtomicUsize>);
        impl Drop for Leave {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let _leave = Leave(Arc::clone(&self.under_way));
        if key.as_str().contains("slow") {
            tokio::time::sleep(Duration::from_hours(1)).await;
        }
        assert!(!key.as_str().contains("panic"), "a bug in the client");
    }
}

#[async_trait]
impl S3Client for Moody {
    async fn put_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.act(key).await;
        self.inner.put_object(bucket, key, body, options).await
    }

    async fn get_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<Object, S3Error> {
        self.act(key).await;
        self.inner.get_object(bucket, key, options).await
    }

    async fn head_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.inner.head_object(bucket, key, options).await
    }

    async fn delete_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<(), S3Error> {
        self.inner.delete_object(bucket, key, options).await
    }

    async fn copy_object(
        &self,
        bucket: &Bucket,
        source: &ObjectKey,
        key: &ObjectKey,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.inner.copy_object(bucket, source, key, options).await
    }

    async fn list_objects(
        &self,
        bucket: &Bucket,
        options: &ListOptions,
    ) -> Result<Listing, S3Error> {
        self.inner.list_objects(bucket, options).await
    }
}

fn builder() -> StoreBuilder {
    ArtifactStore::builder().bucket("bucket").client(MemoryS3::new())
}

#[tokio::test]
async fn a_store_without_a_bucket_does_not_start() {
    let error = ArtifactStore::builder().client(MemoryS3::new()).start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert_eq!(error.to_string(), "a store needs a bucket: call `bucket` on the builder");
}

#[tokio::test]
async fn a_bucket_or_prefix_that_cannot_be_is_refused_at_the_start() {
    for (bucket, prefix) in [("../other", ""), ("", ""), ("bucket", "a/../"), ("bucket", "a\0/")] {
        let builder = ArtifactStore::builder().bucket(bucket).prefix(prefix);
        let error = builder.client(MemoryS3::new()).start().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{bucket:?} {prefix:?}");
        assert_eq!(error.blame(), Blame::Caller);
    }
}

#[tokio::test]
async fn a_running_store_is_found_by_its_name() {
    let store = builder().name("found").start().await.unwrap();
    store.put("k", "v").await.unwrap();
    let same = ArtifactStore::named("found").unwrap();
    assert_eq!(same.get("k").await.unwrap().bytes().await.unwrap(), "v");
    assert!(ArtifactStore::named("other").is_none());
}

#[tokio::test]
async fn a_name_in_use_is_an_error_and_the_store_that_has_it_keeps_it() {
    let first = builder().name("taken").start().await.unwrap();
    first.put("k", "v").await.unwrap();
    let error = builder().name("taken").start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NameInUse);
    assert!(ArtifactStore::named("taken").unwrap().head("k").await.is_ok());
}

#[tokio::test]
async fn dropping_the_last_handle_frees_the_name() {
    let store = builder().name("dropped").start().await.unwrap();
    let clone = store.clone();
    drop(store);
    assert!(ArtifactStore::named("dropped").is_some());
    drop(clone);
    assert!(ArtifactStore::named("dropped").is_none());
    builder().name("dropped").start().await.unwrap();
}

#[tokio::test]
async fn a_stopped_store_frees_its_name_and_takes_no_calls() {
    let store = builder().name("stopped").start().await.unwrap();
    let clone = store.clone();
    store.stop();
    let next = builder().name("stopped").start().await.unwrap();
    assert_eq!(clone.get("k").await.unwrap_err().kind(), ErrorKind::Stopped);
    drop(clone);
    // The old store's end does not take the name from the new one.
    assert!(ArtifactStore::named("stopped").is_some());
    drop(next);
}

#[tokio::test]
async fn a_hundred_slow_puts_hold_up_no_get() {
    let client = Moody::new();
    let under_way = Arc::clone(&client.under_way);
    let store = ArtifactStore::builder().bucket("bucket").client(client).start().await.unwrap();
    store.put("fast", "v").await.unwrap();
    let puts: Vec<_> = (0..100)
        .map(|i| {
            let store = store.clone();
            tokio::spawn(async move { store.put(&format!("slow-{i}"), "v").await })
        })
        .collect();
    while under_way.load(Ordering::SeqCst) < 100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.get("fast").await.unwrap().bytes().await.unwrap(), "v");

    // A call whose future is dropped ends, down to the client.
    for put in puts {
        put.abort();
        assert!(put.await.unwrap_err().is_cancelled());
    }
    assert_eq!(under_way.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_client_that_panics_fails_one_call() {
    let store =
        ArtifactStore::builder().bucket("bucket").client(Moody::new()).start().await.unwrap();
    let error = store.put("panic", "v").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageError);
    assert_eq!(error.s3().unwrap().message(), "the S3 client panicked: a bug in the client");
    store.put("k", "v").await.unwrap();
}

#[tokio::test]
async fn a_missed_deadline_is_a_timeout_of_the_storage() {
    let store = ArtifactStore::builder()
        .bucket("bucket")
        .client(Moody::new())
        .deadline(Duration::from_millis(100))
        .start()
        .await
        .unwrap();
    let error = store.put("slow", "v").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.blame(), Blame::Storage);
    assert!(error.is_retryable());
    assert_eq!(error.to_string(), "the storage did not answer within 100ms");
    assert_eq!(error.key(), Some("slow"));
    let new = PutOptions { condition: WriteCondition::IfAbsent, ..PutOptions::default() };
    let error = store.put_with("slow", "v", &new).await.unwrap_err();
    assert!(!error.is_retryable(), "it may have happened, and would then meet itself");
    store.put("k", "v").await.unwrap();
}

#[tokio::test]
async fn the_wall_time_of_a_policy_counts_what_it_waits_for() {
    let policy = Policy::tenant("acme");
    let grant = policy.granted().clone().wall_time(Duration::from_millis(100));
    let store = ArtifactStore::builder()
        .bucket("bucket")
        .client(Moody::new())
        .policy(Policy::tenant("outer"))
        .policy(policy.name("inner").grant(grant.keys_under("")))
        .start()
        .await
        .unwrap();
    let error = store.put("slow", "v").await.unwrap_err();
    assert_eq!((error.kind(), error.blame()), (ErrorKind::Timeout, Blame::Storage));
    let limit = "the policy \"inner\" went over its limit of wall time: allowed 100ms";
    assert!(error.to_string().contains(limit), "{error}");
    store.put("k", "v").await.unwrap();
}

#[tokio::test]
async fn a_listing_of_a_thousand_of_the_longest_keys_fits_the_limits() {
    let store = builder().prefix("p/").start().await.unwrap();
    for i in 0..1000 {
        store.put(&format!("{i:04}{}", "x".repeat(1018)), "v").await.unwrap();
    }
    let objects = store.list("").await.unwrap();
    assert_eq!(objects.len(), 1000);
    assert!(objects.iter().all(|object| object.key.len() == 1022));
}

#[tokio::test]
async fn list_gathers_all_pages() {
    let store = builder().start().await.unwrap();
    for i in 0..1500 {
        store.put(&format!("{i:04}"), "").await.unwrap();
    }
    let keys: Vec<_> = store.list("").await.unwrap().into_iter().map(|o| o.key).collect();
    assert_eq!(keys, (0..1500).map(|i| format!("{i:04}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn two_stores_share_nothing_but_their_client() {
    let s3 = MemoryS3::new();
    let store = |prefix: &str| {
        ArtifactStore::builder().bucket("bucket").prefix(prefix).client(s3.clone()).start()
    };
    let (a, b) = (store("a/").await.unwrap(), store("b/").await.unwrap());
    a.put("k", "of a").await.unwrap();
    assert_eq!(b.get("k").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(b.list("").await.unwrap().is_empty());
}

#[tokio::test]
async fn without_room_for_a_pool_instances_are_made_one_by_one() {
    // More address space than any machine has.
    let limits = Limits { concurrent_calls: 50_000_000, ..Limits::default() };
    let store = builder().sandbox(Sandbox::new(limits).unwrap()).start().await.unwrap();
    store.put("k", "v").await.unwrap();
    assert_eq!(store.get("k").await.unwrap().bytes().await.unwrap(), "v");
}

#[tokio::test]
async fn calls_beyond_the_room_wait_their_turn() {
    let limits = Limits { concurrent_calls: 2, ..Limits::default() };
    let store = builder().sandbox(Sandbox::new(limits).unwrap()).start().await.unwrap();
    let puts = (0..50).map(|i| {
        let store = store.clone();
        async move { store.put(&format!("k{i}"), "v").await }
    });
    futures::future::try_join_all(puts).await.unwrap();
    assert_eq!(store.list("").await.unwrap().len(), 50);
}

#[tokio::test]
async fn a_listing_that_does_not_advance_is_an_error_and_no_endless_loop() {
    let mut s3 = artifact_s3::MockS3::new();
    s3.expect_list_objects().returning(|_, _| {
        Ok(Listing { continuation: Some("here".to_owned()), ..Default::default() })
    });
    let store = ArtifactStore::builder().bucket("bucket").client(s3).start().await.unwrap();
    let error = store.list("").await.unwrap_err();
    assert_eq!(error.to_string(), "the listing goes on where it was, and would never end");
}

#[tokio::test]
async fn a_deadline_missed_for_want_of_room_is_the_hosts() {
    let client = Moody::new();
    let under_way = Arc::clone(&client.under_way);
    let sandbox = Sandbox::new(Limits { concurrent_calls: 1, ..Limits::default() }).unwrap();
    let builder = || builder().client(client.clone()).sandbox(sandbox.clone());
    let hurried = builder().deadline(Duration::from_millis(100)).start().await.unwrap();
    let patient = builder().start().await.unwrap();
    let slow = tokio::spawn(async move { patient.put("slow", "v").await });
    while under_way.load(Ordering::SeqCst) < 1 {
        tokio::task::yield_now().await;
    }
    let error = hurried.get("k").await.unwrap_err();
    assert_eq!((error.kind(), error.blame()), (ErrorKind::Timeout, Blame::Host));
    assert_eq!(error.to_string(), "the sandbox had no room for the call within 100ms");
    slow.abort();
}
