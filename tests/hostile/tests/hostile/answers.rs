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
    assert_snapshot!(told, @"");
}

#[tokio::test]
async fn a_million_pairs_of_metadata() {
    let told = wat("answer-of-pairs").await.told(Head).await;
    assert_snapshot!(told, @"");
}

#[tokio::test]
async fn one_megabyte_a_thousand_times() {
    let told = wat("answer-of-one-string").await.told(Head).await;
    assert_snapshot!(told, @"");
}

#[tokio::test]
async fn a_message_beyond_the_memory() {
    let told = wat("answer-out-of-memory").await.told(Head).await;
    assert_snapshot!(told, @"");
}

#[tokio::test]
async fn an_answer_beyond_the_memory() {
    let told = wat("answer-nowhere").await.told(Head).await;
    assert_snapshot!(told, @"");
}

#[tokio::test]
async fn an_answer_out_of_line() {
    let told = wat("answer-out-of-line").await.told(Head).await;
    assert_snapshot!(told, @"");
}

#[tokio::test]
async fn an_error_code_that_is_none() {
    let told = wat("answer-unknown-case").await.told(Head).await;
    assert_snapshot!(told, @"");
}

#[tokio::test]
async fn a_message_that_is_no_utf8() {
    let told = wat("answer-no-utf8").await.told(Head).await;
    assert_snapshot!(told, @"");
}

#[tokio::test]
async fn a_message_with_terminal_escapes() {
    let told = wat("answer-with-escapes").await.told(Head).await;
    assert_snapshot!(told, @"");
}

#[tokio::test]
async fn a_header_in_a_content_type() {
    let told = wat("answer-with-header").await.told(Head).await;
    assert_snapshot!(told, @"");
}

#[tokio::test]
async fn a_header_in_a_name_of_metadata() {
    let told = wat("answer-with-metadata").await.told(Get).await;
    assert_snapshot!(told, @"");
}

#[tokio::test]
async fn a_header_in_what_is_stored() {
    let told = wat("header-in-content-type").await.told(Put).await;
    assert_snapshot!(told, @"");
}

#[tokio::test]
async fn a_header_in_metadata_that_is_stored() {
    let told = wat("header-in-metadata").await.told(Put).await;
    assert_snapshot!(told, @"");
}

#[tokio::test]
async fn a_header_from_a_store_component() {
    let told = store("bad-option").await.told(Put).await;
    assert_snapshot!(told, @"");
}

#[tokio::test]
async fn a_million_pairs_that_are_to_be_stored() {
    let told = wat("pairs-of-metadata").await.told(Put).await;
    assert_snapshot!(told, @"");
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
    assert_snapshot!(told, @"");
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
    assert_snapshot!(told(&error), @"");
}
