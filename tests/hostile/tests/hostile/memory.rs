//! Components that take more memory, tables and parts than they are given.

use std::time::Duration;

use artifact_s3::MemoryS3;
use artifact_store::{Limits, Operation::Head, PolicyGrant, Sandbox};
use insta::assert_snapshot;

use crate::support::{Late, behind, builder, limits, store, told, wat, wat_policy, wat_policy_of};

#[tokio::test]
async fn a_memory_that_grows_without_end() {
    let told = wat("memory-bomb").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of bytes of memory: allowed 16777216, asked for 16842752
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: wasm `unreachable` instruction executed
    "#);
}

#[tokio::test]
async fn a_memory_that_grows_beside_another() {
    // Thirteen megabytes in one, and the other grows.
    let two = wat_policy_of("memory-bomb", "(module (memory 208))", 1);
    let told = behind(two).await.unwrap().told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of bytes of memory: allowed 16777216, asked for 16842752
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: wasm `unreachable` instruction executed
    "#);
}

#[tokio::test]
async fn a_gigabyte_of_memory_at_once() {
    let told =
        told(&behind(wat_policy_of("state", "(module (memory 16384))", 1)).await.err().unwrap());
    assert_snapshot!(told, @r#"
    the policy "tenant" is not valid
    invalid-config, blame: Caller, do not try again
    cause: module memory does not fit in pooling allocator requirements: memory index 0 is unsupported in this pooling allocator configuration: memory has a minimum byte size of 1073741824 which exceeds the limit of 0x1000000 bytes
    "#);
}

#[tokio::test]
async fn many_small_memories() {
    let told = told(&behind(wat_policy_of("state", "(module (memory 1))", 4)).await.err().unwrap());
    assert_snapshot!(told, @r#"
    the policy "tenant" is not valid
    invalid-config, blame: Caller, do not try again
    cause: The component transitively contains 5 Wasm linear memories, which exceeds the configured maximum of 2 in the pooling allocator
    "#);
}

#[tokio::test]
async fn two_memories_of_one_module() {
    let told = told(&behind(wat_policy("memory-of-one-module")).await.err().unwrap());
    assert_snapshot!(told, @r#"
    the policy "tenant" is not valid
    invalid-config, blame: Caller, do not try again
    cause: module memory does not fit in pooling allocator requirements: defined memories count of 2 exceeds the per-instance limit of 1
    "#);
}

#[tokio::test]
async fn many_instances() {
    let told = told(&behind(wat_policy_of("state", "(module)", 40)).await.err().unwrap());
    assert_snapshot!(told, @r#"
    the policy "tenant" is not valid
    invalid-config, blame: Caller, do not try again
    cause: The component transitively contains 43 core module instances, which exceeds the configured maximum of 16 in the pooling allocator
    "#);
}

#[tokio::test]
async fn a_table_that_grows_without_end() {
    let told = wat("table-bomb").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of table elements: allowed 10000, asked for 10010
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: wasm `unreachable` instruction executed
    "#);
}

#[tokio::test]
async fn a_table_of_a_hundred_million_at_once() {
    let told = told(&behind(wat_policy("table-at-once")).await.err().unwrap());
    assert_snapshot!(told, @r#"
    the policy "tenant" is not valid
    invalid-config, blame: Caller, do not try again
    cause: module table does not fit in pooling allocator requirements: table index 0 has a minimum element size of 100000000 which exceeds the limit of 10000
    "#);
}

/// Room for six instances: a call through three policies takes four of them, and no part
/// of the others, whatever the policies are made of.
#[tokio::test]
async fn calls_that_hold_many_memories_take_no_more_than_their_room() {
    let limits = Limits { concurrent_calls: 6, ..limits() };
    let sandbox = Sandbox::new(limits).unwrap();
    let greedy = |module: &str, instances| {
        wat_policy_of("state", module, instances).grant(PolicyGrant::all())
    };
    let hanging = builder(&MemoryS3::new())
        .client(Late(Duration::from_hours(1)))
        .sandbox(sandbox.clone())
        .policy(greedy("(module (memory 1))", 1))
        .policy(greedy("(module (table 1 funcref))", 4))
        .policy(greedy("(module (table 1 funcref))", 4))
        .start()
        .await
        .unwrap();
    let held = tokio::spawn(async move { hanging.head("mine/k").await.map(drop) });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let store = builder(&MemoryS3::new()).sandbox(sandbox).start().await.unwrap();
    store.put("k", "v").await.unwrap();
    assert!(!held.is_finished());
    held.abort();
}

/// One slot in the pool, so that the second call gets the memory of the first.
#[tokio::test]
async fn what_a_call_leaves_in_memory_is_not_there_in_the_next() {
    let sandbox = Sandbox::new(Limits { concurrent_calls: 2, ..limits() }).unwrap();
    let store = builder(&MemoryS3::new())
        .sandbox(sandbox)
        .policy(wat_policy("memory-leftovers"))
        .start()
        .await
        .unwrap();
    for _ in 0..3 {
        let error = store.head("mine/k").await.unwrap_err();
        assert_eq!(error.to_string(), "the policy \"tenant\" trapped");
        // It would trap as well, had it found anything.
        let error = store.head("mine/bait").await.unwrap_err();
        assert_eq!(error.kind(), artifact_store::ErrorKind::NotFound, "{error:?}");
    }
}

#[tokio::test]
async fn a_store_component_that_grows_without_end() {
    let scene = store("memory").await;
    let error = scene.call(Head, "k").await.unwrap_err();
    let said = "the component went over its limit of bytes of memory: allowed 16777216, asked for ";
    assert!(error.to_string().starts_with(said), "{error}");
    scene.serves_on(Head).await;
}
