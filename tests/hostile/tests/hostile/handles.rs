//! Components that lose, forge, and mix up their handles.

use artifact_store::Operation::{Get, Put};
use insta::assert_snapshot;

use crate::support::{store, wat};

#[tokio::test]
async fn handles_that_are_never_dropped() {
    let told = wat("handle-leak").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" went over its limit of handles: allowed 32, asked for more
    policy-failed, blame: Policy, do not try again
    cause: cannot lend resource: store handle limit exceeded
    "#);
}

#[tokio::test]
async fn objects_that_are_opened_and_kept_open() {
    let told = store("hoard").await.told(Get).await;
    assert_snapshot!(told, @r"
    get k: the component went over its limit of handles: allowed 32, asked for more
    policy-failed, blame: Policy, do not try again
    cause: resource table has no free keys
    ");
}

#[tokio::test]
async fn a_handle_that_is_dropped_twice() {
    let told = wat("handle-dropped-twice").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: unknown handle index 1
    "#);
}

#[tokio::test]
async fn a_handle_that_was_given_away() {
    let told = wat("handle-used-after-move").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: handle index 1 used with the wrong type, expected guest-defined resource but found a different guest-defined resource
    "#);
}

#[tokio::test]
async fn a_forged_handle() {
    let told = wat("handle-forged").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: unknown handle index 77
    "#);
}

#[tokio::test]
async fn a_forged_handle_far_off() {
    let told = wat("handle-forged-far").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: unknown handle index 4294967295
    "#);
}

#[tokio::test]
async fn a_body_where_a_receipt_is_due() {
    let told = wat("handle-of-another-type").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: handle index 1 used with the wrong type, expected guest-defined resource but found a different guest-defined resource
    "#);
}

#[tokio::test]
async fn a_body_that_is_dropped_as_a_receipt() {
    let told = wat("handle-dropped-as-another-type").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: handle index 1 used with the wrong type, expected guest-defined resource but found a different guest-defined resource
    "#);
}

#[tokio::test]
async fn a_body_that_is_read_as_a_receipt() {
    let told = wat("handle-read-as-another-type").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: handle index 1 used with the wrong type, expected guest-defined resource but found a different guest-defined resource
    "#);
}
