//! An S3 client that is a component: what it is good for, and what comes of one that
//! attacks its host. The attacks are in `guest/hostile-s3`; that an honest one does as S3
//! does, `tests/contract` shows.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{io, time::Duration};

use artifact_s3::{
    Body, Bucket, DeleteOptions, GetOptions, ListOptions, ObjectInfo, ObjectKey, PutOptions,
    S3Client, S3Error, S3ErrorKind,
};
use artifact_store::{ArtifactStore, ComponentS3, ComponentS3Builder, ErrorKind, Limits, Sandbox};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future, stream};

const MIB: usize = 1 << 20;

fn sandbox() -> Sandbox {
    let limits = Limits {
        fuel: 200_000_000,
        memory_bytes: 64 * MIB,
        concurrent_calls: 8,
        ..Limits::default()
    };
    Sandbox::new(limits).unwrap()
}

fn memory() -> ComponentS3Builder {
    ComponentS3::from_bytes(artifact_guests::MEMORY_S3).name("memory").sandbox(sandbox())
}

async fn hostile(attack: &str) -> ComponentS3 {
    let client = ComponentS3::from_bytes(artifact_guests::HOSTILE_S3).setting("attack", attack);
    client.name("hostile").sandbox(sandbox()).start().await.unwrap()
}

fn bucket() -> Bucket {
    Bucket::parse("bucket").unwrap()
}

fn key(key: &str) -> ObjectKey {
    ObjectKey::parse(key).unwrap()
}

async fn put(s3: &ComponentS3, name: &str, body: impl Into<Body>) -> Result<ObjectInfo, S3Error> {
    s3.put_object(&bucket(), &key(name), body.into(), &PutOptions::default()).await
}

async fn open(s3: &ComponentS3, name: &str) -> Result<Body, S3Error> {
    let object = s3.get_object(&bucket(), &key(name), &GetOptions::default()).await?;
    Ok(object.body)
}

/// All bytes, or why there are none: at the opening, or while they came.
async fn read(s3: &ComponentS3, name: &str) -> Result<Bytes, S3Error> {
    Ok(open(s3, name).await?.bytes().await?)
}

async fn head(s3: &ComponentS3) -> Result<ObjectInfo, S3Error> {
    s3.head_object(&bucket(), &key("k"), &GetOptions::default()).await
}

async fn list(s3: &ComponentS3) -> Result<usize, S3Error> {
    let options = ListOptions { prefix: "a/".to_owned(), ..Default::default() };
    Ok(s3.list_objects(&bucket(), &options).await?.objects.len())
}

/// Bytes in which no two blocks are alike.
fn pattern(length: usize) -> Vec<u8> {
    (0..length / 4).flat_map(|n| (n as u64).to_le_bytes().into_iter().take(4)).collect()
}

/// A body that sends some bytes and then never ends.
fn stuck(bytes: impl Into<Bytes>) -> Body {
    let first = stream::iter([io::Result::Ok(bytes.into())]);
    Body::from_stream(first.chain(stream::pending()), None)
}

#[tokio::test]
async fn a_large_body_streams_through_both_ways_in_small_chunks() {
    let s3 = memory().setting("capacity", (32 * MIB).to_string()).start().await.unwrap();
    let bytes = Bytes::from(pattern(8 * MIB));
    let chunks = bytes.chunks(300_000).map(|chunk| io::Result::Ok(bytes.slice_ref(chunk)));
    let body = Body::from_stream(stream::iter(chunks.collect::<Vec<_>>()), None);
    assert_eq!(put(&s3, "k", body).await.unwrap().size, bytes.len() as u64);

    let body = open(&s3, "k").await.unwrap();
    assert_eq!(body.length(), Some(bytes.len() as u64));
    let mut position = 0;
    let mut stream = body.into_stream();
    while let Some(chunk) = stream.try_next().await.unwrap() {
        assert!(chunk.len() <= 64 * 1024, "{} bytes at once", chunk.len());
        assert_eq!(chunk, bytes[position..position + chunk.len()], "at {position}");
        position += chunk.len();
    }
    assert_eq!(position, bytes.len());
}

#[tokio::test]
async fn a_thousand_bodies_that_are_dropped_half_read_leak_nothing() {
    let limits = Limits { handles: 4, memory_bytes: 8 * MIB, ..Limits::default() };
    let s3 = memory().limits(limits).start().await.unwrap();
    put(&s3, "k", pattern(200_000)).await.unwrap();
    for n in 0..1000 {
        let mut stream = open(&s3, "k").await.unwrap().into_stream();
        if n % 2 == 0 {
            assert!(!stream.try_next().await.unwrap().unwrap().is_empty());
        }
    }
    assert_eq!(read(&s3, "k").await.unwrap(), pattern(200_000));
}

#[tokio::test]
async fn a_thousand_puts_that_are_given_up_leak_nothing() {
    let limits = Limits { handles: 4, memory_bytes: 8 * MIB, ..Limits::default() };
    let s3 = memory().limits(limits).setting("capacity", MIB.to_string()).start().await.unwrap();
    for _ in 0..1000 {
        let put = put(&s3, "k", stuck(vec![7; 100_000]));
        // Long enough for the bytes to be there, or not: whatever comes first.
        let given_up = tokio::time::timeout(Duration::from_micros(500), put).await;
        assert!(given_up.is_err());
    }
    // Nearly all of the capacity: so those bytes are gone.
    let most = pattern(MIB - 10_000);
    put(&s3, "k", most.clone()).await.unwrap();
    assert_eq!(read(&s3, "k").await.unwrap(), most);
    let full = put(&s3, "more", vec![0; 20_000]).await.unwrap_err();
    assert_eq!((full.status(), full.code()), (Some(507), Some("InsufficientStorage")));
}

#[tokio::test]
async fn calls_run_side_by_side_while_their_bytes_are_on_the_way() {
    let s3 = memory().start().await.unwrap();
    let names: Vec<String> = (0..32).map(|n| format!("k{n:02}")).collect();
    future::try_join_all(names.iter().map(|name| put(&s3, name, pattern(100_000 + name.len()))))
        .await
        .unwrap();
    // All of them are open before the first is read.
    let bodies = future::try_join_all(names.iter().map(|name| open(&s3, name))).await.unwrap();
    let slow = put(&s3, "slow", stuck("1"));
    tokio::pin!(slow);
    assert!(tokio::time::timeout(Duration::from_millis(20), &mut slow).await.is_err());
    for bytes in future::try_join_all(bodies.into_iter().map(Body::bytes)).await.unwrap() {
        assert_eq!(bytes, pattern(100_003));
    }
}

#[tokio::test]
async fn a_call_that_would_open_one_body_too_many_waits_for_another_to_be_dropped() {
    let limits = Limits { handles: 2, ..Limits::default() };
    let s3 = memory().limits(limits).start().await.unwrap();
    put(&s3, "k", "v").await.unwrap();
    let held = [open(&s3, "k").await.unwrap(), open(&s3, "k").await.unwrap()];
    let third = open(&s3, "k");
    tokio::pin!(third);
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut third).await.is_err());
    // What opens no body goes on.
    assert_eq!(head(&s3).await.unwrap().size, 1);
    drop(held);
    assert_eq!(third.await.unwrap().bytes().await.unwrap(), "v");
}

#[tokio::test]
async fn a_store_works_on_it_in_the_same_sandbox() {
    let sandbox = sandbox();
    let client = memory().sandbox(sandbox.clone()).setting("buckets", "bucket, other");
    let client = client.start().await.unwrap();
    let store = |bucket: &str| {
        ArtifactStore::builder().bucket(bucket).client(client.clone()).sandbox(sandbox.clone())
    };
    let (first, second) =
        (store("bucket").start().await.unwrap(), store("missing").start().await.unwrap());
    first.put("k", "v").await.unwrap();
    assert_eq!(first.get("k").await.unwrap().bytes().await.unwrap(), "v");
    let error = second.put("k", "v").await.unwrap_err();
    assert_eq!(error.s3().unwrap().kind(), S3ErrorKind::NoSuchBucket);
}

#[tokio::test]
async fn settings_that_are_wrong_are_told_in_every_call() {
    let s3 = memory().setting("capacity", "much").start().await.unwrap();
    for error in [put(&s3, "k", "v").await.unwrap_err(), head(&s3).await.unwrap_err()] {
        assert!(error.message().contains("the setting `capacity` is \"much\""), "{error}");
    }
    assert!(!format!("{s3:?}").contains("much"), "settings may hold secrets");
}

#[tokio::test]
async fn a_trap_fails_its_call_and_what_was_open_and_the_next_call_meets_a_fresh_instance() {
    let s3 = hostile("").await;
    assert_eq!(head(&s3).await.unwrap().size, 0);
    assert_eq!(head(&s3).await.unwrap().size, 1, "it keeps what it knows");
    let mut half_read = open(&s3, "k").await.unwrap().into_stream();
    assert!(half_read.try_next().await.unwrap().is_some());
    let (go_on, gone_on) = tokio::sync::oneshot::channel();
    let rest = stream::once(async move {
        gone_on.await.map_err(io::Error::other)?;
        io::Result::Ok(Bytes::from_static(b"rest"))
    });
    let body = stream::iter([io::Result::Ok(Bytes::from_static(b"some"))]).chain(rest);
    let half_put = tokio::spawn({
        let s3 = s3.clone();
        async move { put(&s3, "k", Body::from_stream(body.boxed(), None)).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;

    let trap = s3.delete_object(&bucket(), &key("k"), &DeleteOptions::default()).await;
    let trap = trap.unwrap_err();
    assert_eq!(
        trap.to_string(),
        "DeleteObject of \"bucket/k\": service error: the S3 client \"hostile\" trapped; what it \
         kept is lost"
    );
    assert!(!trap.is_retryable(), "the same call would trap again");

    assert_eq!(head(&s3).await.unwrap().size, 0, "a fresh instance");
    go_on.send(()).unwrap();
    let lost: S3Error = half_read.try_next().await.unwrap_err().into();
    for lost in [lost, half_put.await.unwrap().unwrap_err()] {
        assert_eq!((lost.kind(), lost.is_retryable()), (S3ErrorKind::Unreachable, true));
        assert!(lost.message().contains("the bytes that were on their way are lost"), "{lost}");
    }
    assert_eq!(head(&s3).await.unwrap().size, 1, "those did no harm");
    assert_eq!(read(&s3, "k").await.unwrap().len(), 200_000);
}

#[tokio::test]
async fn each_limit_is_named_and_the_client_serves_on() {
    for (attack, expected) in [
        ("loop", "went over its limit of fuel: allowed 200000000, asked for more"),
        ("memory", "went over its limit of bytes of memory: allowed 67108864, asked for "),
        ("trap", "trapped"),
        ("many-handles", "went over its limit of handles: allowed 64, asked for more"),
        ("huge-message", "went over its limit of bytes handed to the host: allowed 4194304, "),
        // Descriptions that are too large are refused, and no trap.
        ("much-metadata", "gave a description that no object has"),
        ("injection", "gave a description that no object has"),
    ] {
        let s3 = hostile(attack).await;
        for _ in 0..2 {
            let error = head(&s3).await.unwrap_err();
            let expected = format!("the S3 client \"hostile\" {expected}");
            assert!(error.message().starts_with(&expected), "{attack}: {error}");
            assert_eq!(error.kind(), S3ErrorKind::Service, "{attack}");
        }
        if !["much-metadata", "injection"].contains(&attack) {
            assert_eq!(read(&s3, "k").await.unwrap().len(), 200_000, "{attack}");
        }
    }
}

#[tokio::test]
async fn a_refusal_that_the_client_survived_does_not_explain_a_later_trap() {
    let s3 = hostile("memory-survived").await;
    assert!(head(&s3).await.is_ok());
    let trap = s3.delete_object(&bucket(), &key("k"), &DeleteOptions::default()).await;
    assert!(trap.unwrap_err().message().ends_with("trapped; what it kept is lost"));
}

#[tokio::test]
async fn a_body_that_lies_fails_and_ends() {
    for (attack, expected) in [
        ("endless", "gave more bytes than it said"),
        ("short", "ended a body 100000 bytes before its end"),
        ("big-chunk", "gave 65537 bytes at once, and 65536 were asked for"),
        ("lying-length", "gave a body of 200001 bytes, where 200000 were asked for"),
        ("huge-chunk", "went over its limit of bytes handed to the host: allowed 4194304, "),
        ("trap-in-read", "trapped"),
        ("loop-in-read", "went over its limit of fuel"),
    ] {
        let s3 = hostile(attack).await;
        for _ in 0..2 {
            let error = read(&s3, "k").await.unwrap_err();
            let expected = format!("the S3 client \"hostile\" {expected}");
            assert!(error.message().starts_with(&expected), "{attack}: {error}");
        }
        assert!(head(&s3).await.is_ok(), "{attack}");
    }
    let error = read(&hostile("failing-read").await, "k").await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (S3ErrorKind::Unreachable, true));
    assert_eq!(error.message(), "no\u{fffd}[2J");
}

#[tokio::test]
async fn a_put_is_no_success_without_a_receipt_for_all_of_it() {
    let error = put(&hostile("wrong-receipt").await, "k", "12345678").await.unwrap_err();
    assert_eq!(
        error.message(),
        "the S3 client \"hostile\" gave a receipt for 4 bytes, and 8 were sent"
    );
    for attack in ["trap-in-write", "loop-in-write"] {
        let s3 = hostile(attack).await;
        assert_eq!(put(&s3, "k", "12345678").await.unwrap_err().kind(), S3ErrorKind::Service);
        assert!(head(&s3).await.is_ok());
    }
}

#[tokio::test]
async fn a_destructor_that_fails_harms_the_client_alone() {
    for attack in ["trap-in-drop", "loop-in-drop"] {
        let s3 = hostile(attack).await;
        assert_eq!(head(&s3).await.unwrap().size, 0);
        drop(open(&s3, "k").await.unwrap());
        assert_eq!(head(&s3).await.unwrap().size, 0, "{attack}: a fresh instance");
        assert_eq!(head(&s3).await.unwrap().size, 1, "{attack}");
    }
}

#[tokio::test]
async fn listings_and_errors_are_checked() {
    for (attack, expected) in [
        ("listing-outside", "listed \"elsewhere\", which does not begin as was asked"),
        ("listing-dots", "listed \"a/../x\", which is no key"),
        ("listing-much", "listed 1001 entries, and 1000 were asked for"),
    ] {
        let error = list(&hostile(attack).await).await.unwrap_err();
        assert!(error.message().contains(expected), "{error}");
    }
    for attack in ["not-granted", "body-failed", "long-message"] {
        let error = head(&hostile(attack).await).await.unwrap_err();
        assert_eq!(error.kind(), S3ErrorKind::Service, "{attack}: not its to say");
        assert!(error.message().len() < 1100 && !error.message().contains('\u{1b}'));
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_is_ended_by_its_fuel_and_costs_the_client_nothing() {
    let s3 = memory().start().await.unwrap();
    put(&s3, "k", "v").await.unwrap();
    for _ in 0..100 {
        // Dropped once it was begun, most of them while they run or wait.
        assert!(future::poll_immediate(put(&s3, "other", pattern(100_000))).await.is_none());
        tokio::task::yield_now().await;
    }
    assert_eq!(read(&s3, "k").await.unwrap(), "v");

    let looping = hostile("loop").await;
    assert!(future::poll_immediate(head(&looping)).await.is_none());
    tokio::task::yield_now().await;
    assert_eq!(read(&looping, "k").await.unwrap().len(), 200_000);
}

#[tokio::test]
async fn it_takes_room_for_as_long_as_it_lives() {
    let limits = Limits { concurrent_calls: 2, ..Limits::default() };
    let sandbox = Sandbox::new(limits).unwrap();
    let start = || memory().sandbox(sandbox.clone()).start();
    let first = start().await.unwrap();
    let error = start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert!(error.to_string().contains("raise `concurrent_calls`"), "{error}");
    put(&first, "k", "v").await.unwrap();
    let body = open(&first, "k").await.unwrap();
    drop(first);
    assert!(start().await.is_err(), "a body is still open");
    assert_eq!(body.bytes().await.unwrap(), "v");
    assert!(start().await.is_ok());
}

#[tokio::test]
async fn what_is_no_client_is_refused_by_name_before_it_is_compiled() {
    async fn refusal(bytes: &[u8]) -> String {
        let error = ComponentS3::from_bytes(bytes).sandbox(sandbox()).start().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        error.to_string()
    }
    assert_eq!(refusal(b"hello").await, "the S3 client is no WebAssembly component");
    assert_eq!(
        refusal(&wat::parse_str("(component)").unwrap()).await,
        "the S3 client does not export `agent:artifacts/objects`: it is no component of the world \
         `s3-client`"
    );
    assert_eq!(
        refusal(artifact_guests::STORE).await,
        "the S3 client imports `agent:artifacts/objects@0.2.0`, `agent:artifacts/s3@0.2.0`, which \
         the world `s3-client` does not grant: it may import agent:artifacts/types, wasi:config/store"
    );
    let greedy = r#"(component (import "wasi:http/outgoing-handler@0.2.0" (instance)))"#;
    let refused = refusal(&wat::parse_str(greedy).unwrap()).await;
    assert!(refused.contains("imports `wasi:http/outgoing-handler@0.2.0`"), "{refused}");
}

#[tokio::test]
async fn limits_beyond_the_sandboxs_are_refused_at_the_start() {
    let limits = Limits { memory_bytes: 65 * MIB, ..Limits::default() };
    let error = memory().limits(limits).start().await.unwrap_err();
    assert!(error.to_string().contains("raise `memory_bytes`"), "{error}");
}
