//! `guest/policies/write-once-wat`, which needs nothing to be installed.

#![expect(clippy::unwrap_used, reason = "tests")]

use artifact_store::{
    ArtifactStore, Blame, DeleteOptions, ErrorKind, Operation, Policy, PolicyGrant, PutOptions,
    WriteCondition, s3::MemoryS3,
};

use crate::wat;

const TEXT: &str = include_str!("../../../../guest/policies/write-once-wat/write-once.wat");

async fn store(s3: MemoryS3) -> ArtifactStore {
    let grant = PolicyGrant::none().operations([
        Operation::Put,
        Operation::Get,
        Operation::Head,
        Operation::List,
    ]);
    let policy = Policy::from_bytes(wat::component(TEXT, "policy")).name("write-once").grant(grant);
    ArtifactStore::builder().bucket("bucket").client(s3).policy(policy).start().await.unwrap()
}

#[tokio::test]
async fn what_is_stored_stays() {
    let s3 = MemoryS3::new();
    let store = store(s3.clone()).await;
    let options = PutOptions {
        metadata: vec![("owner".to_owned(), "me".to_owned())],
        storage_class: Some("STANDARD_IA".to_owned()),
        ..Default::default()
    };
    let stored = store.put_with("a/k", "first", &options).await.unwrap();

    let error = store.put("a/k", "second").await.unwrap_err();
    assert_eq!((error.kind(), error.blame()), (ErrorKind::PreconditionFailed, Blame::Caller));
    assert_eq!(error.s3().unwrap().status(), Some(412));

    let over = WriteCondition::IfMatch(stored.etag.unwrap());
    let over = PutOptions { condition: over, ..Default::default() };
    let error = store.put_with("a/k", "second", &over).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PolicyDenied);
    assert_eq!(error.to_string(), "artifacts are written once: a put over another is refused");

    let version = DeleteOptions { version_id: Some("v".to_owned()), ..Default::default() };
    for error in [
        store.delete("a/k").await.unwrap_err(),
        store.delete_with("a/k", &version).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::PolicyDenied);
        assert_eq!(error.to_string(), "artifacts are written once: delete is refused");
    }

    let artifact = store.get("a/k").await.unwrap();
    assert_eq!(artifact.info().metadata, options.metadata);
    assert_eq!(artifact.bytes().await.unwrap(), "first");
    assert_eq!(store.head("a/k").await.unwrap().storage_class, options.storage_class);
    assert_eq!(store.get("none").await.unwrap_err().kind(), ErrorKind::NotFound);
}

/// More than a page of the longest keys: its memory grows.
#[tokio::test]
async fn a_long_listing_passes_through() {
    let s3 = MemoryS3::new();
    let store = store(s3.clone()).await;
    for i in 0..1001 {
        store.put(&format!("{i:0>1000}"), "").await.unwrap();
    }
    assert_eq!(store.list("0").await.unwrap().len(), 1001);
}
