//! Bodies on their way: whole, cut short, too long, slow, and tried again.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use artifact_s3::{
    Body, ChecksumAlgorithm, DeleteOptions, GetOptions, Multipart, ObjectInfo, PutOptions,
    RetryPolicy, S3Client, S3Error, S3ErrorKind as Kind, WriteCondition,
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use support::{Act, Server, bucket, error, key, nobody::Nobody, ok, response};

const BIG: usize = 3 * 1024 * 1024;

/// Nothing goes in parts.
const WHOLE: Multipart = Multipart { threshold: Body::MAX_PUT, part_size: 8 << 20, parallel: 4 };

async fn put(server: &Server, body: Body) -> Result<ObjectInfo, S3Error> {
    server.client().await.put_object(&bucket(), &key("k"), body, &PutOptions::default()).await
}

fn chunks(chunks: &[&'static str]) -> Vec<io::Result<Bytes>> {
    chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect()
}

/// Three MiB in pieces of one KiB.
fn big_stream(declared: Option<u64>) -> Body {
    let pieces = (0..BIG / 1024).map(|n| Ok(Bytes::from(vec![n.to_le_bytes()[0]; 1024])));
    Body::from_stream(stream::iter(pieces), declared)
}

fn big_bytes() -> Vec<u8> {
    (0..BIG / 1024).flat_map(|n| vec![n.to_le_bytes()[0]; 1024]).collect()
}

#[tokio::test]
async fn every_kind_of_body_is_sent_with_its_length_and_not_chunked() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"hello world").unwrap();
    let bodies = [
        Body::from("hello world"),
        Body::from_chunks(["hello", " ", "world"]),
        Body::from_file(file.path()).await.unwrap(),
        Body::from_stream(stream::iter(chunks(&["hello", "", " world"])), Some(11)),
        Body::from_stream(stream::iter(chunks(&["hello", " world"])), None),
    ];
    let server = Server::start([const { ok }; 5].map(|ok| ok())).await;
    for body in bodies {
        let shown = format!("{body:?}");
        assert_eq!(put(&server, body).await.unwrap().size, 11, "{shown}");
    }
    for seen in server.requests() {
        assert_eq!(seen.header("content-length").as_deref(), Some("11"));
        assert_eq!(seen.header("transfer-encoding"), None);
        assert_eq!(seen.body(), b"hello world");
    }
}

#[tokio::test]
async fn an_empty_body_has_the_length_0() {
    let server = Server::start([ok(), ok(), ok()]).await;
    for body in [
        Body::empty(),
        Body::from_stream(stream::empty(), Some(0)),
        Body::from_stream(stream::empty(), None),
    ] {
        assert_eq!(put(&server, body).await.unwrap().size, 0);
    }
    assert_eq!(server.requests().len(), 3);
    for seen in server.requests() {
        assert_eq!(seen.header("content-length").as_deref(), Some("0"));
    }
}

#[tokio::test]
async fn large_bodies_arrive_equal() {
    let server = Server::start([ok(), ok(), ok()]).await;
    put(&server, big_stream(Some(BIG as u64))).await.unwrap();
    put(&server, big_stream(None)).await.unwrap();
    put(&server, Body::from(big_bytes())).await.unwrap();
    for seen in server.requests() {
        assert!(seen.body() == big_bytes());
    }
}

#[tokio::test]
async fn a_body_that_does_not_keep_its_word_fails_and_never_arrives_whole() {
    for (declared, given) in [
        (11, vec!["hello", " worl"]),
        (10, vec!["hello", " world"]),
        (5, vec!["hello", " world"]),
        (5, vec!["hello", "", "!"]),
        (11, vec![]),
        (0, vec!["x"]),
    ] {
        let server = Server::start([ok(), ok()]).await;
        let body = Body::from_stream(stream::iter(chunks(&given)), Some(declared));
        let error = put(&server, body).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (Kind::BodyFailed, false), "{given:?}");
        assert!(error.message().contains(&declared.to_string()), "{error}");
        assert_eq!(error.attempts(), 1);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let requests = server.requests();
        assert!(requests.len() <= 1, "{requests:?}");
        assert!(requests.iter().all(|seen| !seen.complete), "{given:?}: {requests:?}");
    }
}

#[tokio::test]
async fn so_does_one_that_carries_a_checksum() {
    let server = Server::start([]).await;
    let options = PutOptions { checksum: Some(ChecksumAlgorithm::Crc32), ..PutOptions::default() };
    let body = Body::from_stream(stream::iter(chunks(&["abc"])), Some(4));
    let error =
        server.client().await.put_object(&bucket(), &key("k"), body, &options).await.unwrap_err();
    assert_eq!(error.kind(), Kind::BodyFailed);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_stream_with_a_checksum_is_sent_with_it() {
    let server = Server::start([ok()]).await;
    let options = PutOptions { checksum: Some(ChecksumAlgorithm::Crc32), ..PutOptions::default() };
    let body = Body::from_stream(stream::iter(chunks(&["12345", "6789"])), Some(9));
    server.client().await.put_object(&bucket(), &key("k"), body, &options).await.unwrap();
    assert_eq!(server.only().header("x-amz-checksum-crc32").as_deref(), Some("y/Q5Jg=="));
    assert_eq!(server.only().body(), b"123456789");
}

#[tokio::test]
async fn a_body_that_breaks_fails_the_put_with_its_cause() {
    let server = Server::start([ok()]).await;
    let mut pieces = chunks(&["hello"]);
    pieces.push(Err(io::Error::other("the disk is gone")));
    let error = put(&server, Body::from_stream(stream::iter(pieces), Some(11))).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (Kind::BodyFailed, false));
    assert!(error.message().contains("the disk is gone"), "{error}");
    assert!(server.requests().iter().all(|seen| !seen.complete));
}

#[tokio::test]
async fn a_download_may_take_long_but_not_stand_still() {
    let idle = Duration::from_millis(300);
    let drip = Act::Drip(Duration::from_millis(60), response("200 OK", &[], b"0123456789"));
    let mut stuck = response("200 OK", &[], b"0123456789");
    stuck.truncate(stuck.len() - 5);
    let server = Server::start([drip, Act::Answer(stuck)]).await;
    let s3 = server.builder().idle_timeout(idle).build().await.unwrap();
    let began = Instant::now();
    let object = s3.get_object(&bucket(), &key("k"), &GetOptions::default()).await.unwrap();
    assert_eq!(object.body.bytes().await.unwrap(), "0123456789");
    assert!(began.elapsed() > idle);
    let object = s3.get_object(&bucket(), &key("k"), &GetOptions::default()).await.unwrap();
    let error = S3Error::from(object.body.bytes().await.unwrap_err());
    assert_eq!((error.kind(), error.is_retryable()), (Kind::Timeout, true));
}

#[tokio::test]
async fn an_upload_may_take_longer_than_the_idle_limit() {
    let idle = Duration::from_secs(1);
    // What the kernel holds is read in a fifth of the limit; all of it takes longer.
    let slow = Act::ReadSlowly {
        step: 1 << 20,
        pause: Duration::from_millis(20),
        answer: response("200 OK", &[], b""),
    };
    let server = Server::start([slow]).await;
    let s3 = server.builder().idle_timeout(idle).multipart(WHOLE).build().await.unwrap();
    let body = Body::from(vec![1; 64 << 20]);
    let began = Instant::now();
    s3.put_object(&bucket(), &key("k"), body, &PutOptions::default()).await.unwrap();
    assert!(began.elapsed() > idle, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_body_of_no_bytes_that_never_ends_fails_too() {
    let server = Server::start([ok()]).await;
    let s3 = server.builder().idle_timeout(Duration::from_millis(200)).build().await.unwrap();
    let body = Body::from_stream(stream::pending(), Some(0));
    let error =
        s3.put_object(&bucket(), &key("k"), body, &PutOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::BodyFailed);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_body_that_gives_nothing_for_too_long_fails() {
    let server = Server::start([ok()]).await;
    let s3 = server.builder().idle_timeout(Duration::from_millis(200)).build().await.unwrap();
    let first = stream::iter(chunks(&["hello"]));
    let body = Body::from_stream(first.chain(stream::pending()), Some(11));
    let error =
        s3.put_object(&bucket(), &key("k"), body, &PutOptions::default()).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (Kind::BodyFailed, false));
    assert!(error.message().contains("the body"), "{error}");
}

#[tokio::test]
async fn what_passes_is_tried_again_with_the_whole_body() {
    let failing = [
        error("503 Slow Down", "SlowDown"),
        error("500 Internal Server Error", "InternalError"),
        Act::CloseAfter(10),
    ];
    let server = Server::start(failing.into_iter().chain([ok()])).await;
    put(&server, Body::from_chunks(["hello", " world"])).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    for seen in [&requests[0], &requests[1], &requests[3]] {
        assert_eq!(seen.body(), b"hello world");
    }
    // A stream that is short is held in memory, and can be sent again as well.
    for length in [None, Some(BIG as u64)] {
        let server = Server::start([error("503 Slow Down", "SlowDown"), ok()]).await;
        put(&server, big_stream(length)).await.unwrap();
        assert!(server.requests()[1].body() == big_bytes());
    }
}

#[tokio::test]
async fn attempts_are_counted_and_end() {
    let server = Server::start([const { "503 Slow Down" }; 9].map(|s| error(s, "SlowDown"))).await;
    let failed = put(&server, "x".into()).await.unwrap_err();
    assert_eq!((failed.kind(), failed.attempts()), (Kind::Throttled, 4));
    assert_eq!(server.requests().len(), 4);
    let s3 = server.builder().retry(RetryPolicy::none()).build().await.unwrap();
    let failed =
        s3.delete_object(&bucket(), &key("k"), &DeleteOptions::default()).await.unwrap_err();
    assert_eq!((failed.attempts(), server.requests().len()), (1, 5));
}

#[tokio::test]
async fn what_does_not_pass_is_not_tried_again() {
    for (status, code) in [
        ("403 Forbidden", "AccessDenied"),
        ("404 Not Found", "NoSuchBucket"),
        ("412 Precondition Failed", "PreconditionFailed"),
        ("400 Bad Request", "BadDigest"),
        ("501 Not Implemented", "NotImplemented"),
    ] {
        let server = Server::start([error(status, code), ok()]).await;
        assert_eq!(put(&server, "x".into()).await.unwrap_err().attempts(), 1, "{code}");
        assert_eq!(server.requests().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn a_stream_of_which_nothing_was_taken_is_tried_again() {
    // Nothing listens there, until something does.
    let nobody = Nobody::new();
    let s3 = artifact_s3::HttpS3::builder()
        .endpoint(nobody.endpoint())
        .credentials(artifact_s3::Credentials::Anonymous)
        .retry(support::quick())
        .build()
        .await
        .unwrap();
    let body = Body::from_stream(stream::iter(chunks(&["hello"])), Some(5));
    let failed =
        s3.put_object(&bucket(), &key("k"), body, &PutOptions::default()).await.unwrap_err();
    assert_eq!((failed.kind(), failed.attempts()), (Kind::Unreachable, 4));
}

#[tokio::test]
async fn a_conditional_write_is_not_repeated_once_it_may_have_happened() {
    let options = |condition| PutOptions { condition, ..PutOptions::default() };
    for condition in [WriteCondition::IfAbsent, WriteCondition::IfMatch("e".into())] {
        for act in
            [Act::AnswerAndClose(Vec::new()), error("500 Internal Server Error", "InternalError")]
        {
            let server = Server::start([act, error("412 Precondition Failed", "x")]).await;
            let failed = server
                .client()
                .await
                .put_object(&bucket(), &key("k"), "x".into(), &options(condition.clone()))
                .await
                .unwrap_err();
            assert_ne!(failed.kind(), Kind::PreconditionFailed);
            assert!(!failed.is_retryable(), "{failed:?}");
            assert_eq!(server.requests().len(), 1);
        }
        // Refused is refused: nothing happened, and it may be asked again.
        for refusal in [
            error("503 Slow Down", "SlowDown"),
            error("409 Conflict", "ConditionalRequestConflict"),
        ] {
            let server = Server::start([refusal, ok()]).await;
            let s3 = server.client().await;
            s3.put_object(&bucket(), &key("k"), "x".into(), &options(condition.clone()))
                .await
                .unwrap();
            assert_eq!(server.requests().len(), 2);
        }
    }
}

#[tokio::test]
async fn a_refusal_before_the_body_is_through_is_heard_and_ends_the_upload() {
    const LENGTH: usize = 64 << 20;
    let refusal = response("403 Forbidden", &[], b"");
    let server = Server::start([Act::AnswerAtHead(refusal)]).await;
    let s3 = server.builder().multipart(WHOLE).build().await.unwrap();
    let body = Body::from(vec![0; LENGTH]);
    let failed =
        s3.put_object(&bucket(), &key("k"), body, &PutOptions::default()).await.unwrap_err();
    assert_eq!(failed.kind(), Kind::AccessDenied);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let sent = server.only();
    assert!(!sent.complete && sent.raw.len() < LENGTH / 2, "{} bytes", sent.raw.len());
}

#[tokio::test]
async fn a_success_before_the_body_is_through_is_none() {
    let server =
        Server::start([Act::AnswerAtHead(response("200 OK", &[("ETag", "\"e\"")], b""))]).await;
    let builder = server.builder().multipart(WHOLE).retry(RetryPolicy::none());
    let s3 = builder.build().await.unwrap();
    let body = Body::from(vec![0; 64 << 20]);
    let failed =
        s3.put_object(&bucket(), &key("k"), body, &PutOptions::default()).await.unwrap_err();
    assert_eq!((failed.kind(), failed.is_retryable()), (Kind::Unreachable, true));
    assert!(failed.message().contains("before it had the whole body"), "{failed}");
    assert!(!server.only().complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_heard_though_the_connection_is_closed_on_the_body() {
    for _ in 0..20 {
        // Now and then the reset of the connection is seen first; the next try hears it.
        let refusal = || Act::AnswerHeadAndClose(response("403 Forbidden", &[], b""));
        let server = Server::start([refusal(), refusal(), refusal(), refusal()]).await;
        let failed = put(&server, Body::from(vec![0; 8 << 20])).await.unwrap_err();
        assert_eq!(failed.kind(), Kind::AccessDenied, "{failed}");
    }
}

#[tokio::test]
async fn a_dropped_call_stops() {
    const LENGTH: usize = 64 << 20;
    // It says nothing, and reads slowly.
    let server = Server::start([Act::AnswerAtHead(Vec::new())]).await;
    let s3 = server.builder().multipart(WHOLE).build().await.unwrap();
    let (bucket, key, options) = (bucket(), key("k"), PutOptions::default());
    let call = s3.put_object(&bucket, &key, Body::from(vec![0; LENGTH]), &options);
    assert!(tokio::time::timeout(Duration::from_millis(200), call).await.is_err());
    // What the kernel holds still comes.
    let mut before = 0;
    while server.only().raw.len() > before {
        before = server.only().raw.len();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert!((1..LENGTH / 2).contains(&before), "{before} bytes came");
}
