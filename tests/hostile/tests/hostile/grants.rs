//! Components that reach for what they are not granted.

use artifact_store::{
    Operation::{Delete, Get, Head, List, Put},
    PolicyGrant,
};
use insta::assert_snapshot;

use crate::support::{behind, grant, hostile_policy, policy, store, wat, wat_policy};

#[tokio::test]
async fn another_bucket() {
    let told = store("other-bucket").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put k: as S3 says
    storage-error, blame: Policy, do not try again
    cause: PutObject of "other/mine/k": not granted: the component is not granted any bucket but the store's own
    "#);
}

#[tokio::test]
async fn another_prefix() {
    let told = store("other-prefix").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put k: as S3 says
    storage-error, blame: Policy, do not try again
    cause: PutObject of "bucket/k": not granted: the component is not granted keys outside its prefix
    "#);
}

#[tokio::test]
async fn another_prefix_to_read_from() {
    let told = store("other-prefix").await.told(Get).await;
    assert_snapshot!(told, @r#"
    get k: as S3 says
    storage-error, blame: Policy, do not try again
    cause: GetObject of "bucket/k": not granted: the component is not granted keys outside its prefix
    "#);
}

#[tokio::test]
async fn a_delete_outside_the_prefix() {
    let told = store("").await.told(Delete).await;
    assert_snapshot!(told, @r#"
    delete k: as S3 says
    storage-error, blame: Policy, do not try again
    cause: DeleteObject of "bucket/theirs/secret": not granted: the component is not granted keys outside its prefix
    "#);
}

#[tokio::test]
async fn a_listing_of_the_whole_bucket() {
    let told = store("").await.told(List).await;
    assert_snapshot!(told, @r#"
    list (all): as S3 says
    storage-error, blame: Policy, do not try again
    cause: ListObjectsV2 of "bucket/": not granted: the component is not granted listing outside its prefix
    "#);
}

#[tokio::test]
async fn a_way_out_of_the_prefix() {
    let told = store("dot-dot").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put k: as S3 says
    storage-error, blame: Caller, do not try again
    cause: PutObject of "bucket/mine/../secret": invalid request: a segment of the key is `.` or `..`, which would lead out of its place
    cause: a segment of the key is `.` or `..`, which would lead out of its place
    "#);
}

#[tokio::test]
async fn a_store_component_with_keys_of_megabytes() {
    let told = store("huge-keys").await.told(Head).await;
    assert_snapshot!(told, @r"
    head k: the component went over its limit of bytes handed to the host: allowed 4194304, asked for more
    policy-failed, blame: Policy, do not try again
    cause: too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted
    ");
}

#[tokio::test]
async fn keys_of_others() {
    let told = policy("other-key").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" is not granted the key "theirs/k": it has keys that begin with "mine/"
    policy-denied, blame: Policy, do not try again
    "#);
}

#[tokio::test]
async fn a_listing_of_others() {
    let told = policy("list-all").await.told(List).await;
    assert_snapshot!(told, @r#"
    list (all): the policy "tenant" is not granted listings under "": it has keys that begin with "mine/"
    policy-denied, blame: Policy, do not try again
    "#);
}

#[tokio::test]
async fn a_delete_in_place_of_a_put() {
    let told = policy("delete-instead").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" is not granted the operation `delete`: it has put, get, head, list
    policy-denied, blame: Policy, do not try again
    "#);
}

#[tokio::test]
async fn another_artifact_of_its_own_that_fits_no_pattern() {
    let told =
        behind(hostile_policy("other-object").grant(grant().keys(["mine/{k,bait}"]).unwrap()))
            .await
            .unwrap()
            .told(Get)
            .await;
    assert_snapshot!(told, @r#"
    get mine/k: the policy "tenant" is not granted the key "mine/other": it has keys that fit one of ["mine/{k,bait}"]
    policy-denied, blame: Policy, do not try again
    "#);
}

#[tokio::test]
async fn a_policy_that_climbs_out_of_its_prefix() {
    let told = wat("key-dot-dot").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" asked for what cannot be: "mine/../theirs/secret": a segment of the key is `.` or `..`, which would lead out of its place
    invalid-key, blame: Policy, do not try again
    "#);
}

#[tokio::test]
async fn an_empty_key() {
    let told = wat("key-empty").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" is not granted the key "": it has keys that begin with "mine/"
    policy-denied, blame: Policy, do not try again
    "#);
}

#[tokio::test]
async fn an_empty_key_where_every_key_is_granted() {
    let told =
        behind(wat_policy("key-empty").grant(PolicyGrant::all())).await.unwrap().told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" asked for what cannot be: "": the key is empty
    invalid-key, blame: Policy, do not try again
    "#);
}

#[tokio::test]
async fn a_key_of_2000_bytes() {
    let told = wat("key-long").await.told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" asked for what cannot be: "mine/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": the key has 2000 bytes with its prefix, and S3 takes at most 1024
    invalid-key, blame: Policy, do not try again
    "#);
}

#[tokio::test]
async fn a_key_of_megabytes() {
    let told = wat("key-of-megabytes").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" asked for what cannot be: "mine/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": the key has 3000000 bytes with its prefix, and S3 takes at most 1024
    invalid-key, blame: Policy, do not try again
    "#);
}

#[tokio::test]
async fn a_call_while_the_caller_is_still_handing_over() {
    let told = wat("reenter-in-realloc").await.told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: cannot leave component instance
    "#);
}

#[tokio::test]
async fn a_delete_after_refusing() {
    let told = behind(wat_policy("call-after-refusing").grant(PolicyGrant::all()))
        .await
        .unwrap()
        .told(Head)
        .await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" trapped
    policy-failed, blame: Policy, do not try again
    cause: wasm trap: cannot leave component instance
    "#);
}

#[tokio::test]
async fn another_key_in_place_of_the_callers_is_seen_by_no_one_but_the_owner_of_the_grant() {
    let rename = hostile_policy("other-key").grant(grant().keys_under("theirs/"));
    let scene = behind(rename).await.unwrap();
    // It was granted the neighbour's keys, and only these.
    scene.store.put("mine/k", "v").await.unwrap();
    assert_eq!(scene.neighbour.get("k").await.unwrap().bytes().await.unwrap(), "v");
}
