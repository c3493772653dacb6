//! What the users of the Elixir library `S3ArtifactStore` were promised, case by
//! case: its own tests, with the client mocked as its tests mock it.

#![expect(clippy::unwrap_used, reason = "tests")]

use artifact_s3::{Body, MemoryS3, MockS3, Object, ObjectInfo, S3Client, S3Error, S3ErrorKind};
use artifact_store::{ArtifactStore, ErrorKind};

async fn over(client: impl S3Client, prefix: &str) -> ArtifactStore {
    let builder = ArtifactStore::builder().bucket("test-bucket").prefix(prefix);
    builder.client(client).start().await.unwrap()
}

fn holds(body: &Body, bytes: &[u8]) -> bool {
    body.as_chunks().is_some_and(|chunks| chunks.concat() == bytes)
}

/// Expects so many puts of these bytes under this object key.
fn puts(times: usize, object_key: &'static str, bytes: &'static [u8]) -> MockS3 {
    let mut s3 = MockS3::new();
    s3.expect_put_object()
        .times(times)
        .withf(move |bucket, key, body, _| {
            bucket.as_str() == "test-bucket" && key.as_str() == object_key && holds(body, bytes)
        })
        .returning(|_, _, _, _| Ok(ObjectInfo::default()));
    s3
}

/// Expects one get of this object key, and answers.
fn gets(object_key: &'static str, answer: Result<&'static [u8], S3ErrorKind>) -> MockS3 {
    let mut s3 = MockS3::new();
    s3.expect_get_object()
        .times(1)
        .withf(move |bucket, key, _| bucket.as_str() == "test-bucket" && key.as_str() == object_key)
        .returning(move |_, _, _| match answer {
            Ok(bytes) => Ok(Object { info: ObjectInfo::default(), body: bytes.into() }),
            Err(kind) => Err(S3Error::new(kind, "as the test says")),
        });
    s3
}

/// Expects one delete of this object key, and answers.
fn deletes(object_key: &'static str, answer: Result<(), S3ErrorKind>) -> MockS3 {
    let mut s3 = MockS3::new();
    s3.expect_delete_object()
        .times(1)
        .withf(move |bucket, key, _| bucket.as_str() == "test-bucket" && key.as_str() == object_key)
        .returning(move |_, _, _| answer.map_err(|kind| S3Error::new(kind, "as the test says")));
    s3
}

async fn read(store: &ArtifactStore, key: &str) -> Vec<u8> {
    store.get(key).await.unwrap().bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn put_sends_bucket_prefixed_key_and_bytes() {
    let store = over(puts(1, "asm/patch-abc123", b"diff content"), "asm/").await;
    store.put("patch-abc123", "diff content").await.unwrap();
}

#[tokio::test]
async fn put_of_chunks_arrives_joined() {
    let store = over(puts(1, "asm/chunks", b"hello world"), "asm/").await;
    store.put("chunks", Body::from_chunks(["hello", " ", "world"])).await.unwrap();
}

#[tokio::test]
async fn put_that_s3_refuses_says_so_and_keeps_the_cause() {
    let mut s3 = MockS3::new();
    s3.expect_put_object().times(1).returning(|_, _, _, _| {
        Err(S3Error::new(S3ErrorKind::AccessDenied, "Access Denied").answered(
            403,
            Some("AccessDenied".to_owned()),
            Some("R1".to_owned()),
        ))
    });
    let error = over(s3, "asm/").await.put("k", "v").await.unwrap_err();
    // The original said `storage_error` for everything; ours keeps the meaning.
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    let s3 = error.s3().unwrap();
    assert_eq!(
        (s3.status(), s3.code(), s3.request_id()),
        (Some(403), Some("AccessDenied"), Some("R1"))
    );
}

#[tokio::test]
async fn put_of_the_same_key_twice_succeeds_twice() {
    let store = over(puts(2, "asm/same-key", b"v"), "asm/").await;
    store.put("same-key", "v").await.unwrap();
    store.put("same-key", "v").await.unwrap();
}

#[tokio::test]
async fn get_asks_for_the_prefixed_key_and_returns_the_bytes() {
    let store = over(gets("asm/my-artifact", Ok(b"data")), "asm/").await;
    assert_eq!(read(&store, "my-artifact").await, b"data");
}

#[tokio::test]
async fn get_of_a_missing_key_is_not_found_and_names_the_callers_key() {
    let store = over(gets("asm/nope", Err(S3ErrorKind::NoSuchKey)), "asm/").await;
    let error = store.get("nope").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.key(), Some("nope"));
    assert!(error.to_string().contains("nope") && !error.to_string().contains("asm/"), "{error}");
}

#[tokio::test]
async fn get_that_times_out_says_so_and_may_be_retried() {
    let store = over(gets("asm/k", Err(S3ErrorKind::Timeout)), "asm/").await;
    let error = store.get("k").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn get_returns_binary_bytes_intact() {
    let store = over(gets("asm/binary", Ok(&[0, 1, 2, 255, 128, 64])), "asm/").await;
    assert_eq!(read(&store, "binary").await, [0, 1, 2, 255, 128, 64]);
}

#[tokio::test]
async fn delete_asks_for_the_prefixed_key() {
    let store = over(deletes("asm/to-delete", Ok(())), "asm/").await;
    store.delete("to-delete").await.unwrap();
}

#[tokio::test]
async fn delete_of_a_missing_key_succeeds() {
    let store = over(deletes("asm/gone", Err(S3ErrorKind::NoSuchKey)), "asm/").await;
    store.delete("gone").await.unwrap();
}

#[tokio::test]
async fn delete_that_s3_refuses_says_so() {
    let store = over(deletes("asm/k", Err(S3ErrorKind::AccessDenied)), "asm/").await;
    assert_eq!(store.delete("k").await.unwrap_err().kind(), ErrorKind::AccessDenied);
}

#[tokio::test]
async fn an_empty_prefix_leaves_the_key_as_it_is() {
    let store = over(puts(1, "bare-key", b"v"), "").await;
    store.put("bare-key", "v").await.unwrap();
}

#[tokio::test]
async fn no_prefix_leaves_the_key_as_it_is() {
    let builder = ArtifactStore::builder().bucket("test-bucket");
    let store = builder.client(puts(1, "bare-key", b"v")).start().await.unwrap();
    store.put("bare-key", "v").await.unwrap();
}

#[tokio::test]
async fn put_get_delete_get_is_a_whole_life() {
    let store = over(MemoryS3::with_buckets(["test-bucket"]).unwrap(), "test/").await;
    store.put("life", "v").await.unwrap();
    assert_eq!(read(&store, "life").await, b"v");
    store.delete("life").await.unwrap();
    assert_eq!(store.get("life").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn every_other_failure_of_s3_has_its_code() {
    for (kind, code, retryable) in [
        (S3ErrorKind::NoSuchBucket, ErrorKind::StorageError, false),
        (S3ErrorKind::PreconditionFailed, ErrorKind::PreconditionFailed, false),
        (S3ErrorKind::NotModified, ErrorKind::NotModified, false),
        (S3ErrorKind::AccessDenied, ErrorKind::AccessDenied, false),
        (S3ErrorKind::Timeout, ErrorKind::Timeout, true),
        (S3ErrorKind::Throttled, ErrorKind::Unavailable, true),
        (S3ErrorKind::Unreachable, ErrorKind::Unavailable, true),
        (S3ErrorKind::InvalidRange, ErrorKind::StorageError, false),
        (S3ErrorKind::InvalidRequest, ErrorKind::StorageError, false),
        (S3ErrorKind::BodyFailed, ErrorKind::StorageError, false),
        (S3ErrorKind::Integrity, ErrorKind::StorageError, false),
        (S3ErrorKind::Service, ErrorKind::StorageError, false),
    ] {
        let error = over(gets("asm/k", Err(kind)), "asm/").await.get("k").await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (code, retryable), "{kind}");
        assert_eq!(error.s3().unwrap().kind(), kind);
    }
}

#[tokio::test]
async fn options_reach_the_client_untouched() {
    use artifact_store::{ContentHeaders, Encryption, PutOptions, WriteCondition};
    let options = PutOptions {
        content: ContentHeaders {
            content_type: Some("text/x-diff".to_owned()),
            expires: Some("Wed, 21 Oct 2026 07:28:00 GMT".to_owned()),
            ..Default::default()
        },
        metadata: vec![("run".to_owned(), "42".to_owned())],
        tags: vec![("team".to_owned(), "größe".to_owned())],
        condition: WriteCondition::IfMatch("abc".to_owned()),
        storage_class: Some("STANDARD_IA".to_owned()),
        encryption: Some(Encryption::Kms(Some("key".to_owned()))),
        acl: Some("private".to_owned()),
        ..Default::default()
    };
    let expected = options.clone();
    let mut s3 = MockS3::new();
    s3.expect_put_object()
        .times(1)
        .withf(move |_, _, _, options| *options == expected)
        .returning(|_, _, _, _| Ok(ObjectInfo::default()));
    over(s3, "asm/").await.put_with("k", "v", &options).await.unwrap();
}
