//! No call outlives the wall time that its policy is granted by more than a tenth, and
//! none keeps the thread from other tasks for as long as anybody would notice.
//!
//! In a file of their own, one at a time: they measure.

#![expect(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code, reason = "each file of tests uses a part of it")]
mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use artifact_s3::{Body, Bucket, MemoryS3, ObjectKey, PutOptions, S3Client};
use artifact_store::{
    ArtifactStore, Limits, OnFailure,
    Operation::{self, Get, Head, Put},
    Policy, PolicyGrant, Sandbox, StoreComponent,
};
use insta::assert_snapshot;
use support::{Late, builder, call, hostile_policy, told, wat_policy};
use tokio::sync::Mutex;

/// What a machine with other things to do takes to wake a task that is ready. It is no
/// part of what is promised, and does not grow with the grant.
const SLACK: Duration = Duration::from_millis(250);

static ALONE: Mutex<()> = Mutex::const_new(());

/// Fuel for days.
fn tireless() -> Limits {
    Limits { fuel: 1 << 50, concurrent_calls: 8, ..Limits::default() }
}

/// Every operation, as many calls of the next store as it likes, and this much time.
fn grant(seconds: u64) -> PolicyGrant {
    let grant = PolicyGrant::all().next_calls(1_000_000).log(1).digest(true);
    grant.wall_time(Duration::from_secs(seconds))
}

fn wat(attack: &str) -> Policy {
    wat_policy(attack).grant(grant(1))
}

/// Holds the artifact that is asked for.
async fn memory() -> MemoryS3 {
    let s3 = MemoryS3::with_buckets(["bucket"]).unwrap();
    let (bucket, key) = (Bucket::parse("bucket").unwrap(), ObjectKey::parse("mine/k").unwrap());
    s3.put_object(&bucket, &key, Body::from("data"), &PutOptions::default()).await.unwrap();
    s3
}

async fn started(client: impl S3Client, policy: Policy) -> ArtifactStore {
    builder(&MemoryS3::new())
        .client(client)
        .sandbox(Sandbox::new(tireless()).unwrap())
        .policy(policy)
        .start()
        .await
        .unwrap()
}

/// What the user is told of a call that takes all of its seconds, with one thread for
/// everything. The time that it took, and the longest for which nobody else had the
/// thread, are what they should be.
async fn timed(
    seconds: u64,
    policy: Policy,
    client: impl S3Client,
    operation: Operation,
) -> String {
    let _alone = ALONE.lock().await;
    let store = started(client, policy).await;
    let longest = Arc::new(AtomicU64::new(0));
    let gaps = Arc::clone(&longest);
    let beat = tokio::spawn(async move {
        loop {
            let begin = Instant::now();
            tokio::time::sleep(Duration::from_millis(5)).await;
            let gap = u64::try_from(begin.elapsed().as_millis()).unwrap();
            gaps.fetch_max(gap, Ordering::Relaxed);
        }
    });
    tokio::task::yield_now().await;
    let begin = Instant::now();
    let error = call(&store, operation, "mine/k").await.unwrap_err();
    let took = begin.elapsed();
    beat.abort();
    let allowed = Duration::from_secs(seconds);
    assert!(took >= allowed, "{took:?} of {allowed:?}");
    assert!(took <= allowed + allowed / 10 + SLACK, "{took:?} of {allowed:?}");
    let longest = Duration::from_millis(longest.load(Ordering::Relaxed));
    assert!(longest <= SLACK, "nobody else had the thread for {longest:?}");
    told(&error)
}

#[tokio::test]
async fn a_loop() {
    let told = timed(1, hostile_policy("loop-in-head").grant(grant(1)), memory().await, Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of wall time: allowed 1s, asked for more
    timeout, blame: Policy, try again
    "#);
}

#[tokio::test]
async fn a_loop_that_has_two_seconds() {
    let told = timed(2, hostile_policy("loop-in-head").grant(grant(2)), memory().await, Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of wall time: allowed 2s, asked for more
    timeout, blame: Policy, try again
    "#);
}

#[tokio::test]
async fn instructions_that_move_megabytes() {
    let told = timed(1, wat("loop-of-fills"), memory().await, Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of wall time: allowed 1s, asked for more
    timeout, blame: Policy, try again
    "#);
}

#[tokio::test]
async fn calls_of_the_host() {
    let told = timed(1, wat("loop-of-host-calls"), memory().await, Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" went over its limit of wall time: allowed 1s, asked for more
    timeout, blame: Policy, try again
    "#);
}

#[tokio::test]
async fn megabytes_that_the_host_copies() {
    let told = timed(1, wat("loop-of-large-arguments"), memory().await, Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of wall time: allowed 1s, asked for more
    timeout, blame: Policy, try again
    "#);
}

#[tokio::test]
async fn megabytes_that_the_host_does_not_log() {
    let told = timed(1, wat("log-of-megabytes"), memory().await, Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of wall time: allowed 1s, asked for more
    timeout, blame: Policy, try again
    "#);
}

#[tokio::test]
async fn a_loop_in_realloc() {
    let told = timed(1, wat("loop-in-realloc"), memory().await, Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of wall time: allowed 1s, asked for more
    timeout, blame: Policy, try again
    "#);
}

#[tokio::test]
async fn a_loop_in_post_return() {
    let told = timed(1, wat("loop-in-post-return"), memory().await, Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of wall time: allowed 1s, asked for more
    timeout, blame: Policy, try again
    "#);
}

#[tokio::test]
async fn a_loop_in_a_destructor() {
    let told = timed(1, wat("loop-in-destructor"), memory().await, Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of wall time: allowed 1s, asked for more
    timeout, blame: Policy, try again
    "#);
}

#[tokio::test]
async fn a_handle_that_is_held() {
    let told = timed(1, wat("handle-kept"), memory().await, Get).await;
    assert_snapshot!(told, @r#"
    get mine/k: the policy "tenant" went over its limit of wall time: allowed 1s, asked for more
    timeout, blame: Policy, try again
    "#);
}

#[tokio::test]
async fn a_drip_of_quick_calls() {
    let told = timed(1, wat("drip"), memory().await, Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of wall time: allowed 1s, asked for more
    timeout, blame: Policy, try again
    "#);
}

#[tokio::test]
async fn a_drip_of_slow_calls() {
    let told = timed(1, wat("drip"), Late(Duration::from_millis(50)), Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of wall time: allowed 1s, asked for more
    timeout, blame: Storage, try again
    "#);
}

#[tokio::test]
async fn a_storage_that_hangs() {
    let told =
        timed(1, hostile_policy("").grant(grant(1)), Late(Duration::from_hours(1)), Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of wall time: allowed 1s, asked for more
    timeout, blame: Storage, try again
    "#);
}

/// It is given up in time, and the call goes on without it.
#[tokio::test]
async fn a_loop_that_fails_open() {
    let _alone = ALONE.lock().await;
    let policy = hostile_policy("loop-in-head").grant(grant(1)).on_failure(OnFailure::Open);
    let store = started(memory().await, policy).await;
    let begin = Instant::now();
    assert_eq!(store.head("mine/k").await.unwrap().size, 4);
    let (took, allowed) = (begin.elapsed(), Duration::from_secs(1));
    assert!(took >= allowed && took <= allowed + allowed / 10 + SLACK, "{took:?}");
}

/// Without a grant of wall time, its fuel bounds what the host does for it.
#[tokio::test]
async fn megabytes_that_the_host_copies_until_the_fuel_is_gone() {
    let _alone = ALONE.lock().await;
    let limits = Limits { fuel: 100_000_000, ..Limits::default() };
    let policy = wat_policy("loop-of-large-arguments").limits(limits);
    let store = started(memory().await, policy).await;
    let begin = Instant::now();
    let error = store.head("mine/k").await.unwrap_err();
    assert_snapshot!(told(&error), @r#"
    head mine/k: the policy "tenant" went over its limit of fuel: allowed 100000000, asked for more
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: all fuel consumed by WebAssembly
    "#);
    // Half a second of a thread, and whatever others take of it.
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn the_deadline_of_the_store() {
    let _alone = ALONE.lock().await;
    let store = builder(&MemoryS3::new())
        .sandbox(Sandbox::new(tireless()).unwrap())
        .component(StoreComponent::from_bytes(artifact_guests::HOSTILE))
        .setting("attack", "loop")
        .deadline(Duration::from_secs(1))
        .start()
        .await
        .unwrap();
    let begin = Instant::now();
    let error = store.head("k").await.unwrap_err();
    let (took, allowed) = (begin.elapsed(), Duration::from_secs(1));
    assert!(took >= allowed && took <= allowed + allowed / 10 + SLACK, "{took:?}");
    assert_snapshot!(told(&error), @r"
    head k: the component did not answer within 1s
    timeout, blame: Policy, try again
    ");
}
