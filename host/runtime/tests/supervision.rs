//! A policy that keeps failing is set aside, and a policy that changed is reloaded.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{path::Path, time::Duration};

use artifact_s3::MemoryS3;
use artifact_store::{
    ArtifactStore, Body, Error, ErrorKind, Limits, OnFailure, Operation, Policy, PolicyGrant,
    PolicyState, PutOptions, StoreBuilder, Supervision, WriteCondition,
};

fn builder(s3: &MemoryS3) -> StoreBuilder {
    ArtifactStore::builder().bucket("bucket").client(s3.clone())
}

/// Loops in `head`, until its fuel is gone.
fn broken() -> Policy {
    Policy::from_bytes(artifact_guests::HOSTILE_POLICY)
        .name("broken")
        .setting("attack", "loop")
        .grant(PolicyGrant::all())
        .limits(Limits { fuel: 1_000_000, ..Limits::default() })
}

fn kind<T>(result: Result<T, Error>) -> ErrorKind {
    result.err().unwrap().kind()
}

#[tokio::test]
async fn three_failures_set_a_policy_aside_and_one_call_tries_it_again() {
    let s3 = MemoryS3::new();
    let pause = Duration::from_millis(300);
    let rules = Supervision { set_aside: pause, ..Supervision::default() };
    let neighbour = builder(&s3).policy(broken().name("neighbour")).start().await.unwrap();
    let store = builder(&s3).policy(broken()).supervision(rules).start().await.unwrap();
    store.put("k", "v").await.unwrap();
    assert!(store.health().is_well());
    for _ in 0..3 {
        let error = store.head("k").await.unwrap_err();
        assert!(error.to_string().contains("limit of fuel"), "{error}");
    }
    let health = &store.health().policies[0];
    assert!(matches!(health.state, PolicyState::SetAside { .. }), "{health:?}");
    assert_eq!(
        (health.name.as_str(), health.calls, health.failures),
        (r#"the policy "broken""#, 4, 3)
    );
    assert!(health.last_failure.as_ref().unwrap().contains("fuel"));

    // Set aside from every call, also from those that it did not fail.
    let error = store.get("k").await.err().unwrap();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::PolicyFailed, true));
    assert!(error.to_string().contains("is set aside, for it failed 3 times within 5s"), "{error}");
    // The other store's policy of the same code is its own.
    assert!(neighbour.health().is_well());
    neighbour.get("k").await.unwrap();

    tokio::time::sleep(pause).await;
    store.get("k").await.unwrap();
    assert!(store.health().is_well());
}

#[tokio::test]
async fn a_refusal_is_no_failure() {
    let s3 = MemoryS3::new();
    let store = builder(&s3).policy(Policy::read_only()).start().await.unwrap();
    for _ in 0..10 {
        assert_eq!(kind(store.put("k", "v").await), ErrorKind::PolicyDenied);
        assert_eq!(kind(store.get("k").await), ErrorKind::NotFound);
    }
    assert!(store.health().is_well());
    assert_eq!(store.health().policies[0].failures, 0);
}

#[tokio::test]
async fn calls_go_on_without_a_policy_that_fails_open() {
    let s3 = MemoryS3::new();
    let store = builder(&s3).policy(broken().on_failure(OnFailure::Open)).start().await.unwrap();
    store.put("k", "v").await.unwrap();
    for _ in 0..5 {
        assert_eq!(store.head("k").await.unwrap().size, 1);
    }
    assert!(!store.health().is_well());
    // Set aside now: bytes that come only once reach the store all the same.
    let once = Body::from_reader(&b"once"[..], None);
    store.put("k", once).await.unwrap();
    let absent = PutOptions { condition: WriteCondition::IfAbsent, ..Default::default() };
    store.put_with("new", "v", &absent).await.unwrap();
    assert_eq!(store.get("k").await.unwrap().bytes().await.unwrap(), "once");
    store.delete("k").await.unwrap();
    assert_eq!(store.list("").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_policy_that_fails_open_names_no_other_key() {
    let s3 = MemoryS3::new();
    let rename = Policy::from_bytes(artifact_guests::HOSTILE_POLICY)
        .setting("attack", "other-key")
        .grant(PolicyGrant::all());
    let store = builder(&s3).policy(rename.clone()).start().await.unwrap();
    store.put("k", "v").await.unwrap();
    assert_eq!(s3.keys("bucket"), ["theirs/k"]);
    let open = rename.on_failure(OnFailure::Open);
    let store = builder(&s3).policy(open).start().await.unwrap();
    let error = store.put("k", "v").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the policy is not granted the key \"theirs/k\": it fails open, and so has only \"k\""
    );
    assert_eq!(error.kind(), ErrorKind::PolicyDenied);
}

#[tokio::test]
async fn what_was_written_is_not_written_again_without_the_policy() {
    let s3 = MemoryS3::new();
    // It stores the body, and then traps.
    let late = Policy::from_bytes(artifact_guests::HOSTILE_POLICY)
        .name("late")
        .setting("attack", "trap-after-put")
        .grant(PolicyGrant::all())
        .on_failure(OnFailure::Open);
    let store = builder(&s3).policy(late).start().await.unwrap();
    let absent = PutOptions { condition: WriteCondition::IfAbsent, ..Default::default() };
    let error = store.put_with("k", "v", &absent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PolicyFailed);
    assert!(error.to_string().contains("trapped"), "{error}");
    assert_eq!(store.get("k").await.unwrap().bytes().await.unwrap(), "v");
}

async fn write(path: &Path, component: &[u8]) {
    tokio::fs::write(path, component).await.unwrap();
}

#[tokio::test]
async fn a_policy_that_changed_is_reloaded_and_no_call_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.wasm");
    write(&path, artifact_guests::HOSTILE_POLICY).await;
    let policy = Policy::from_file(&path).await.unwrap().grant(PolicyGrant::all());
    let s3 = MemoryS3::new();
    let store = builder(&s3).policy(policy).start().await.unwrap();
    assert_eq!(store.reload().await.unwrap(), Vec::<String>::new());
    store.put("k", "v").await.unwrap();

    // A call that is under way while the policy changes: its body waits for us.
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let bytes = futures::stream::once(async { Ok(receiver.await.unwrap()) });
    let (slow, under_way) = (store.clone(), Body::from_stream(bytes, None));
    let put = tokio::spawn(async move { slow.put("slow", under_way).await });
    tokio::time::sleep(Duration::from_millis(50)).await;

    write(&path, artifact_guests::policies::READ_ONLY).await;
    assert_eq!(store.reload().await.unwrap(), ["rules"]);
    assert_eq!(kind(store.put("k", "v").await), ErrorKind::PolicyDenied);
    sender.send("late".into()).unwrap();
    put.await.unwrap().unwrap();
    assert_eq!(store.get("slow").await.unwrap().bytes().await.unwrap(), "late");

    // What is no policy changes nothing.
    write(&path, b"no component").await;
    let error = store.reload().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert!(error.to_string().contains("rules.wasm is no WebAssembly component"), "{error}");
    assert_eq!(kind(store.put("k", "v").await), ErrorKind::PolicyDenied);
    assert!(store.reload().await.is_err(), "it is still not what the file says");
}

#[tokio::test]
async fn a_bundled_policys_other_grants_stay_when_one_changes() {
    let s3 = MemoryS3::new();
    let tenant = Policy::tenant("acme");
    let grant = tenant.granted().clone().next_calls(1);
    let store = builder(&s3).policy(tenant.grant(grant)).start().await.unwrap();
    store.put("k", "v").await.unwrap();
    assert_eq!(s3.keys("bucket"), ["acme/k"]);
    let escaped = Policy::tenant("acme").setting("tenant", "other");
    let store = builder(&s3).policy(escaped).start().await.unwrap();
    let error = store.put("k", "v").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the policy \"tenant\" is not granted the key \"k\": it has keys that begin with \
         \"acme/\""
    );
}

#[tokio::test]
async fn a_body_can_be_stored_twice_where_its_bytes_can_be_read_twice() {
    let s3 = MemoryS3::new();
    let twice = Policy::from_bytes(artifact_guests::HOSTILE_POLICY)
        .setting("attack", "put-twice")
        .grant(PolicyGrant::none().operations([Operation::Put]));
    let store = builder(&s3).policy(twice).start().await.unwrap();
    store.put("k", "v").await.unwrap();
    assert_eq!(s3.keys("bucket"), ["copy-of-k", "k"]);
    // A pipe comes once: the policy is told, and here refuses.
    let piped = Body::from_reader(&b"v"[..], None);
    let error = store.put("k", piped).await.unwrap_err();
    assert_eq!(error.to_string(), "these bytes come only once");
}
