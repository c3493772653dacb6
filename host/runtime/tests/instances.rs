//! Instances that are called again, and those that never are.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{sync::Arc, time::Duration};

use artifact_s3::{MemoryS3, S3Client};
use artifact_store::{
    ArtifactStore, ErrorKind, Instances, Limits, Policy, PolicyGrant, Sandbox, StoreBuilder,
    StoreComponent,
};

/// A store component that says how often the instance was called.
fn counting(instances: Instances) -> StoreBuilder {
    let component = StoreComponent::from_bytes(artifact_guests::HOSTILE).instances(instances);
    ArtifactStore::builder().bucket("bucket").prefix("mine/").component(component)
}

async fn count(store: &ArtifactStore) -> String {
    store.head("k").await.unwrap_err().to_string()
}

#[tokio::test]
async fn others_have_a_fresh_instance_for_each_call_unless_they_are_said_to_be_reused() {
    let fresh = counting(Instances::default()).client(MemoryS3::new()).start().await.unwrap();
    assert_eq!([count(&fresh).await, count(&fresh).await], ["call 1", "call 1"]);
    let reused = counting(Instances::Reused).client(MemoryS3::new()).start().await.unwrap();
    assert_eq!([count(&reused).await, count(&reused).await], ["call 1", "call 2"]);
    // Not those of another store.
    let other = counting(Instances::Reused).client(MemoryS3::new()).start().await.unwrap();
    assert_eq!(count(&other).await, "call 1");
}

#[tokio::test]
async fn an_instance_that_trapped_is_not_called_again() {
    let hoard = counting(Instances::Reused).setting("attack", "hoard").client(MemoryS3::new());
    let store = hoard.start().await.unwrap();
    store.put("bait", "v").await.unwrap();
    assert_eq!([count(&store).await, count(&store).await], ["call 1", "call 2"]);
    assert_eq!(store.get("k").await.unwrap_err().kind(), ErrorKind::PolicyFailed);
    assert_eq!(count(&store).await, "call 1");
}

#[tokio::test]
async fn an_instance_whose_call_was_dropped_is_not_called_again() {
    let slow = MemoryS3::new();
    let store = counting(Instances::Reused).client(slow).start().await.unwrap();
    assert_eq!([count(&store).await, count(&store).await], ["call 1", "call 2"]);
    // A body that never comes: the instance waits for it.
    let never = artifact_store::Body::from_stream(futures::stream::pending(), None);
    let put = store.put("k", never);
    assert!(tokio::time::timeout(Duration::from_millis(50), put).await.is_err());
    assert_eq!(count(&store).await, "call 1");
}

#[tokio::test]
async fn stores_that_share_instances_share_nothing_else() {
    let sandbox = Sandbox::new(Limits { concurrent_calls: 4, ..Limits::default() }).unwrap();
    let start = async |prefix: &str, client: Arc<MemoryS3>| {
        let client: Arc<dyn S3Client> = client;
        let builder = ArtifactStore::builder().bucket("bucket").prefix(prefix);
        builder.sandbox(sandbox.clone()).shared_client(client).start().await.unwrap()
    };
    let clients = [Arc::new(MemoryS3::new()), Arc::new(MemoryS3::new())];
    let one = start("one/", Arc::clone(&clients[0])).await;
    let two = start("two/", Arc::clone(&clients[1])).await;
    for at in 0..10 {
        one.put(&format!("{at}"), "1").await.unwrap();
        two.put(&format!("{at}"), "2").await.unwrap();
    }
    assert_eq!(one.list("").await.unwrap().len(), 10);
    assert_eq!(two.get("3").await.unwrap().bytes().await.unwrap(), "2");
    assert!(clients[0].keys("bucket").iter().all(|key| key.starts_with("one/")));
    assert!(clients[1].keys("bucket").iter().all(|key| key.starts_with("two/")));
    // Instances that wait for a call hold on to no store.
    drop((one, two));
    assert_eq!(clients.map(|client| Arc::strong_count(&client)), [1, 1]);
}

#[tokio::test]
async fn more_calls_than_may_wait_and_a_chain_of_reused_policies() {
    let sandbox = Sandbox::new(Limits { concurrent_calls: 8, ..Limits::default() }).unwrap();
    let policy = || {
        Policy::from_bytes(artifact_guests::HOSTILE_POLICY)
            .grant(PolicyGrant::all())
            .instances(Instances::Reused)
    };
    let builder = ArtifactStore::builder().bucket("bucket").client(MemoryS3::new());
    let builder = builder.policy(policy()).policy(policy()).policy(policy()).sandbox(sandbox);
    let store = builder.start().await.unwrap();
    for _ in 0..3 {
        let puts = (0..50).map(|at| {
            let store = store.clone();
            tokio::spawn(async move { store.put(&format!("{at}"), "v").await })
        });
        for put in puts.collect::<Vec<_>>() {
            put.await.unwrap().unwrap();
        }
    }
    assert_eq!(store.list("").await.unwrap().len(), 50);
}

#[tokio::test]
async fn one_component_leaves_others_room_for_instances_that_wait() {
    // Two may wait, in all.
    let sandbox = Sandbox::new(Limits { concurrent_calls: 16, ..Limits::default() }).unwrap();
    let start = || {
        let builder = counting(Instances::Reused).sandbox(sandbox.clone());
        builder.client(MemoryS3::new()).start()
    };
    let (busy, other) = (start().await.unwrap(), start().await.unwrap());
    let both = Arc::new(tokio::sync::Barrier::new(2));
    let puts = ["a", "b"].map(|key| {
        let (busy, both) = (busy.clone(), Arc::clone(&both));
        let bytes = futures::stream::once(async move {
            both.wait().await;
            Ok(bytes::Bytes::from_static(b"v"))
        });
        let body = artifact_store::Body::from_stream(bytes, Some(1));
        async move { busy.put(key, body).await }
    });
    futures::future::try_join_all(puts).await.unwrap();
    assert_eq!([count(&other).await, count(&other).await], ["call 1", "call 2"]);
}
