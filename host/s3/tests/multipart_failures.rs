//! Whatever happens to an upload in parts, it ends: with an object, or with nothing.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

#[path = "support/service.rs"]
mod service;
mod support;

use std::{io, io::Write, sync::LazyLock, time::Duration};

use artifact_s3::{
    Body, HttpS3, Operation as S3Operation, PutOptions, RetryPolicy, S3Client, S3Error,
    S3ErrorKind as Kind, WriteCondition,
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use service::{Call, MIB, Operation, Rule, Service, error, is_part, md5_hex};
use support::{bucket, key, response};

const SIZE: u64 = 12 * MIB;

fn bytes() -> Bytes {
    static BYTES: LazyLock<Bytes> =
        LazyLock::new(|| (0..SIZE).map(|n| (n * n % 251).to_le_bytes()[0]).collect());
    BYTES.clone()
}

async fn put(s3: &HttpS3, body: impl Into<Body>) -> Result<String, S3Error> {
    put_with(s3, body, WriteCondition::Unconditional).await
}

async fn put_with(
    s3: &HttpS3,
    body: impl Into<Body>,
    condition: WriteCondition,
) -> Result<String, S3Error> {
    let options = PutOptions { condition, ..PutOptions::default() };
    let put = s3.put_object(&bucket(), &key("k"), body.into(), &options).await?;
    assert_eq!(put.size, SIZE);
    Ok(put.etag.unwrap())
}

/// The first of an operation's calls gets this, the others what S3 would say.
fn at_first(operation: Operation, rule: Rule) -> impl Fn(&Call) -> Rule + Send + Sync {
    move |call| {
        if call.operation == operation && call.before == 0 { rule.clone() } else { Rule::Obey }
    }
}

fn always(operation: Operation, rule: Rule) -> impl Fn(&Call) -> Rule + Send + Sync {
    move |call| if call.operation == operation { rule.clone() } else { Rule::Obey }
}

fn internal_error() -> Vec<u8> {
    error("500 Internal Server Error", "InternalError")
}

/// An error that comes as a success.
fn late_error() -> Vec<u8> {
    error("200 OK", "InternalError")
}

/// An error that breaks off within its body.
fn cut(status: &str, code: &str) -> Vec<u8> {
    let mut answer = error(status, code);
    answer.truncate(answer.len() - 40);
    answer
}

#[tokio::test]
async fn each_call_is_tried_again_on_its_own() {
    for (operation, rule) in [
        (Operation::Create, Rule::Say(internal_error())),
        (Operation::Part(2), Rule::Say(error("503 Slow Down", "SlowDown"))),
        (Operation::Part(1), Rule::DoAndClose),
        (Operation::Part(3), Rule::Say(late_error())),
        (Operation::Complete, Rule::Say(internal_error())),
        (Operation::Complete, Rule::Say(late_error())),
        // Refused, but nobody can tell why.
        (Operation::Part(2), Rule::SayAndClose(cut("400 Bad Request", "RequestTimeout"))),
    ] {
        let service = Service::start(at_first(operation, rule.clone())).await;
        put(&service.client().await, bytes()).await.unwrap();
        assert!(service.object().unwrap() == bytes(), "{operation:?} {rule:?}");
        let state = service.state();
        // Create, three parts, complete, and one of them twice.
        assert_eq!(state.calls.len(), 6, "{operation:?} {rule:?}");
    }
}

#[tokio::test]
async fn a_refusal_of_any_call_fails_the_put_and_leaves_nothing() {
    for (operation, name) in [
        (Operation::Create, S3Operation::CreateMultipartUpload),
        (Operation::Part(2), S3Operation::UploadPart),
        (Operation::Complete, S3Operation::CompleteMultipartUpload),
    ] {
        let refusal = Rule::Say(error("403 Forbidden", "AccessDenied"));
        let service = Service::start(always(operation, refusal)).await;
        let failed = put(&service.client().await, bytes()).await.unwrap_err();
        assert_eq!((failed.kind(), failed.operation()), (Kind::AccessDenied, Some(name)));
        assert_eq!(failed.target(), Some("test-bucket/k"));
        assert_eq!((service.unfinished().len(), service.object()), (0, None), "{operation:?}");
    }
}

#[tokio::test]
async fn so_does_a_part_that_fails_each_time() {
    let service = Service::start(always(Operation::Part(2), Rule::Say(internal_error()))).await;
    let failed = put(&service.client().await, bytes()).await.unwrap_err();
    assert_eq!((failed.kind(), failed.attempts()), (Kind::Service, 4));
    assert!(failed.is_retryable());
    assert_eq!((service.unfinished().len(), service.object()), (0, None));
}

#[tokio::test]
async fn a_part_without_an_etag_is_told_by_its_number() {
    let service =
        Service::start(always(Operation::Part(2), Rule::DoAndSay(response("200 OK", &[], b""))))
            .await;
    let failed = put(&service.client().await, bytes()).await.unwrap_err();
    assert_eq!(failed.kind(), Kind::Service);
    assert!(failed.message().contains("no etag for part 2"), "{failed}");
    assert!(service.unfinished().is_empty());
}

#[tokio::test]
async fn an_upload_that_somebody_aborts_is_no_missing_object() {
    let gone = Rule::Say(error("404 Not Found", "NoSuchUpload"));
    let service = Service::start(always(Operation::Part(3), gone)).await;
    let failed = put(&service.client().await, bytes()).await.unwrap_err();
    assert_eq!((failed.kind(), failed.code()), (Kind::Service, Some("NoSuchUpload")));
}

#[tokio::test]
async fn a_create_without_an_upload_id_is_an_error() {
    for answer in ["", "<Other/>", "<InitiateMultipartUploadResult/>"] {
        let answer = Rule::Say(response("200 OK", &[], answer.as_bytes()));
        let service = Service::start(always(Operation::Create, answer)).await;
        let failed = put(&service.client().await, bytes()).await.unwrap_err();
        assert_eq!(failed.kind(), Kind::Service);
        assert_eq!(service.count(is_part), 0);
    }
}

/// The etag of the object that the parts of [`bytes`] make.
async fn expected_etag() -> String {
    let service = Service::obedient().await;
    put(&service.client().await, bytes()).await.unwrap()
}

#[tokio::test]
async fn a_completion_whose_answer_is_lost_is_found_out() {
    let expected = expected_etag().await;
    // Asked again, the service knows no such upload, or meets the object itself.
    for condition in [WriteCondition::Unconditional, WriteCondition::IfAbsent] {
        for lost in [Rule::DoAndClose, Rule::DoAndSay(internal_error())] {
            let service = Service::start(at_first(Operation::Complete, lost)).await;
            let etag = put_with(&service.client().await, bytes(), condition.clone()).await;
            assert_eq!(etag.unwrap(), expected, "{condition:?}");
            assert!(service.object().unwrap() == bytes());
            assert_eq!(service.count(|operation| operation == Operation::Abort), 0);
        }
    }
    // Asked again, the service's answers break off before they name the reason, each time.
    let lost = |call: &Call| match (call.operation, call.before) {
        (Operation::Complete, 0) => Rule::DoAndClose,
        (Operation::Complete, _) => Rule::SayAndClose(cut("404 Not Found", "NoSuchUpload")),
        _ => Rule::Obey,
    };
    let service = Service::start(lost).await;
    let etag = put_with(&service.client().await, bytes(), WriteCondition::IfAbsent).await;
    assert_eq!(etag.unwrap(), expected);
    // Nobody ever says how it ended.
    let lost = always(Operation::Complete, Rule::DoAndClose);
    let service = Service::start(lost).await;
    assert_eq!(put(&service.client().await, bytes()).await.unwrap(), expected);
}

#[tokio::test]
async fn a_completion_that_never_happened_is_aborted() {
    for rule in [Rule::Say(internal_error()), Rule::Say(late_error())] {
        let service = Service::start(always(Operation::Complete, rule)).await;
        let failed = put(&service.client().await, bytes()).await.unwrap_err();
        assert_eq!((failed.kind(), failed.attempts()), (Kind::Service, 4));
        assert_eq!((service.unfinished().len(), service.object()), (0, None));
    }
}

#[tokio::test]
async fn somebody_elses_object_is_not_taken_for_ours() {
    // It is there before, or comes after ours, whose completion is not answered.
    let lost = |call: &Call| match (call.operation, call.before) {
        (Operation::Complete, 0) => Rule::DoAndClose,
        (Operation::Head, _) => {
            let other = format!("\"{}-3\"", md5_hex(b"other"));
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\nETag: {other}\r\n\r\n");
            Rule::Say(head.into_bytes())
        }
        _ => Rule::Obey,
    };
    let service = Service::start(lost).await;
    let failed = put(&service.client().await, bytes()).await.unwrap_err();
    assert_eq!((failed.kind(), failed.code()), (Kind::Service, Some("NoSuchUpload")));
    assert!(failed.message().contains("replaced"), "{failed}");
    // Refused after a failure that changed nothing: the upload is still there to be seen.
    let failing = at_first(Operation::Complete, Rule::Say(internal_error()));
    let service = Service::start(failing).await;
    let (ours, etag) = (bytes(), expected_etag().await);
    service.state().objects.insert("k".into(), (ours.to_vec(), etag));
    let failed = put_with(&service.client().await, bytes(), WriteCondition::IfAbsent).await;
    assert_eq!(failed.unwrap_err().kind(), Kind::PreconditionFailed);
    assert!(service.unfinished().is_empty());
}

fn chunks(length: u64) -> impl stream::Stream<Item = io::Result<Bytes>> + Send {
    let chunk = Bytes::from(vec![7; 100_000]);
    let whole = stream::repeat(chunk.clone()).take(usize::try_from(length / 100_000).unwrap());
    let rest = chunk.slice(..usize::try_from(length % 100_000).unwrap());
    whole.chain(stream::iter([rest])).map(Ok)
}

#[tokio::test]
async fn a_body_that_does_not_keep_its_word_leaves_nothing() {
    let broken = || stream::iter([Err(io::Error::other("the disk is gone"))]);
    for (what, body, expected) in [
        ("short", Body::from_stream(chunks(SIZE - 1), Some(SIZE)), "ended after 12582911"),
        ("long", Body::from_stream(chunks(SIZE + 1), Some(SIZE)), "went on"),
        ("broken", Body::from_stream(chunks(SIZE).chain(broken()), Some(2 * SIZE)), "disk is gone"),
        ("broken, unknown", Body::from_stream(chunks(SIZE).chain(broken()), None), "disk is gone"),
        (
            "silent",
            Body::from_stream(chunks(SIZE).chain(stream::pending()), None),
            "gave no bytes for 500ms",
        ),
    ] {
        let service = Service::obedient().await;
        let s3 = service.builder().idle_timeout(Duration::from_millis(500));
        let s3 = s3.build().await.unwrap();
        let failed = put(&s3, body).await.unwrap_err();
        assert_eq!((failed.kind(), failed.is_retryable()), (Kind::BodyFailed, false), "{what}");
        assert!(failed.message().contains(expected), "{what}: {failed}");
        assert_eq!((service.unfinished().len(), service.object()), (0, None), "{what}");
        assert_eq!(service.count(|operation| operation == Operation::Complete), 0, "{what}");
    }
}

#[tokio::test]
async fn a_file_that_changes_its_length_leaves_nothing() {
    for (length, expected) in
        [(SIZE - 1, "ended after 12582911"), (SIZE + 1, "went on"), (3 * MIB, "ended after")]
    {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes()).unwrap();
        let body = Body::from_file(file.path()).await.unwrap();
        file.as_file().set_len(length).unwrap();
        let service = Service::obedient().await;
        let failed = put(&service.client().await, body).await.unwrap_err();
        assert_eq!(failed.kind(), Kind::BodyFailed);
        assert!(failed.message().contains(expected), "{failed}");
        assert!(failed.message().contains("12582912 bytes"), "{failed}");
        assert_eq!((service.unfinished().len(), service.object()), (0, None));
    }
}

/// Drops a put as soon as the service saw a call of this kind.
async fn drop_at(service: &Service, s3: &HttpS3, moment: Operation) {
    let (bucket, key, options) = (bucket(), key("k"), PutOptions::default());
    let put = s3.put_object(&bucket, &key, bytes().into(), &options);
    tokio::select! {
        put = put => panic!("it was to be dropped: {put:?}"),
        () = service.saw(|operation| operation == moment) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_future_leaves_no_upload() {
    let later = || Rule::Wait(Duration::from_millis(200));
    for (moment, rule) in [
        // The upload's id comes when nobody waits for it any more.
        (Operation::Create, later()),
        (Operation::Part(1), Rule::Silence),
        (Operation::Part(3), Rule::Silence),
        // The parts are stored before, while, and after the upload is aborted.
        (Operation::Part(2), later()),
    ] {
        let service = Service::start(always(moment, rule)).await;
        let s3 = service.client().await;
        drop_at(&service, &s3, moment).await;
        s3.settle().await;
        assert_eq!((service.unfinished().len(), service.object()), (0, None), "{moment:?}");
        assert!(service.count(|operation| operation == Operation::Abort) > 0, "{moment:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_future_dropped_while_it_completes_stores_the_object() {
    let later = Rule::Wait(Duration::from_millis(200));
    let service = Service::start(always(Operation::Complete, later)).await;
    let s3 = service.client().await;
    drop_at(&service, &s3, Operation::Complete).await;
    s3.settle().await;
    assert!(service.object().unwrap() == bytes());
    assert_eq!(service.count(|operation| operation == Operation::Abort), 0);
    // Or aborts it, where it cannot be.
    let refusal = error("403 Forbidden", "AccessDenied");
    let later = Rule::WaitAndSay(Duration::from_millis(200), refusal);
    let service = Service::start(always(Operation::Complete, later)).await;
    let s3 = service.client().await;
    drop_at(&service, &s3, Operation::Complete).await;
    s3.settle().await;
    assert_eq!((service.unfinished().len(), service.object()), (0, None));
}

#[tokio::test]
async fn an_abort_that_fails_is_tried_again() {
    let rules = |call: &Call| match (call.operation, call.before) {
        (Operation::Part(2), _) => Rule::Say(error("403 Forbidden", "AccessDenied")),
        (Operation::Abort, 0 | 1) => Rule::Say(internal_error()),
        _ => Rule::Obey,
    };
    let service = Service::start(rules).await;
    let s3 = service.client().await;
    let failed = put(&s3, bytes()).await.unwrap_err();
    assert_eq!(failed.kind(), Kind::AccessDenied);
    assert!(service.unfinished().is_empty());
    // Once more, for parts that were under way meanwhile.
    s3.settle().await;
    assert_eq!(service.count(|operation| operation == Operation::Abort), 4);
}

#[tokio::test]
async fn an_abort_goes_on_when_the_service_is_down_for_a_while() {
    // A budget of nothing: each call has one try.
    for budget in [RetryPolicy::default().budget, 0] {
        let rules = |call: &Call| match (call.operation, call.before) {
            (Operation::Part(2), _) => Rule::Say(error("403 Forbidden", "AccessDenied")),
            (Operation::Abort, 0..=5) => Rule::Say(internal_error()),
            _ => Rule::Obey,
        };
        let service = Service::start(rules).await;
        let s3 = service.builder().retry(RetryPolicy { budget, ..support::quick() });
        let s3 = s3.build().await.unwrap();
        let failed = put(&s3, bytes()).await.unwrap_err();
        assert_eq!(failed.kind(), Kind::AccessDenied);
        assert_eq!(service.unfinished().len(), 1, "whoever puts does not wait for it");
        s3.settle().await;
        assert!(service.unfinished().is_empty());
    }
}

#[tokio::test]
async fn an_abort_that_is_refused_is_not_tried_again() {
    let rules = |call: &Call| match call.operation {
        Operation::Part(2) | Operation::Abort => Rule::Say(error("403 Forbidden", "AccessDenied")),
        _ => Rule::Obey,
    };
    let service = Service::start(rules).await;
    let s3 = service.client().await;
    put(&s3, bytes()).await.unwrap_err();
    s3.settle().await;
    assert_eq!(service.count(|operation| operation == Operation::Abort), 1);
}

#[tokio::test]
async fn with_nothing_under_way_there_is_nothing_to_wait_for() {
    let service = Service::obedient().await;
    let s3 = service.client().await;
    s3.settle().await;
    put(&s3, bytes()).await.unwrap();
    s3.settle().await;
    put(&s3, bytes()).await.unwrap();
}
