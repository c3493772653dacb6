//! Large bodies go in parts, and small ones in one request.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

#[path = "support/service.rs"]
mod service;
mod support;

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use artifact_s3::{
    Body, ConfigError, ContentHeaders, HttpS3, Multipart, PutOptions, S3Client,
    S3ErrorKind as Kind, WriteCondition,
};
use bytes::Bytes;
use futures::stream;
use service::{MIB, Operation, Rule, SMALL, Service, is_part};
use support::{bucket, key};

/// Bytes of which no two parts are alike.
fn noise(length: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(length);
    (0..length).map(|_| random.u8(..)).collect()
}

/// Chunks of an odd size.
fn streamed(bytes: &[u8], length: Option<u64>) -> Body {
    let chunks: Vec<io::Result<Bytes>> =
        bytes.chunks(77_777).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    Body::from_stream(stream::iter(chunks), length)
}

#[tokio::test]
async fn sizes_around_the_threshold_and_the_part_size() {
    for size in [0, 1, 5 * MIB, 6 * MIB - 1, 6 * MIB, 6 * MIB + 1, 10 * MIB, 10 * MIB + 1] {
        let bytes = noise(size);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        for body in [
            Body::from(bytes.clone()),
            Body::from_chunks(bytes.chunks(1_000_001).map(Bytes::copy_from_slice)),
            Body::from_file(file.path()).await.unwrap(),
            streamed(&bytes, Some(size)).into_replayable().await.unwrap(),
            streamed(&bytes, Some(size)),
            streamed(&bytes, None),
        ] {
            let shown = format!("{size} {body:?}");
            let service = Service::obedient().await;
            let s3 = service.client().await;
            let put = s3.put_object(&bucket(), &key("k"), body, &PutOptions::default()).await;
            let put = put.unwrap();
            assert_eq!(put.size, size, "{shown}");
            assert!(service.object().unwrap() == bytes, "{shown}");
            assert_eq!(put.etag.as_ref(), Some(&service.state().objects["k"].1), "{shown}");
            let parts = if size > SMALL.threshold { size.div_ceil(SMALL.part_size) } else { 0 };
            assert_eq!(service.count(is_part) as u64, parts, "{shown}");
            let whole = usize::from(parts == 0);
            assert_eq!(service.count(|operation| operation == Operation::Put), whole, "{shown}");
            assert!(service.unfinished().is_empty());
        }
    }
}

#[tokio::test]
async fn parts_go_up_at_once_and_not_too_many() {
    let slow = |call: &service::Call| match call.operation {
        Operation::Part(_) => Rule::Wait(Duration::from_millis(100)),
        _ => Rule::Obey,
    };
    for length in [None, Some(40 * MIB)] {
        let service = Service::start(slow).await;
        let bytes = noise(40 * MIB);
        let body = streamed(&bytes, length);
        let s3 = service.client().await;
        s3.put_object(&bucket(), &key("k"), body, &PutOptions::default()).await.unwrap();
        assert!(service.object().unwrap() == bytes);
        assert_eq!((service.count(is_part), service.state().parts_at_once), (8, 3));
    }
}

#[tokio::test]
async fn each_option_rides_where_it_counts() {
    let service = Service::obedient().await;
    let options = PutOptions {
        content: ContentHeaders {
            content_type: Some("text/x-patch".into()),
            ..ContentHeaders::default()
        },
        metadata: vec![("Owner".into(), "me".into())],
        tags: vec![("a".into(), "b".into())],
        condition: WriteCondition::IfAbsent,
        storage_class: Some("STANDARD_IA".into()),
        acl: Some("private".into()),
        encryption: Some(artifact_s3::Encryption::S3Managed),
        checksum: None,
    };
    let body = Body::from(noise(7 * MIB));
    let s3 = service.client().await;
    let put = s3.put_object(&bucket(), &key("k"), body, &options).await.unwrap();
    assert_eq!(put.version_id.as_deref(), Some("v7"));
    assert_eq!(put.content, options.content);
    assert_eq!(put.metadata, [("owner".to_owned(), "me".to_owned())]);
    let description = [
        ("content-type", "text/x-patch"),
        ("x-amz-meta-owner", "me"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-acl", "private"),
        ("x-amz-server-side-encryption", "AES256"),
    ];
    let create = service.only(Operation::Create);
    let complete = service.only(Operation::Complete);
    let part = service.only(Operation::Part(1));
    for (name, value) in description {
        assert_eq!(create.header(name).as_deref(), Some(value));
        assert_eq!((complete.header(name), part.header(name)), (None, None), "{name}");
    }
    assert_eq!(complete.header("if-none-match").as_deref(), Some("*"));
    assert_eq!((create.header("if-none-match"), part.header("if-none-match")), (None, None));
    assert_eq!(create.line(), "POST /test-bucket/k?uploads=");
    assert_eq!(part.line(), "PUT /test-bucket/k?partNumber=1&uploadId=upload-0");
    assert_eq!(complete.line(), "POST /test-bucket/k?uploadId=upload-0");
    // And they count: the second one meets the first one's object.
    let again = Body::from(noise(7 * MIB));
    let failed = s3.put_object(&bucket(), &key("k"), again, &options).await.unwrap_err();
    assert_eq!(failed.kind(), Kind::PreconditionFailed);
    assert!(service.unfinished().is_empty());
}

#[tokio::test]
async fn an_observer_sees_every_byte_once_and_in_order() {
    // Part 2 is sent twice.
    let rules = |call: &service::Call| match call.operation {
        Operation::Part(2) if call.before == 0 => {
            Rule::Say(service::error("503 Slow Down", "SlowDown"))
        }
        _ => Rule::Obey,
    };
    let bytes = noise(17 * MIB);
    for body in [Body::from(bytes.clone()), streamed(&bytes, None)] {
        let service = Service::start(rules).await;
        let seen: Arc<Mutex<Vec<u64>>> = Arc::default();
        let log = Arc::clone(&seen);
        let body = body.observed(move |bytes| log.lock().unwrap().push(bytes));
        let options = PutOptions {
            checksum: Some(artifact_s3::ChecksumAlgorithm::Crc32c),
            ..PutOptions::default()
        };
        service.client().await.put_object(&bucket(), &key("k"), body, &options).await.unwrap();
        let seen = seen.lock().unwrap();
        assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
        assert_eq!(seen.last(), Some(&(17 * MIB)));
    }
}

#[tokio::test]
async fn what_is_longer_than_any_object_is_refused_before_anything_is_sent() {
    let service = Service::obedient().await;
    let body = Body::from_reader(tokio::io::repeat(0), Some(Body::MAX_OBJECT + 1));
    let s3 = service.client().await;
    let failed =
        s3.put_object(&bucket(), &key("k"), body, &PutOptions::default()).await.unwrap_err();
    assert_eq!(failed.kind(), Kind::InvalidRequest);
    assert!(failed.message().contains("5 TiB"), "{failed}");
    assert!(service.state().calls.is_empty());
}

#[tokio::test]
async fn settings_that_s3_would_refuse_are_refused_with_what_to_set() {
    let good = Multipart::default();
    for (multipart, expected) in [
        (Multipart { part_size: 5 * MIB - 1, ..good }, "5242880"),
        (Multipart { part_size: Body::MAX_PUT + 1, ..good }, "5368709120"),
        (Multipart { threshold: Body::MAX_PUT + 1, ..good }, "5368709120"),
        (Multipart { parallel: 0, ..good }, "1 up to"),
        (Multipart { parallel: 1001, ..good }, "1000"),
    ] {
        let builder = HttpS3::builder().endpoint("http://127.0.0.1:1").multipart(multipart);
        let error = builder.build().await.unwrap_err();
        assert!(matches!(error, ConfigError::Multipart { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    for multipart in [
        good,
        SMALL,
        Multipart { threshold: 0, part_size: Body::MAX_PUT, parallel: 1000 },
        Multipart { threshold: Body::MAX_PUT, ..good },
    ] {
        let builder = HttpS3::builder().endpoint("http://127.0.0.1:1").multipart(multipart);
        assert!(builder.build().await.is_ok());
    }
}

#[tokio::test]
async fn a_threshold_of_nothing_still_sends_an_empty_body_whole() {
    let service = Service::obedient().await;
    let multipart = Multipart { threshold: 0, ..SMALL };
    let s3 = service.builder().multipart(multipart).build().await.unwrap();
    for body in [Body::empty(), streamed(&[], None)] {
        s3.put_object(&bucket(), &key("k"), body, &PutOptions::default()).await.unwrap();
    }
    assert_eq!(service.count(|operation| operation == Operation::Put), 2);
    s3.put_object(&bucket(), &key("k"), "x".into(), &PutOptions::default()).await.unwrap();
    assert_eq!(service.only(Operation::Part(1)).header("content-length").as_deref(), Some("1"));
    assert_eq!(service.object().unwrap(), b"x");
}
