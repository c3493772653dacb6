//! Components that look for what is not theirs: settings, state, bytes.

use artifact_s3::MemoryS3;
use artifact_store::{Operation::Head, PolicyGrant};
use insta::assert_snapshot;

use crate::support::{builder, hostile_policy, policy, store, wat};

#[tokio::test]
async fn the_settings_of_others() {
    let s3 = MemoryS3::new();
    let store = builder(&s3)
        .setting("password", "the store's")
        .policy(hostile_policy("").setting("password", "the outer policy's"))
        .policy(hostile_policy("settings"))
        .policy(hostile_policy("").setting("password", "the inner policy's"))
        .start()
        .await
        .unwrap();
    let error = store.head("mine/k").await.unwrap_err();
    assert_snapshot!(error, @r#"
    Ok([("attack", "settings")])
    "#);
}

#[tokio::test]
async fn a_policy_sees_its_own_settings() {
    let told = policy("settings").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: Ok([("attack", "settings")])
    policy-denied, blame: Policy, do not try again
    "#);
}

#[tokio::test]
async fn a_store_component_that_counts_its_calls() {
    let scene = store("").await;
    for _ in 0..3 {
        let error = scene.call(Head, "k").await.unwrap_err();
        assert_eq!(error.to_string(), "call 1");
    }
}

#[tokio::test]
async fn a_policy_that_remembers() {
    let scene = wat("state").await;
    for _ in 0..3 {
        scene.call(Head, "bait").await.unwrap();
    }
}

/// The same component twice in a chain is two instances.
#[tokio::test]
async fn a_policy_that_meets_itself() {
    let s3 = MemoryS3::new();
    let twice = || {
        artifact_store::Policy::from_bytes(crate::support::wat::component("state"))
            .grant(PolicyGrant::all())
    };
    let store = builder(&s3).policy(twice()).policy(twice()).start().await.unwrap();
    store.put("k", "v").await.unwrap();
    assert_eq!(store.head("k").await.unwrap().size, 1);
}
