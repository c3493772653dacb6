//! Policies that fail open, and try to make something of it.

use artifact_store::{
    OnFailure,
    Operation::{Get, Head, Put},
    PolicyGrant,
};
use insta::assert_snapshot;

use crate::support::{Scene, behind, grant, hostile_policy, told, wat_policy};

/// Fails open; everything is granted but keys of others.
async fn open(attack: &str) -> Scene {
    let policy = hostile_policy(attack).grant(PolicyGrant::all()).on_failure(OnFailure::Open);
    behind(policy).await.unwrap()
}

#[tokio::test]
async fn a_loop_costs_no_call() {
    let scene = open("loop-in-head").await;
    scene.call(Head, "bait").await.unwrap();
    assert_eq!(scene.store.health().policies[0].failures, 1);
    scene.serves_on(Head).await;
}

#[tokio::test]
async fn a_put_under_another_key() {
    let told = open("other-key").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" is not granted the key "theirs/k": it fails open, and so has only "mine/k"
    policy-denied, blame: Policy, do not try again
    "#);
}

#[tokio::test]
async fn another_artifact_than_the_one_that_was_asked_for() {
    let told = open("other-object").await.told(Get).await;
    assert_snapshot!(told, @r#"
    get mine/k: the policy "tenant" is not granted the key "mine/other": it fails open, and so has only "mine/k"
    policy-denied, blame: Policy, do not try again
    "#);
}

/// The write may have happened, so it is not made once more.
#[tokio::test]
async fn a_trap_after_the_put() {
    let told = open("trap-after-put").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: wasm `unreachable` instruction executed
    "#);
}

/// What is refused stays refused: a policy cannot make itself fail to get past its own
/// grant, since without it the call is the caller's.
#[tokio::test]
async fn a_trap_after_a_refusal() {
    let policy = wat_policy("trap-after-refusal").grant(grant()).on_failure(OnFailure::Open);
    let scene = behind(policy).await.unwrap();
    let error = scene.store.head("mine/k").await.unwrap_err();
    assert_snapshot!(told(&error), @r#"
    head mine/k: artifact not found: mine/k
    not-found, blame: Caller, do not try again
    cause: HeadObject of "bucket/mine/k": no such key: The specified key does not exist. (HTTP 404, request id MEMORY0000000001)
    "#);
    scene.serves_on(Head).await;
}
