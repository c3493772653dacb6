//! Policies in front of a store, from somebody who need not be trusted: what passes.
//! What comes of those that attack is in `tests/hostile`.

use artifact_s3::{MemoryS3, MockS3, S3Error, S3ErrorKind};
use artifact_store::{ArtifactStore, Blame, Error, ErrorKind, Operation, Policy, PolicyGrant};

fn policy(attack: &str) -> Policy {
    let grant = PolicyGrant::none()
        .operations([Operation::Put, Operation::Get, Operation::Head, Operation::List])
        .keys_under("mine/");
    Policy::from_bytes(artifact_guests::HOSTILE_POLICY)
        .name("tenant")
        .setting("attack", attack)
        .grant(grant)
}

/// Refused by the host, as not granted; the policy is to blame.
fn assert_not_granted(error: &Error, what: &str) {
    let message = error.to_string();
    assert!(message.starts_with("the policy \""), "{message}");
    assert!(message.ends_with(&format!("\" is not granted {what}")), "{message}");
    assert_eq!((error.kind(), error.blame()), (ErrorKind::PolicyDenied, Blame::Policy));
}

#[tokio::test]
async fn every_call_passes_through_a_policy_that_passes_on() {
    let builder = ArtifactStore::builder().bucket("bucket").prefix("p/").client(MemoryS3::new());
    let store = builder.policy(policy("")).start().await.unwrap();
    store.put("mine/other", "v").await.unwrap();
    store.put("mine/k", "v").await.unwrap();
    assert_eq!(store.get("mine/k").await.unwrap().bytes().await.unwrap(), "v");
    assert_eq!(store.head("mine/k").await.unwrap().size, 1);
    assert_eq!(store.list("mine/").await.unwrap().len(), 2);
    assert_eq!(store.get("mine/nope").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_chain_of_eight_policies_is_called_in_order() {
    let s3 = MemoryS3::new();
    let mut builder = ArtifactStore::builder().bucket("bucket").client(s3.clone());
    for i in 0..8 {
        builder = builder.policy(policy("").name(format!("p{i}")).grant(PolicyGrant::all()));
    }
    let store = builder.start().await.unwrap();
    store.put("k", "v").await.unwrap();
    assert_eq!(store.get("k").await.unwrap().bytes().await.unwrap(), "v");
    assert_eq!(s3.keys("bucket"), ["k"]);
}

#[tokio::test]
async fn a_policy_without_a_grant_can_only_refuse() {
    let policy = Policy::from_bytes(artifact_guests::HOSTILE_POLICY).name("bare");
    let builder = ArtifactStore::builder().bucket("bucket").client(MockS3::new());
    let store = builder.policy(policy).start().await.unwrap();
    assert_not_granted(&store.put("k", "v").await.unwrap_err(), "the operation `put`: it has none");
    assert_not_granted(&store.get("k").await.unwrap_err(), "the operation `get`: it has none");
    assert_not_granted(&store.head("k").await.unwrap_err(), "the operation `head`: it has none");
    assert_not_granted(
        &store.delete("k").await.unwrap_err(),
        "the operation `delete`: it has none",
    );
    assert_not_granted(&store.list("").await.unwrap_err(), "the operation `list`: it has none");
}

#[tokio::test]
async fn a_policy_has_limits_of_its_own() {
    use artifact_store::Limits;
    let frugal = policy("loop").limits(Limits { fuel: 1_000_000, ..Limits::default() });
    let builder = ArtifactStore::builder().bucket("bucket").client(MemoryS3::new());
    let store = builder.policy(frugal).start().await.unwrap();
    assert_eq!(
        store.head("mine/k").await.unwrap_err().to_string(),
        "the policy \"tenant\" went over its limit of fuel: allowed 1000000, asked for more"
    );
    // The store component behind it has its own, and enough.
    store.put("mine/k", "v").await.unwrap();
}

#[tokio::test]
async fn a_cause_is_not_lost_on_the_way() {
    let throttled = || {
        let mut s3 = MockS3::new();
        s3.expect_head_object().times(1).returning(|_, _, _| {
            Err(S3Error::new(S3ErrorKind::Throttled, "slow down")
                .answered(503, Some("SlowDown".to_owned()), Some("R1".to_owned()))
                .caused_by("inner"))
        });
        s3
    };
    for attack in ["", "other-words"] {
        let builder = ArtifactStore::builder().bucket("bucket").client(throttled());
        let store = builder.policy(policy(attack)).start().await.unwrap();
        let error = store.head("mine/k").await.unwrap_err();
        assert_eq!((error.kind(), error.blame()), (ErrorKind::Unavailable, Blame::Storage));
        assert!(error.is_retryable());
        assert_eq!(error.to_string() == "in other words", attack == "other-words", "{error}");
        let s3 = error.s3().unwrap();
        assert_eq!(s3.request_id(), Some("R1"));
        assert!(std::error::Error::source(s3).is_some());
    }
}

#[tokio::test]
async fn a_store_component_is_no_policy() {
    let builder = ArtifactStore::builder().bucket("bucket").client(MemoryS3::new());
    let policy = Policy::from_bytes(artifact_guests::STORE);
    let error = builder.policy(policy).start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert!(
        error.to_string().starts_with(
            "the policy imports `agent:artifacts/s3@0.2.0`, which the world `policy` does not grant"
        ),
        "{error}"
    );
}

#[tokio::test]
async fn many_calls_through_a_chain_never_wait_for_one_another() {
    use artifact_store::{Limits, Sandbox};
    let sandbox = Sandbox::new(Limits { concurrent_calls: 4, ..Limits::default() }).unwrap();
    let mut builder = ArtifactStore::builder().bucket("bucket").client(MemoryS3::new());
    for _ in 0..2 {
        builder = builder.policy(policy("").grant(PolicyGrant::all()));
    }
    let store = builder.sandbox(sandbox.clone()).start().await.unwrap();
    let puts = (0..100).map(|i| {
        let store = store.clone();
        async move { store.put(&format!("k{i}"), "v").await }
    });
    futures::future::try_join_all(puts).await.unwrap();

    // A chain longer than the room is refused, and does not wait for ever.
    let mut builder = ArtifactStore::builder().bucket("bucket").client(MemoryS3::new());
    for _ in 0..4 {
        builder = builder.policy(policy(""));
    }
    let error = builder.sandbox(sandbox).start().await.unwrap_err();
    assert_eq!(error.to_string(), "one call takes 5 instances, and the sandbox has room for 4");
}
