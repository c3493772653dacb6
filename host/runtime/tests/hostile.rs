//! What comes of a component that attacks its host: a typed error for that one
//! call, nothing outside the grant, and a store that serves on. The attacks are
//! in `guest/hostile`.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use artifact_s3::{
    Body, Bucket, GetOptions, MemoryS3, ObjectKey, PutOptions, S3Client, S3ErrorKind,
};
use artifact_store::{ArtifactStore, Blame, Error, ErrorKind, Limits, Sandbox, StoreComponent};

/// The hostile store over a bucket with a neighbour's secret in it.
struct Scene {
    s3: MemoryS3,
    store: ArtifactStore,
}

async fn scene(attack: &str) -> Scene {
    let s3 = MemoryS3::with_buckets(["bucket", "other"]).unwrap();
    for (key, bytes) in [("mine/bait", "bait"), ("theirs/secret", "secret")] {
        put(&s3, key, bytes).await;
    }
    let limits = Limits { fuel: 20_000_000, concurrent_calls: 8, ..Limits::default() };
    let store = ArtifactStore::builder()
        .bucket("bucket")
        .prefix("mine/")
        .client(s3.clone())
        .component(StoreComponent::from_bytes(artifact_guests::HOSTILE))
        .setting("attack", attack)
        .sandbox(Sandbox::new(limits).unwrap())
        .deadline(Duration::from_secs(30))
        .start()
        .await
        .unwrap();
    Scene { s3, store }
}

impl Scene {
    /// Puts, and checks that nothing changed but perhaps `mine/k`.
    async fn put(&self) -> Error {
        let error = self.store.put("k", "data").await.unwrap_err();
        self.neighbour_is_untouched().await;
        error
    }

    async fn head(&self) -> Error {
        let error = self.store.head("k").await.unwrap_err();
        assert_eq!(error.blame(), Blame::Policy, "{error:?}");
        // The store serves on.
        assert!(self.store.get("bait").await.is_ok());
        error
    }

    async fn neighbour_is_untouched(&self) {
        assert_eq!(get(&self.s3, "bucket", "theirs/secret").await.as_deref(), Some(&b"secret"[..]));
        assert_eq!(get(&self.s3, "bucket", "k").await, None);
        assert_eq!(get(&self.s3, "bucket", "secret").await, None);
        assert_eq!(get(&self.s3, "other", "mine/k").await, None);
    }
}

async fn put(s3: &MemoryS3, key: &str, bytes: &'static str) {
    let (bucket, key) = (Bucket::parse("bucket").unwrap(), ObjectKey::parse(key).unwrap());
    s3.put_object(&bucket, &key, Body::from(bytes), &PutOptions::default()).await.unwrap();
}

async fn get(s3: &MemoryS3, bucket: &str, key: &str) -> Option<Vec<u8>> {
    let (bucket, key) = (Bucket::parse(bucket).unwrap(), ObjectKey::parse(key).unwrap());
    let object = s3.get_object(&bucket, &key, &GetOptions::default()).await.ok()?;
    Some(object.body.bytes().await.unwrap().to_vec())
}

fn s3_kind(error: &Error) -> Option<S3ErrorKind> {
    error.s3().map(artifact_s3::S3Error::kind)
}

#[tokio::test]
async fn another_bucket_is_not_granted() {
    let error = scene("other-bucket").await.put().await;
    assert_eq!(s3_kind(&error), Some(S3ErrorKind::NotGranted));
    assert_eq!(error.blame(), Blame::Policy);
}

#[tokio::test]
async fn a_key_outside_the_prefix_is_not_granted() {
    let scene = scene("other-prefix").await;
    assert_eq!(s3_kind(&scene.put().await), Some(S3ErrorKind::NotGranted));
    let error = scene.store.get("theirs/secret").await.unwrap_err();
    assert_eq!(s3_kind(&error), Some(S3ErrorKind::NotGranted));
}

#[tokio::test]
async fn a_key_that_climbs_out_of_the_prefix_is_not_sent() {
    let error = scene("dot-dot").await.put().await;
    assert_eq!(s3_kind(&error), Some(S3ErrorKind::InvalidRequest));
}

#[tokio::test]
async fn a_delete_outside_the_prefix_is_not_granted() {
    let scene = scene("").await;
    let error = scene.store.delete("k").await.unwrap_err();
    assert_eq!(s3_kind(&error), Some(S3ErrorKind::NotGranted));
    scene.neighbour_is_untouched().await;
}

#[tokio::test]
async fn a_listing_of_the_whole_bucket_is_not_granted() {
    let error = scene("").await.store.list("").await.unwrap_err();
    assert_eq!(s3_kind(&error), Some(S3ErrorKind::NotGranted));
}

#[tokio::test]
async fn options_that_would_break_the_request_are_not_sent() {
    let error = scene("bad-option").await.put().await;
    assert_eq!(s3_kind(&error), Some(S3ErrorKind::InvalidRequest));
}

#[tokio::test]
async fn a_receipt_for_another_body_is_no_success() {
    for attack in ["another-body", "copy-instead"] {
        let error = scene(attack).await.put().await;
        assert_eq!(error.kind(), ErrorKind::PolicyFailed, "{attack}");
        assert_eq!(
            error.to_string(),
            "the component gave a receipt that belongs to another body",
            "{attack}"
        );
    }
}

#[tokio::test]
async fn a_trap_harms_one_call() {
    let error = scene("trap").await.head().await;
    assert_eq!(error.kind(), ErrorKind::PolicyFailed);
    assert_eq!(error.to_string(), "the component trapped");
}

#[tokio::test]
async fn an_endless_loop_runs_out_of_fuel() {
    let error = scene("loop").await.head().await;
    assert_eq!(error.kind(), ErrorKind::PolicyFailed);
    assert_eq!(
        error.to_string(),
        "the component went over its limit of fuel: allowed 20000000, asked for more"
    );
}

#[tokio::test]
async fn memory_without_end_is_refused() {
    let error = scene("memory").await.head().await;
    assert_eq!(error.kind(), ErrorKind::PolicyFailed);
    let message = error.to_string();
    assert!(
        message.starts_with(
            "the component went over its limit of bytes of memory: allowed 16777216, asked for "
        ),
        "{message}"
    );
}

#[tokio::test]
async fn endless_recursion_traps() {
    assert_eq!(scene("recursion").await.head().await.kind(), ErrorKind::PolicyFailed);
}

#[tokio::test]
async fn a_message_of_megabytes_is_not_taken() {
    assert_eq!(scene("huge-message").await.head().await.kind(), ErrorKind::PolicyFailed);
}

#[tokio::test]
async fn a_long_message_is_cut_and_made_printable() {
    let error = scene("long-message").await.head().await;
    assert_eq!(error.kind(), ErrorKind::StorageError);
    let message = error.to_string();
    assert!(message.starts_with("\u{fffd}[2Jxxx") && message.len() < 1100);
}

#[tokio::test]
async fn more_handles_than_granted_end_the_call() {
    let scene = scene("hoard").await;
    let error = scene.store.get("k").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PolicyFailed);
    assert!(scene.store.put("k", "data").await.is_ok());
}

#[tokio::test]
async fn more_s3_calls_than_granted_end_the_call() {
    let error = scene("many-s3-calls").await.head().await;
    assert_eq!(
        error.to_string(),
        "the component went over its limit of S3 calls: allowed 64, asked for 65"
    );
}

#[tokio::test]
async fn keys_of_megabytes_are_refused_and_not_kept() {
    let error = scene("huge-keys").await.head().await;
    assert_eq!(error.kind(), ErrorKind::PolicyFailed);
}

#[tokio::test]
async fn a_component_cannot_blame_the_caller_or_the_storage() {
    let error = scene("blame-caller").await.head().await;
    assert_eq!(error.kind(), ErrorKind::InvalidKey);
    let error = scene("forged-cause").await.head().await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.s3().is_none(), "a made-up cause is not shown as S3's");
}

#[tokio::test]
async fn nothing_is_kept_from_call_to_call() {
    let scene = scene("").await;
    for _ in 0..3 {
        assert_eq!(scene.head().await.to_string(), "call 1");
    }
}

#[tokio::test]
async fn a_deadline_ends_a_loop_that_has_fuel_left() {
    let scene = scene("loop").await;
    let store = ArtifactStore::builder()
        .bucket("bucket")
        .prefix("mine/")
        .client(scene.s3.clone())
        .component(StoreComponent::from_bytes(artifact_guests::HOSTILE))
        .setting("attack", "loop")
        .sandbox(Sandbox::new(Limits { fuel: u64::MAX >> 1, ..Limits::default() }).unwrap())
        .deadline(Duration::from_millis(200))
        .start()
        .await
        .unwrap();
    let error = store.head("k").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.blame(), Blame::Policy);
    assert_eq!(error.to_string(), "the component did not answer within 200ms");
}
