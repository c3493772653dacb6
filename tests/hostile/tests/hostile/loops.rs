//! Components that compute for ever, wherever they are called.

use artifact_store::Operation::{Delete, Get, Head, List, Put};
use insta::assert_snapshot;

use crate::support::{behind, policy, store, told, wat, wat_policy};

#[tokio::test]
async fn a_loop_in_put() {
    let told = policy("loop-in-put").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" went over its limit of fuel: allowed 20000000, asked for more
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: all fuel consumed by WebAssembly
    "#);
}

#[tokio::test]
async fn a_loop_in_get() {
    let told = policy("loop-in-get").await.told(Get).await;
    assert_snapshot!(told, @r#"
    get mine/k: the policy "tenant" went over its limit of fuel: allowed 20000000, asked for more
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: all fuel consumed by WebAssembly
    "#);
}

#[tokio::test]
async fn a_loop_in_head() {
    let told = policy("loop-in-head").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of fuel: allowed 20000000, asked for more
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: all fuel consumed by WebAssembly
    "#);
}

#[tokio::test]
async fn a_loop_in_delete() {
    let told = policy("loop-in-delete").await.told(Delete).await;
    assert_snapshot!(told, @r#"
    delete mine/k: the policy "tenant" went over its limit of fuel: allowed 20000000, asked for more
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: all fuel consumed by WebAssembly
    "#);
}

#[tokio::test]
async fn a_loop_in_list() {
    let told = policy("loop-in-list").await.told(List).await;
    assert_snapshot!(told, @r#"
    list (all): the policy "tenant" went over its limit of fuel: allowed 20000000, asked for more
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: all fuel consumed by WebAssembly
    "#);
}

#[tokio::test]
async fn a_loop_in_a_store_component() {
    let told = store("loop").await.told(Head).await;
    assert_snapshot!(told, @r"
    head k: the component went over its limit of fuel: allowed 20000000, asked for more
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: all fuel consumed by WebAssembly
    ");
}

#[tokio::test]
async fn a_loop_in_the_start_function() {
    let told = told(&behind(wat_policy("loop-in-start")).await.err().unwrap());
    assert_snapshot!(told, @r#"
    no instance of the policy "tenant" can be made
    invalid-config, blame: Caller, do not try again
    cause: the policy "tenant" went over its limit of fuel: allowed 20000000, asked for more
    cause: wasm trap: all fuel consumed by WebAssembly
    "#);
}

#[tokio::test]
async fn a_loop_in_realloc() {
    let told = wat("loop-in-realloc").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of fuel: allowed 20000000, asked for more
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: all fuel consumed by WebAssembly
    "#);
}

#[tokio::test]
async fn a_loop_in_post_return() {
    let told = wat("loop-in-post-return").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of fuel: allowed 20000000, asked for more
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: all fuel consumed by WebAssembly
    "#);
}

#[tokio::test]
async fn a_loop_in_a_resource_destructor() {
    let told = wat("loop-in-destructor").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of fuel: allowed 20000000, asked for more
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: all fuel consumed by WebAssembly
    "#);
}

#[tokio::test]
async fn a_loop_of_instructions_that_move_megabytes() {
    let told = wat("loop-of-fills").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of fuel: allowed 20000000, asked for more
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: all fuel consumed by WebAssembly
    "#);
}

#[tokio::test]
async fn a_million_calls_of_the_host() {
    let told = wat("loop-of-host-calls").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" went over its limit of fuel: allowed 20000000, asked for more
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: all fuel consumed by WebAssembly
    "#);
}

#[tokio::test]
async fn endless_recursion() {
    let told = wat("recursion").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: call stack exhausted
    "#);
}

#[tokio::test]
async fn endless_recursion_in_a_store_component() {
    let told = store("recursion").await.told(Head).await;
    assert_snapshot!(told, @r"
    head k: the component trapped
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: call stack exhausted
    ");
}

#[tokio::test]
async fn a_trap() {
    let told = store("trap").await.told(Head).await;
    assert_snapshot!(told, @r"
    head k: the component trapped
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: wasm `unreachable` instruction executed
    ");
}

#[tokio::test]
async fn calls_of_the_next_store_in_a_loop() {
    let told = policy("many-calls").await.told(Get).await;
    assert_snapshot!(told, @r#"
    get mine/k: the policy "tenant" went over its limit of calls of the next store: allowed 8, asked for 9
    policy-failed, blame: Policy, do not try again
    cause: too many calls
    "#);
}

#[tokio::test]
async fn calls_that_are_refused_in_a_loop() {
    let told = policy("swallow-refusals").await.told(Get).await;
    assert_snapshot!(told, @r#"
    get mine/k: the policy "tenant" went over its limit of calls of the next store: allowed 8, asked for 9
    policy-failed, blame: Policy, do not try again
    cause: too many calls
    "#);
}

#[tokio::test]
async fn s3_calls_in_a_loop() {
    let told = store("many-s3-calls").await.told(Head).await;
    assert_snapshot!(told, @r"
    head k: the component went over its limit of S3 calls: allowed 64, asked for 65
    policy-failed, blame: Policy, do not try again
    cause: too many calls
    ");
}
