//! Answers that are too large, ill-formed, or meant for a terminal or an HTTP client.

use std::time::Duration;

use artifact_store::{
    ErrorKind, ListOptions,
    Operation::{Get, Head, Put},
};
use insta::assert_snapshot;

use crate::support::{builder, hostile_policy, policy, store, told, wat};

#[tokio::test]
async fn a_message_of_ten_megabytes() {
    let told = wat("answer-of-megabytes").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of bytes handed to the host: allowed 4194304, asked for more
    policy-failed, blame: Policy, do not try again
    cause: too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted
    "#);
}

#[tokio::test]
async fn a_million_pairs_of_metadata() {
    let told = wat("answer-of-pairs").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of bytes handed to the host: allowed 4194304, asked for more
    policy-failed, blame: Policy, do not try again
    cause: too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted
    "#);
}

#[tokio::test]
async fn one_megabyte_a_thousand_times() {
    let told = wat("answer-of-one-string").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of bytes handed to the host: allowed 4194304, asked for more
    policy-failed, blame: Policy, do not try again
    cause: too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted
    "#);
}

#[tokio::test]
async fn a_message_beyond_the_memory() {
    let told = wat("answer-out-of-memory").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: string pointer/length out of bounds of memory
    "#);
}

#[tokio::test]
async fn an_answer_beyond_the_memory() {
    let told = wat("answer-nowhere").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: pointer out of bounds of memory
    "#);
}

#[tokio::test]
async fn an_answer_out_of_line() {
    let told = wat("answer-out-of-line").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: return pointer not aligned
    "#);
}

#[tokio::test]
async fn an_error_code_that_is_none() {
    let told = wat("answer-unknown-case").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: unexpected discriminant: 200
    "#);
}

#[tokio::test]
async fn a_message_that_is_no_utf8() {
    let told = wat("answer-no-utf8").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: invalid utf-8 sequence of 1 bytes from index 0
    "#);
}

#[tokio::test]
async fn a_message_with_terminal_escapes() {
    let told = wat("answer-with-escapes").await.told(Head).await;
    assert_snapshot!(told, @r"
    head mine/k: �[2J�]0;owned���ok: stored��31m��end
    storage-error, blame: Policy, do not try again
    ");
}

#[tokio::test]
async fn a_header_in_a_content_type() {
    let told = wat("answer-with-header").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" describes an artifact with control characters in its content type
    policy-failed, blame: Policy, do not try again
    "#);
}

#[tokio::test]
async fn a_header_in_a_name_of_metadata() {
    let told = wat("answer-with-metadata").await.told(Get).await;
    assert_snapshot!(told, @r#"
    get mine/k: the policy "tenant" describes an artifact with control characters in its metadata
    policy-failed, blame: Policy, do not try again
    "#);
}

#[tokio::test]
async fn a_header_in_what_is_stored() {
    let told = wat("header-in-content-type").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" asked for what cannot be: content-type: the value must be printable ASCII without blanks at its ends, at most 4096 bytes; encode anything else (percent or base64)
    invalid-request, blame: Policy, do not try again
    "#);
}

#[tokio::test]
async fn a_header_in_metadata_that_is_stored() {
    let told = wat("header-in-metadata").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" asked for what cannot be: metadata name "a: b\r\nx-amz-acl" is not an HTTP header name: use letters, digits and `-`
    invalid-request, blame: Policy, do not try again
    "#);
}

#[tokio::test]
async fn a_header_from_a_store_component() {
    let told = store("bad-option").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put k: as S3 says
    storage-error, blame: Caller, do not try again
    cause: PutObject of "bucket/mine/k": invalid request: metadata name "x\r\ny" is not an HTTP header name: use letters, digits and `-`
    "#);
}

#[tokio::test]
async fn a_million_pairs_that_are_to_be_stored() {
    let told = wat("pairs-of-metadata").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" went over its limit of bytes handed to the host: allowed 4194304, asked for more
    policy-failed, blame: Policy, do not try again
    cause: too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted
    "#);
}

#[tokio::test]
async fn a_message_that_is_cut() {
    let error = store("long-message").await.call(Head, "k").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageError);
    let message = error.to_string();
    assert!(message.starts_with("\u{fffd}[2Jxxx") && message.len() < 1100);
}

#[tokio::test]
async fn a_message_of_megabytes_from_a_store_component() {
    let told = store("huge-message").await.told(Head).await;
    assert_snapshot!(told, @r"
    head k: the component went over its limit of bytes handed to the host: allowed 4194304, asked for more
    policy-failed, blame: Policy, do not try again
    cause: too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted
    ");
}

#[tokio::test]
async fn an_option_of_megabytes_in_an_error() {
    let told = store("long-option").await.told(Put).await;
    assert!(told.contains("metadata name \"x x x") && told.len() < 1300, "{told}");
}

/// Page by page, nobody has to wait for the end of it.
#[tokio::test]
async fn a_listing_that_never_ends() {
    let scene = policy("endless-list").await;
    let mut options = ListOptions { prefix: "mine/".to_owned(), ..Default::default() };
    for _ in 0..3 {
        let page = scene.store.list_with(&options).await.unwrap();
        assert_ne!(page.continuation, options.continuation);
        options.continuation = page.continuation;
    }
    let store = builder(&scene.s3)
        .policy(hostile_policy("endless-list"))
        .deadline(Duration::from_millis(300))
        .start()
        .await
        .unwrap();
    let error = store.list("mine/").await.unwrap_err();
    assert_snapshot!(told(&error), @r"
    list (all): the listing was not at its end within 300ms: read it page by page
    timeout, blame: Policy, do not try again
    ");
}
