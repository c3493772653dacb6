//! Downloads that break off and go on, or must not.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use artifact_s3::{
    ByteRange, GetOptions, HttpS3, Object, Operation, RetryPolicy, S3Client, S3Error,
    S3ErrorKind as Kind,
};
use bytes::Bytes;
use support::{
    bucket, key,
    object_server::{ObjectServer, Sent, Stored, sent},
    response,
};

/// Bytes that are not the same anywhere near each other.
fn noise(length: usize) -> Vec<u8> {
    (0..length as u64).map(|n| (n * n * 31 / 7 + n).to_le_bytes()[0]).collect()
}

async fn open(s3: &HttpS3, options: &GetOptions) -> Result<Object, S3Error> {
    s3.get_object(&bucket(), &key("k"), options).await
}

/// All bytes, or why not.
async fn read(s3: &HttpS3, options: &GetOptions) -> Result<Bytes, S3Error> {
    open(s3, options).await?.body.bytes().await.map_err(S3Error::from)
}

async fn get(server: &ObjectServer) -> Result<Bytes, S3Error> {
    read(&server.client().await, &GetOptions::default()).await
}

fn asked(range: &str) -> (Option<String>, Option<String>) {
    (Some(range.to_owned()), Some("\"e1\"".to_owned()))
}

type Changed = (&'static str, fn(Stored, &support::Seen) -> Sent);

/// What a service answers, and what the error must say of it.
type Wrong = (&'static str, fn(Stored) -> Sent);

const FIRST: (Option<String>, Option<String>) = (None, None);

#[tokio::test]
async fn what_breaks_off_goes_on_from_the_next_byte_of_the_same_object() {
    let stored = Stored::new(noise(100_000));
    let bytes = stored.bytes.clone();
    let server = ObjectServer::start(move |n, seen| match n {
        0 => stored.answer(seen).closed_after(60_000),
        1 => stored.answer(seen).closed_after(10_000),
        _ => stored.answer(seen),
    })
    .await;
    assert!(get(&server).await.unwrap() == bytes);
    assert_eq!(server.asked(), [FIRST, asked("bytes=60000-99999"), asked("bytes=70000-99999")]);
    // Signed anew, and on the same object.
    for seen in server.requests() {
        assert!(seen.line().starts_with("GET /test-bucket/k"));
        assert!(seen.header("authorization").unwrap().contains("Signature="));
    }
}

#[tokio::test]
async fn a_reset_and_silence_are_got_over_as_well() {
    for broken in [
        (|sent: Sent| sent.reset_after(60_000)) as fn(Sent) -> Sent,
        |sent| sent.silent_after(60_000),
        |sent| sent.closed_after(0),
    ] {
        let stored = Stored::new(noise(100_000));
        let bytes = stored.bytes.clone();
        let server = ObjectServer::start(move |n, seen| {
            let answer = stored.answer(seen);
            if n == 0 { broken(answer) } else { answer }
        })
        .await;
        let s3 = server.builder().idle_timeout(Duration::from_secs(1)).build().await.unwrap();
        assert!(read(&s3, &GetOptions::default()).await.unwrap() == bytes);
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_range_goes_on_within_itself() {
    for (range, first, rest) in [
        (ByteRange::Closed(100, 299), "bytes=100-299", "bytes=150-299"),
        (ByteRange::Closed(100, 9999), "bytes=100-9999", "bytes=150-999"),
        (ByteRange::From(100), "bytes=100-", "bytes=150-999"),
        (ByteRange::Last(900), "bytes=-900", "bytes=150-999"),
    ] {
        let stored = Stored::new(noise(1000));
        let end = if rest == "bytes=150-299" { 300 } else { 1000 };
        let bytes = stored.bytes[100..end].to_vec();
        let server = ObjectServer::start(move |n, seen| {
            let answer = stored.answer(seen);
            if n == 0 { answer.closed_after(50) } else { answer }
        })
        .await;
        let options = GetOptions { range: Some(range), ..Default::default() };
        let object = open(&server.client().await, &options).await.unwrap();
        assert_eq!((object.info.size, object.body.length()), (1000, Some(bytes.len() as u64)));
        assert!(object.body.bytes().await.unwrap() == bytes);
        assert_eq!(server.asked(), [(Some(first.to_owned()), None), asked(rest)]);
    }
}

#[tokio::test]
async fn the_version_that_was_begun_is_asked_for_and_conditions_are_not_repeated() {
    let stored = Stored::new(noise(1000)).header("x-amz-version-id", "v/1");
    let begun = stored.clone();
    let server = ObjectServer::start(move |n, seen| {
        if n == 0 { begun.whole().closed_after(10) } else { begun.answer(seen) }
    })
    .await;
    let options = GetOptions {
        if_none_match: Some("old".into()),
        if_modified_since: Some(784_111_777),
        if_unmodified_since: Some(784_111_778),
        ..Default::default()
    };
    assert!(read(&server.client().await, &options).await.unwrap() == stored.bytes);
    let resumed = &server.requests()[1];
    assert_eq!(resumed.line(), "GET /test-bucket/k?versionId=v%2F1");
    for condition in ["if-none-match", "if-modified-since", "if-unmodified-since"] {
        assert_eq!(resumed.header(condition), None, "{condition}");
    }
}

#[tokio::test]
async fn who_may_not_name_a_version_goes_on_without_one() {
    let stored = Stored::new(noise(1000)).header("x-amz-version-id", "v1");
    let bytes = stored.bytes.clone();
    let server = ObjectServer::start(move |n, seen| {
        if seen.line().contains("versionId") {
            return sent(response("403 Forbidden", &[], b""));
        }
        let answer = stored.answer(seen);
        if n < 3 { answer.closed_after(100) } else { answer }
    })
    .await;
    assert!(get(&server).await.unwrap() == bytes);
    let lines: Vec<String> = server.requests().iter().map(support::Seen::line).collect();
    let (plain, pinned) = ("GET /test-bucket/k", "GET /test-bucket/k?versionId=v1");
    assert_eq!(lines, [plain, pinned, plain, plain], "asked for the version once");
}

#[tokio::test]
async fn a_version_that_the_caller_named_is_never_left_out() {
    let stored = Stored::new(noise(1000)).header("x-amz-version-id", "v1");
    let server = ObjectServer::start(move |n, seen| match n {
        0 => stored.answer(seen).closed_after(100),
        _ => sent(response("403 Forbidden", &[], b"")),
    })
    .await;
    let options = GetOptions { version_id: Some("v1".into()), ..Default::default() };
    let error = read(&server.client().await, &options).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (Kind::AccessDenied, 2));
}

#[tokio::test]
async fn two_versions_are_never_mixed() {
    let old = || Stored::new(noise(1000));
    let new = || Stored::new(vec![7; 1000]).etag(Some("\"e2\""));
    let changed: [Changed; 6] = [
        ("412", |new, seen| new.answer(seen)),
        ("an If-Match that is ignored", |new, _| new.part(100..1000)),
        ("another length, the same etag", |mut new, _| {
            new.bytes.push(7);
            new.etag(Some("\"e1\"")).part_told_as(100..1000, "bytes 100-999/1001")
        }),
        ("another version, the same etag", |new, _| {
            new.etag(Some("\"e1\"")).header("x-amz-version-id", "v2").part(100..1000)
        }),
        ("deleted", |_, _| sent(response("404 Not Found", &[], b""))),
        ("shorter", |_, _| sent(response("416 Range Not Satisfiable", &[], b""))),
    ];
    for (name, answer) in changed {
        let server = ObjectServer::start(move |n, seen| {
            if n == 0 {
                old().header("x-amz-version-id", "v1").answer(seen).closed_after(100)
            } else {
                answer(new(), seen)
            }
        })
        .await;
        let error = get(&server).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.is_retryable()),
            (Kind::PreconditionFailed, false),
            "{name}: {error}"
        );
        assert!(error.message().contains("changed while it was read"), "{name}: {error}");
        assert_eq!(error.operation(), Some(Operation::GetObject));
        assert_eq!(error.target(), Some("test-bucket/k"));
        assert_eq!((error.attempts(), server.requests().len()), (2, 2), "{name}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_the_rest_is_refused() {
    let stored = || Stored::new(noise(1000));
    let answers: [Wrong; 7] = [
        ("ignored the range", |s| s.whole()),
        ("Content-Range", |s| s.part_told_as(100..1000, "bytes 100-999/*")),
        ("Content-Range", |s| s.part_told_as(100..1000, "nonsense")),
        ("sent bytes 99-999", |s| s.part(99..1000)),
        ("sent bytes 100-998", |s| s.part(100..999)),
        ("that they are 899", |s| s.part_told_as(101..1000, "bytes 100-999/1000")),
        ("etag", |s| s.etag(None).part(100..1000)),
    ];
    for (hint, answer) in answers {
        let server = ObjectServer::start(move |n, seen| {
            if n == 0 { stored().answer(seen).closed_after(100) } else { answer(stored()) }
        })
        .await;
        let error = get(&server).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (Kind::Service, false), "{error}");
        assert!(error.message().contains(hint), "{hint}: {error}");
        assert_eq!(server.requests().len(), 2, "{hint}");
    }
}

#[tokio::test]
async fn without_a_strong_etag_nothing_is_resumed() {
    for etag in [None, Some("W/\"e1\"")] {
        let stored = Stored::new(noise(1000)).etag(etag);
        let server =
            ObjectServer::start(move |_, seen| stored.answer(seen).closed_after(100)).await;
        let error = get(&server).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (Kind::Unreachable, true));
        assert!(error.message().contains("broke off"), "{error}");
        assert!(error.message().contains("no etag"), "{error}");
        assert_eq!((error.attempts(), server.requests().len()), (1, 1));
    }
}

#[tokio::test]
async fn the_tries_of_the_first_request_count() {
    let stored = Stored::new(noise(1000)).etag(None);
    let server = ObjectServer::start(move |n, seen| match n {
        0 => sent(response("503 Slow Down", &[], b"")),
        _ => stored.answer(seen).closed_after(100),
    })
    .await;
    let error = get(&server).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (Kind::Unreachable, 2));
}

#[tokio::test]
async fn what_brings_no_byte_is_given_up_with_its_count() {
    let stored = Stored::new(noise(1000));
    let server = ObjectServer::start(move |n, seen| {
        stored.answer(seen).closed_after(if n == 0 { 100 } else { 0 })
    })
    .await;
    let error = get(&server).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (Kind::Unreachable, true));
    assert_eq!((error.attempts(), server.requests().len()), (4, 4));
    assert!(error.elapsed().is_some());
    assert!(error.to_string().contains("4 attempts in"), "{error}");
}

#[tokio::test]
async fn the_budget_of_the_client_bounds_what_brings_no_byte() {
    let stored = Stored::new(noise(1000));
    let server = ObjectServer::start(move |n, seen| {
        stored.answer(seen).closed_after(if n == 0 { 100 } else { 0 })
    })
    .await;
    // Enough for one further try that costs 5.
    let retry = RetryPolicy { budget: 5, max_attempts: 100, ..support::quick() };
    let s3 = server.builder().retry(retry).build().await.unwrap();
    let error = read(&s3, &GetOptions::default()).await.unwrap_err();
    assert!(error.message().contains("too many calls"), "{error}");
    assert_eq!((error.attempts(), server.requests().len()), (3, 3));
}

#[tokio::test]
async fn who_wants_no_retries_gets_none() {
    let stored = Stored::new(noise(1000));
    let server = ObjectServer::start(move |_, seen| stored.answer(seen).closed_after(100)).await;
    let s3 = server.builder().retry(RetryPolicy::none()).build().await.unwrap();
    let error = read(&s3, &GetOptions::default()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (Kind::Unreachable, 1));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn each_byte_renews_the_tries() {
    let stored = Stored::new(noise(40));
    let bytes = stored.bytes.clone();
    let server = ObjectServer::start(move |_, seen| {
        let answer = stored.answer(seen);
        // The last one is whole, as there is nothing left to cut.
        if seen.header("range").as_deref() == Some("bytes=39-39") {
            answer
        } else {
            answer.closed_after(1)
        }
    })
    .await;
    assert!(get(&server).await.unwrap() == bytes);
    assert_eq!(server.requests().len(), 40);
}

#[tokio::test]
async fn a_resumption_that_fails_is_tried_again_as_any_call() {
    let stored = Stored::new(noise(1000));
    let bytes = stored.bytes.clone();
    let busy = || sent(response("503 Slow Down", &[], b""));
    let server = ObjectServer::start(move |n, seen| match n {
        0 => stored.answer(seen).closed_after(100),
        1 | 2 => busy(),
        _ => stored.answer(seen),
    })
    .await;
    assert!(get(&server).await.unwrap() == bytes);
    assert_eq!(server.requests().len(), 4);

    let stored = Stored::new(noise(1000));
    let server =
        ObjectServer::start(
            move |n, seen| {
                if n == 0 { stored.answer(seen).closed_after(100) } else { busy() }
            },
        )
        .await;
    let error = get(&server).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (Kind::Throttled, 5));
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn what_drips_is_no_break() {
    let idle = Duration::from_secs(1);
    let stored = Stored::new(noise(20));
    let bytes = stored.bytes.clone();
    let server = ObjectServer::start(move |_, seen| stored.answer(seen).dripping(idle / 10)).await;
    let s3 = server.builder().idle_timeout(idle).build().await.unwrap();
    let began = Instant::now();
    assert!(read(&s3, &GetOptions::default()).await.unwrap() == bytes);
    assert!(began.elapsed() > idle);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_first_answer_of_other_bytes_than_asked_is_refused_before_any_byte() {
    let stored = || Stored::new(noise(10));
    let asked = |range| GetOptions { range: Some(range), ..Default::default() };
    let answers: [(ByteRange, Wrong); 9] = [
        (ByteRange::Closed(2, 4), ("sent bytes 3-4", |s| s.part(3..5))),
        (ByteRange::Closed(2, 4), ("sent bytes 2-5", |s| s.part(2..6))),
        (ByteRange::Closed(2, 4), ("sent bytes 2-3", |s| s.part(2..4))),
        (ByteRange::From(2), ("sent bytes 2-8", |s| s.part(2..9))),
        (ByteRange::Last(3), ("sent bytes 0-2", |s| s.part(0..3))),
        (ByteRange::From(10), ("outside the object", |s| s.part(0..3))),
        (ByteRange::Closed(2, 4), ("Content-Range", |s| s.part_told_as(2..5, "bytes 4-2/10"))),
        (ByteRange::Closed(2, 4), ("Content-Range", |s| s.part_told_as(2..5, "bytes 2-4/*"))),
        (ByteRange::Closed(2, 4), ("that they are 2", |s| s.part_told_as(2..4, "bytes 2-4/10"))),
    ];
    for (range, (hint, answer)) in answers {
        let server = ObjectServer::start(move |_, _| answer(stored())).await;
        let error = open(&server.client().await, &asked(range)).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (Kind::Service, false), "{error}");
        assert!(error.message().contains(hint), "{hint}: {error}");
        assert_eq!(server.requests().len(), 1);
    }
    // A part that nobody asked for.
    let server = ObjectServer::start(move |_, _| stored().part(0..3)).await;
    let error = open(&server.client().await, &GetOptions::default()).await.unwrap_err();
    assert!(error.message().contains("the whole object was asked for"), "{error}");
}

/// With a body in chunks, of which nobody knows beforehand how many there are.
fn chunked(status: &str, headers: &[(&str, &str)], chunks: &[&str]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n");
    for (name, value) in headers {
        write!(bytes, "{name}: {value}\r\n").unwrap();
    }
    bytes.push_str("\r\n");
    for chunk in chunks {
        write!(bytes, "{:x}\r\n{chunk}\r\n", chunk.len()).unwrap();
    }
    bytes.push_str("0\r\n\r\n");
    bytes.into_bytes()
}

#[tokio::test]
async fn a_body_in_chunks_is_held_to_the_length_of_its_range() {
    let part = ("Content-Range", "bytes 0-9/20");
    let etag = ("ETag", "\"e1\"");
    let options = GetOptions { range: Some(ByteRange::Closed(0, 9)), ..Default::default() };
    let status = "206 Partial Content";
    for (chunks, expected) in [
        (["01234", "56789"], Ok(())),
        (["01234", "5678"], Err(Kind::Unreachable)),
        (["01234", "56789x"], Err(Kind::Service)),
    ] {
        let server = ObjectServer::start(move |_, _| sent(chunked(status, &[part], &chunks))).await;
        let read = read(&server.client().await, &options).await;
        assert_eq!(read.map(drop).map_err(|error| error.kind()), expected, "{chunks:?}");
    }
    // One that is too short goes on like any other.
    let server = ObjectServer::start(move |n, _| {
        sent(match n {
            0 => chunked(status, &[part, etag], &["0123"]),
            _ => chunked(status, &[("Content-Range", "bytes 4-9/20"), etag], &["456789"]),
        })
    })
    .await;
    assert_eq!(read(&server.client().await, &options).await.unwrap(), "0123456789");
    // Nobody could say whether this one is whole.
    let server = ObjectServer::start(move |_, _| sent(chunked("200 OK", &[etag], &["0123"]))).await;
    let error = open(&server.client().await, &GetOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Service);
    assert!(error.message().contains("how long the object is"), "{error}");
}

#[tokio::test]
async fn a_dropped_download_asks_for_nothing_more() {
    let stored = Stored::new(noise(1000));
    let server = ObjectServer::start(move |_, seen| stored.answer(seen).silent_after(100)).await;
    let s3 = server.builder().idle_timeout(Duration::from_millis(200)).build().await.unwrap();
    let object = open(&s3, &GetOptions::default()).await.unwrap();
    let reading = object.body.bytes();
    assert!(tokio::time::timeout(Duration::from_millis(50), reading).await.is_err());
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(server.requests().len(), 1);
}
