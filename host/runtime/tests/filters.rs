//! Filters: what comes through them, and what comes of those that attack
//! (`guest/hostile-filter`).

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use artifact_s3::MemoryS3;
use artifact_store::{
    ArtifactStore, Blame, Body, ByteRange, ContentHeaders, Error, ErrorKind, Filter, FilterGrant,
    GetOptions, Limits, PutOptions, Sandbox, StoreBuilder, Supervision,
};
use bytes::Bytes;
use futures::{StreamExt, stream};

fn filter(attack: &str) -> Filter {
    Filter::from_bytes(artifact_guests::HOSTILE_FILTER).name("hostile").setting("attack", attack)
}

/// As many failures as a test likes.
fn builder(s3: &MemoryS3) -> StoreBuilder {
    let limits = Limits { fuel: 20_000_000, concurrent_calls: 8, ..Limits::default() };
    ArtifactStore::builder()
        .bucket("bucket")
        .client(s3.clone())
        .sandbox(Sandbox::new(limits).unwrap())
        .supervision(Supervision { failures: 1000, ..Supervision::default() })
}

async fn put_through(attack: &str) -> Error {
    let s3 = MemoryS3::new();
    let store = builder(&s3).filter(filter(attack)).start().await.unwrap();
    let error = store.put("k", vec![7; 1 << 20]).await.unwrap_err();
    assert!(s3.keys("bucket").is_empty(), "nothing is stored of a body that broke");
    serves_on(&store).await;
    error
}

/// Stores an artifact as it is, and reads it through the filter.
async fn get_through(attack: &str) -> Error {
    let s3 = MemoryS3::new();
    let plain = builder(&s3).start().await.unwrap();
    plain.put("k", vec![7; 1 << 20]).await.unwrap();
    let store = builder(&s3).filter(filter(attack)).start().await.unwrap();
    let error = match store.get("k").await {
        Ok(artifact) => artifact.bytes().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.key(), Some("k"));
    serves_on(&store).await;
    error
}

/// The calls that a filter has no part in pass.
async fn serves_on(store: &ArtifactStore) {
    store.list("").await.unwrap();
    store.delete("other").await.unwrap();
}

#[tokio::test]
async fn bytes_pass_through_filters_both_ways_and_beside_policies() {
    let s3 = MemoryS3::new();
    let policy = artifact_store::Policy::tenant("acme");
    let store =
        builder(&s3).filter(filter("")).policy(policy).filter(filter("")).start().await.unwrap();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    for size in [0, 1, 256 << 10, 3_000_000] {
        store.put("k", bytes[..size].to_vec()).await.unwrap();
        assert_eq!(store.get("k").await.unwrap().bytes().await.unwrap(), &bytes[..size]);
    }
    assert_eq!(s3.keys("bucket"), ["acme/k"]);
    assert_eq!(store.health().policies.len(), 3);
    assert!(store.health().is_well());
    let error = store.get("nope").await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_filter_takes_only_what_is_asked_of_it() {
    let s3 = MemoryS3::new();
    let plain = builder(&s3).start().await.unwrap();
    plain.put("k", "x").await.unwrap();
    let taken = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&taken);
    let endless = stream::repeat_with(move || {
        count.fetch_add(1, Ordering::Relaxed);
        Ok::<_, io::Error>(Bytes::from_static(&[1; 4 << 10]))
    });
    // A body without end, into a store that reads it for a while and is given up.
    let store = builder(&s3).filter(filter("")).start().await.unwrap();
    let put = store.put("endless", Body::from_stream(endless, None));
    assert!(tokio::time::timeout(Duration::from_millis(200), put).await.is_err());
    let at_the_end = taken.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(taken.load(Ordering::Relaxed), at_the_end, "whoever drops a put ends it");
    // Its room is free again.
    for _ in 0..20 {
        let half_read = store.get("k").await.unwrap();
        drop(half_read);
    }
    store.put("k", "v").await.unwrap();
}

#[tokio::test]
async fn a_get_holds_its_room_until_it_is_read() {
    let s3 = MemoryS3::new();
    let store =
        builder(&s3).filter(filter("")).deadline(Duration::from_millis(300)).start().await.unwrap();
    store.put("k", "v").await.unwrap();
    // Two instances for each call, and room for eight.
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(store.get("k").await.unwrap());
    }
    let error = store.get("k").await.err().unwrap();
    assert_eq!((error.kind(), error.blame()), (ErrorKind::Timeout, Blame::Host));
    assert_eq!(open.pop().unwrap().bytes().await.unwrap(), "v");
    assert_eq!(store.get("k").await.unwrap().bytes().await.unwrap(), "v");
}

#[tokio::test]
async fn a_range_through_a_filter_is_refused() {
    let s3 = MemoryS3::new();
    let store = builder(&s3).filter(filter("")).start().await.unwrap();
    store.put("k", "value").await.unwrap();
    let options = GetOptions { range: Some(ByteRange::Closed(1, 2)), ..Default::default() };
    let error = store.get_with("k", &options).await.err().unwrap();
    assert_eq!((error.kind(), error.blame()), (ErrorKind::InvalidRequest, Blame::Caller));
    assert_eq!(
        error.to_string(),
        "a range cannot be read through the filter \"hostile\": the stored bytes are not the \
         artifact's. Read all of it, or take the filter away"
    );
}

#[tokio::test]
async fn a_body_that_breaks_is_the_callers_and_not_the_filters() {
    let s3 = MemoryS3::new();
    let store = builder(&s3).filter(filter("")).start().await.unwrap();
    let pieces = [Ok(Bytes::from("hello")), Err(io::Error::other("the disk is gone"))];
    let error = store.put("k", Body::from_stream(stream::iter(pieces), None)).await.unwrap_err();
    assert_eq!(error.blame(), Blame::Caller);
    let cause = error.s3().unwrap();
    assert!(cause.message().contains("the disk is gone"), "{cause}");
    assert!(store.health().is_well());
    assert_eq!(store.health().policies[0].failures, 0);
}

#[tokio::test]
async fn whatever_a_filter_does_ends_in_an_error_that_names_it() {
    let limit = |what: &str| format!("the filter \"hostile\" went over its limit of {what}");
    let fuel = limit("fuel: allowed 20000000, asked for more");
    for (attack, message) in [
        ("loop-in-open", fuel.clone()),
        ("loop-in-push", fuel.clone()),
        ("loop-in-finish", fuel.clone()),
        ("loop-in-drop", fuel.clone()),
        ("trap-in-push", "the filter \"hostile\" trapped".to_owned()),
        ("trap-late", "the filter \"hostile\" trapped".to_owned()),
        ("grow", limit("growth (4 times what it was given): allowed 1114112, asked for 2097152")),
        ("ten-megabytes", limit("bytes handed to the host: allowed 4194304, asked for more")),
        (
            "more-and-none",
            "the filter \"hostile\" says that more is ready and gives none".to_owned(),
        ),
        (
            "never-ends",
            limit("growth (4 times what it was given): allowed 1114112, asked for 1179648"),
        ),
        ("hoard", limit("bytes of memory: allowed 16777216, asked for ")),
        ("refuse-at-finish", "the filter \"hostile\": it is not what I made".to_owned()),
        ("refuse-late", "the filter \"hostile\": not this one".to_owned()),
        (
            "terminal-escapes",
            "the filter \"hostile\": \u{fffd}[2J\u{fffd}\u{fffd}ok\u{fffd}".to_owned(),
        ),
    ] {
        for error in [put_through(attack).await, get_through(attack).await] {
            assert!(error.to_string().starts_with(&message), "{attack}: {error}");
            assert_eq!(error.blame(), Blame::Policy, "{attack}");
        }
    }
}

#[tokio::test]
async fn an_encoder_that_swallows_everything_stores_nothing() {
    let error = put_through("swallow").await;
    assert_eq!(
        error.to_string(),
        "the filter \"hostile\" made nothing of 1048576 bytes, which would be lost"
    );
}

#[tokio::test]
async fn output_is_bounded_by_the_grant() {
    let s3 = MemoryS3::new();
    let grant = FilterGrant::default().growth(100).output_bytes(100_000);
    let store = builder(&s3).filter(filter("grow").grant(grant)).start().await.unwrap();
    store.put("small", vec![0; 10_000]).await.unwrap();
    let error = store.put("k", vec![0; 20_000]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the filter \"hostile\" went over its limit of output bytes: allowed 100000, asked for \
         160000"
    );
}

#[tokio::test]
async fn a_filter_that_cannot_be_described_does_not_start() {
    let s3 = MemoryS3::new();
    for (attack, reason) in [
        ("encoding-with-a-line-end", "has a content encoding that is no HTTP token"),
        ("loop-in-describe", "went over its limit of fuel"),
    ] {
        let error = builder(&s3).filter(filter(attack)).start().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(reason), "{source}");
    }
}

#[tokio::test]
async fn a_filter_remembers_no_artifact() {
    let s3 = MemoryS3::new();
    let store = builder(&s3).filter(filter("keep-state")).start().await.unwrap();
    for _ in 0..3 {
        store.put("k", "v").await.unwrap();
        assert_eq!(store.get("k").await.unwrap().bytes().await.unwrap(), "v");
    }
}

#[tokio::test]
async fn a_filter_that_fails_while_it_is_read_is_set_aside() {
    let s3 = MemoryS3::new();
    builder(&s3).start().await.unwrap().put("k", vec![7; 1 << 20]).await.unwrap();
    let store = builder(&s3)
        .supervision(Supervision::default())
        .filter(filter("trap-late"))
        .start()
        .await
        .unwrap();
    for _ in 0..3 {
        let mut bytes = store.get("k").await.unwrap().into_stream();
        let mut last = None;
        while let Some(chunk) = bytes.next().await {
            last = Some(chunk);
        }
        assert_eq!(last.unwrap().unwrap_err().to_string(), "the filter \"hostile\" trapped");
    }
    let error = store.get("k").await.err().unwrap();
    assert!(error.to_string().contains("is set aside"), "{error}");
    // It has no part in these.
    store.head("k").await.unwrap();
    store.delete("k").await.unwrap();
}

#[tokio::test]
async fn a_policy_is_no_filter() {
    let s3 = MemoryS3::new();
    let policy = Filter::from_bytes(artifact_guests::policies::READ_ONLY).name("mistaken");
    let error = builder(&s3).filter(policy).start().await.unwrap_err();
    assert!(
        error.to_string().contains("which the world `content-filter` does not grant"),
        "{error}"
    );
}

#[tokio::test]
async fn headers_that_a_caller_sets_stay_as_they_are() {
    let s3 = MemoryS3::new();
    let store = builder(&s3).filter(filter("")).start().await.unwrap();
    let content = ContentHeaders {
        content_type: Some("text/plain".to_owned()),
        content_encoding: Some("br".to_owned()),
        expires: Some("Wed, 21 Oct 2026 07:28:00 GMT".to_owned()),
        ..Default::default()
    };
    let options = PutOptions { content: content.clone(), ..Default::default() };
    store.put_with("k", "v", &options).await.unwrap();
    assert_eq!(store.head("k").await.unwrap().content, content);
    assert_eq!(store.get("k").await.unwrap().info().content, content);
}

#[tokio::test]
async fn a_key_in_the_settings_shows_nowhere() {
    let key = "5ec2e7".repeat(11) + "00";
    let filter = Filter::encrypt(&key);
    let builder = ArtifactStore::builder().bucket("bucket").filter(filter.clone());
    for shown in [format!("{filter:?}"), format!("{builder:?}")] {
        assert!(shown.contains(r#"{"key"}"#) && !shown.contains("5ec2e7"), "{shown}");
    }
    let s3 = MemoryS3::new();
    let store = self::builder(&s3).filter(filter.setting("key", "5ec2e7")).start().await.unwrap();
    let error = store.put("k", "v").await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("5ec2e7"), "{error:?}");
}
