//! Components that claim what did not happen.

use artifact_s3::{Body, Bucket, ObjectKey, PutOptions, S3Client};
use artifact_store::Operation::{Head, Put};
use insta::assert_snapshot;

use crate::support::{behind, grant, hostile_policy, policy, store, wat};

#[tokio::test]
async fn no_receipt_and_nothing_stored() {
    let told = wat("receipt-none").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: unknown handle index 0
    "#);
}

#[tokio::test]
async fn the_receipt_of_a_call_before() {
    let told = wat("receipt-of-another-call").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: unknown handle index 2
    "#);
}

#[tokio::test]
async fn a_receipt_that_was_dropped() {
    let told = wat("receipt-dropped").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: unknown handle index 1
    "#);
}

#[tokio::test]
async fn the_receipt_of_another_body() {
    let told = policy("another-body").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" gave a receipt that belongs to another body
    policy-failed, blame: Policy, do not try again
    "#);
}

#[tokio::test]
async fn the_receipt_of_another_body_from_a_store_component() {
    let told = store("another-body").await.told(Put).await;
    assert_snapshot!(told, @r"
    put k: the component gave a receipt that belongs to another body
    policy-failed, blame: Policy, do not try again
    ");
}

#[tokio::test]
async fn the_receipt_of_a_copy() {
    let told = store("copy-instead").await.told(Put).await;
    assert_snapshot!(told, @r"
    put k: the component gave a receipt that belongs to another body
    policy-failed, blame: Policy, do not try again
    ");
}

#[tokio::test]
async fn a_refusal_that_is_told_as_success() {
    let told = behind(
        hostile_policy("hide-failure")
            .grant(grant().keys(["mine/bait", "mine/elsewhere"]).unwrap()),
    )
    .await
    .unwrap()
    .told(Put)
    .await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" gave a receipt that belongs to another body
    policy-failed, blame: Policy, do not try again
    "#);
}

#[tokio::test]
async fn a_cause_that_is_made_up() {
    let told = policy("forged-cause").await.told(Head).await;
    assert_snapshot!(told, @r"
    head mine/k: S3 is down
    unavailable, blame: Policy, try again
    ");
}

#[tokio::test]
async fn a_cause_that_a_store_component_made_up() {
    let told = store("forged-cause").await.told(Head).await;
    assert_snapshot!(told, @r"
    head k: S3 is down
    unavailable, blame: Policy, do not try again
    ");
}

#[tokio::test]
async fn the_callers_fault_they_say() {
    let told = store("blame-caller").await.told(Head).await;
    assert_snapshot!(told, @r"
    head k: your key
    invalid-key, blame: Policy, do not try again
    ");
}

/// What no host can tell: an artifact that the policy may read, in place of the one that
/// it was asked for. SECURITY.md says so.
#[tokio::test]
async fn another_artifact_within_the_grant_is_not_noticed() {
    let scene = policy("other-object").await;
    let (bucket, key) = (Bucket::parse("bucket").unwrap(), ObjectKey::parse("mine/other").unwrap());
    scene.s3.put_object(&bucket, &key, Body::from("other"), &PutOptions::default()).await.unwrap();
    assert_eq!(scene.store.get("mine/k").await.unwrap().bytes().await.unwrap(), "other");
}
