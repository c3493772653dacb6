//! The policy `content-addressed`, with digests that the host computes.

use artifact_s3::{ChecksumAlgorithm, MockS3, ObjectInfo};
use artifact_store::WriteCondition;

use super::*;

/// SHA-256 of `abc` and of nothing: FIPS 180-2, appendix B.1, and NIST's test vectors.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn assigning() -> Policy {
    Policy::content_addressed().setting("mode", "assign")
}

#[tokio::test]
async fn a_key_must_end_in_the_digest_of_the_bytes() {
    let s3 = bucket();
    let store = over(&s3, [Policy::content_addressed()]).await;
    let key = format!("patches/{ABC}.patch");
    store.put(&key, "abc").await.unwrap();
    assert_eq!(store.get(&key).await.unwrap().bytes().await.unwrap(), "abc");
    store.put(NOTHING, "").await.unwrap();

    for key in [NOTHING, "patches/fix", &format!("{ABC}/fix"), "{sha256}", &ABC.to_uppercase()] {
        let message = format!(
            "the last segment of the key must be the SHA-256 of the bytes, {ABC}: put of {key} is \
             refused"
        );
        assert_denied(store.put(key, "abc").await, &message);
    }
    assert_eq!(s3.keys(BUCKET), [NOTHING, &key]);
    assert!(s3.object(BUCKET, NOTHING).unwrap().bytes.is_empty());
}

#[tokio::test]
async fn a_placeholder_becomes_the_digest_in_the_mode_that_assigns() {
    let s3 = bucket();
    let store = over(&s3, [assigning()]).await;
    store.put("patches/{sha256}.patch", "abc").await.unwrap();
    store.put(NOTHING, "").await.unwrap();
    let key = format!("patches/{ABC}.patch");
    assert_eq!(keys(&store, "").await, [NOTHING, &key]);
    assert_eq!(store.head(&key).await.unwrap().size, 3);

    for key in ["patches/fix", "{sha256}/fix", NOTHING] {
        let error = store.put(key, "abc").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PolicyDenied, "{key}");
        assert!(error.to_string().contains(ABC), "{error}");
    }
    assert_eq!(s3.len(), 2);
}

#[tokio::test]
async fn bytes_that_come_only_once_are_still_there_to_be_stored() {
    let s3 = bucket();
    let store = over(&s3, [assigning()]).await;
    store.put("{sha256}", once(["a", "bc"])).await.unwrap();
    assert_eq!(s3.object(BUCKET, ABC).unwrap().bytes, "abc");
    let refused = over(&s3, [Policy::content_addressed()]).await.put("k", once(["abc"])).await;
    assert!(refused.unwrap_err().to_string().contains(ABC));

    let broken = [Ok(Bytes::from("ab")), Err(std::io::Error::other("the disk is gone"))];
    let broken = Body::from_stream(futures::stream::iter(broken), None);
    let error = store.put("{sha256}", broken).await.unwrap_err();
    assert_eq!(error.blame(), Blame::Caller);
    assert_eq!(s3.keys(BUCKET), [ABC]);
}

#[tokio::test]
async fn the_same_bytes_can_be_put_again_and_other_bytes_never_come_in_their_place() {
    let s3 = bucket();
    let store = over(&s3, [Policy::content_addressed()]).await;
    store.put(ABC, "abc").await.unwrap();
    store.put(ABC, "abc").await.unwrap();
    let absent = PutOptions { condition: WriteCondition::IfAbsent, ..Default::default() };
    let taken = store.put_with(ABC, "abc", &absent).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::PreconditionFailed);
    store.put(ABC, "other").await.unwrap_err();
    assert_eq!(s3.object(BUCKET, ABC).unwrap().bytes, "abc");
    store.delete(ABC).await.unwrap();
    assert!(s3.is_empty());
}

#[tokio::test]
async fn what_was_there_before_can_be_read_and_deleted() {
    let s3 = bucket();
    place(&s3, "old/name").await;
    let store = over(&s3, [Policy::content_addressed()]).await;
    assert_eq!(store.get("old/name").await.unwrap().bytes().await.unwrap(), "v");
    assert_eq!(store.head("old/name").await.unwrap().size, 1);
    assert_eq!(keys(&store, "old/").await, ["old/name"]);
    assert_eq!(store.get("nope").await.unwrap_err().to_string(), "artifact not found: nope");
    store.delete("old/name").await.unwrap();
    assert!(s3.is_empty());
}

#[tokio::test]
async fn the_service_is_asked_to_verify_unless_the_caller_asks_for_something_else() {
    for (asked, sent) in [
        (None, ChecksumAlgorithm::Sha256),
        (Some(ChecksumAlgorithm::Crc32), ChecksumAlgorithm::Crc32),
    ] {
        let mut s3 = MockS3::new();
        s3.expect_put_object()
            .times(1)
            .withf(move |_, key, _, options| key.as_str() == ABC && options.checksum == Some(sent))
            .returning(|_, _, _, _| Ok(ObjectInfo::default()));
        let policy = Policy::content_addressed();
        let store = ArtifactStore::builder()
            .bucket(BUCKET)
            .client(s3)
            .policy(policy)
            .start()
            .await
            .unwrap();
        let options = PutOptions { checksum: asked, ..Default::default() };
        store.put_with(ABC, "abc", &options).await.unwrap();
    }
}

#[tokio::test]
async fn stands_in_front_of_a_tenant() {
    let s3 = bucket();
    let store = over(&s3, [assigning(), tenant("acme")]).await;
    store.put("{sha256}", once(["abc"])).await.unwrap();
    assert_eq!(s3.keys(BUCKET), [format!("acme/{ABC}")]);
}

#[tokio::test]
async fn refuses_every_call_with_a_setting_that_it_does_not_understand() {
    let s3 = bucket();
    for (name, value, message) in [
        ("mode", "x", "the setting `mode` is wrong: `x` is neither `require` nor `assign`"),
        ("modus", "assign", "there is no setting `modus`: there is `mode`"),
    ] {
        let store = over(&s3, [Policy::content_addressed().setting(name, value)]).await;
        assert_denied(store.put(ABC, "abc").await, message);
        assert_denied(store.get(ABC).await, message);
        assert_denied(store.head(ABC).await, message);
        assert_denied(store.delete(ABC).await, message);
        assert_denied(store.list("").await, message);
    }
    assert!(s3.is_empty());
}

#[tokio::test]
async fn needs_the_digest_to_be_granted() {
    assert_import_not_granted(
        Policy::content_addressed().grant(PolicyGrant::all().clock(true).log(1)),
        "content-addressed",
        "agent:artifacts/digest",
        "`PolicyGrant::digest(true)`, or `digest = true` in artifacts.toml",
    )
    .await;
}

/// A digest has all bytes read, so it counts like a call.
#[tokio::test]
async fn needs_two_calls() {
    let granted = |calls| {
        let grant = PolicyGrant::all().digest(true).next_calls(calls);
        Policy::content_addressed().grant(grant)
    };
    let s3 = bucket();
    let error = over(&s3, [granted(1)]).await.put(ABC, "abc").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PolicyFailed);
    assert!(s3.is_empty());
    over(&s3, [granted(2)]).await.put(ABC, "abc").await.unwrap();
}
