use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use artifact_s3::{
    Body, DeleteOptions, GetOptions, ObjectKey, Operation, PutOptions, RetryPolicy, S3Client,
    S3ErrorKind, WriteCondition,
    layers::{Fault, Faults, Retry},
};

use crate::{error, memory, names, quick, scripted};

#[tokio::test]
async fn a_failing_call_is_tried_again_with_the_same_body() {
    let memory = memory().await;
    let faults =
        [S3ErrorKind::Unreachable, S3ErrorKind::Throttled].map(|k| Fault::Before(error(k)));
    let (faults, seen) = scripted(faults, memory.clone());
    let s3 = Retry::new(quick(4), faults);
    let (bucket, key) = names();
    s3.put_object(&bucket, &key, "new".into(), &PutOptions::default()).await.unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 3);
    assert_eq!(memory.object("test-bucket", "a").unwrap().bytes, "new");
}

#[tokio::test]
async fn the_last_error_says_how_often_it_was_tried() {
    let always = |_: Operation, _: &str| Some(Fault::Before(error(S3ErrorKind::Timeout)));
    let s3 = Retry::new(quick(3), Faults::new(always, memory().await));
    let (bucket, key) = names();
    let failed = s3.head_object(&bucket, &key, &GetOptions::default()).await.unwrap_err();
    assert_eq!(failed.attempts(), 3);
    assert!(failed.elapsed().is_some());
    // Tries of the client inside count.
    let twice = Retry::new(quick(2), s3);
    let failed = twice.head_object(&bucket, &key, &GetOptions::default()).await.unwrap_err();
    assert_eq!(failed.attempts(), 6);
}

#[tokio::test]
async fn what_asking_again_does_not_mend_is_tried_once() {
    let (faults, seen) = scripted([], memory().await);
    let s3 = Retry::new(quick(4), faults);
    let (bucket, none) = (names().0, ObjectKey::parse("none").unwrap());
    let missing = s3.get_object(&bucket, &none, &GetOptions::default()).await.unwrap_err();
    assert_eq!((missing.kind(), missing.attempts()), (S3ErrorKind::NoSuchKey, 1));
    assert_eq!(seen.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn further_tries_end_with_the_budget() {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = seen.clone();
    let always = move |_: Operation, _: &str| {
        count.fetch_add(1, Ordering::Relaxed);
        Some(Fault::Before(error(S3ErrorKind::Unreachable)))
    };
    // A try costs 5.
    let policy = RetryPolicy { budget: 20, ..quick(4) };
    let s3 = Retry::new(policy, Faults::new(always, memory().await));
    let (bucket, key) = names();
    let mut attempts = Vec::new();
    for _ in 0..4 {
        let failed = s3.head_object(&bucket, &key, &GetOptions::default()).await.unwrap_err();
        attempts.push(failed.attempts());
    }
    assert_eq!(attempts, [4, 2, 1, 1]);
    assert_eq!(seen.load(Ordering::Relaxed), 8);
}

#[tokio::test]
async fn a_stream_has_one_try() {
    let (faults, seen) = scripted([Fault::Before(error(S3ErrorKind::Throttled))], memory().await);
    let s3 = Retry::new(quick(4), faults);
    let (bucket, key) = names();
    let body = Body::from_reader(&b"once"[..], Some(4));
    let failed = s3.put_object(&bucket, &key, body, &PutOptions::default()).await.unwrap_err();
    assert_eq!(failed.kind(), S3ErrorKind::Throttled);
    assert!(failed.is_retryable(), "by who has the bytes");
    assert_eq!(seen.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_conditional_write_that_may_have_happened_is_not_repeated() {
    let (bucket, key) = names();
    let new = ObjectKey::parse("new").unwrap();
    let lost = |kind| Fault::AnswerLost(error(kind));
    let once = PutOptions { condition: WriteCondition::IfAbsent, ..Default::default() };

    let memory = memory().await;
    let (faults, seen) = scripted([lost(S3ErrorKind::Unreachable)], memory.clone());
    let s3 = Retry::new(quick(4), faults);
    let failed = s3.put_object(&bucket, &new, "1".into(), &once).await.unwrap_err();
    assert_eq!((failed.kind(), failed.is_retryable()), (S3ErrorKind::Unreachable, false));
    assert_eq!(seen.load(Ordering::Relaxed), 1);
    assert_eq!(memory.object("test-bucket", "new").unwrap().bytes, "1");

    // Throttled: nothing happened.
    let throttled = Fault::Before(error(S3ErrorKind::Throttled));
    let (faults, seen) = scripted([throttled], memory.clone());
    let copy = ObjectKey::parse("copy").unwrap();
    Retry::new(quick(4), faults).copy_object(&bucket, &key, &copy, &once).await.unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 2);

    // A bare 503 may be a proxy's, after the service has done it.
    let unavailable = |code: Option<&str>| {
        let code = code.map(str::to_owned);
        error(S3ErrorKind::Throttled).answered(503, code, None)
    };
    let next = ObjectKey::parse("next").unwrap();
    let (faults, seen) = scripted([Fault::AnswerLost(unavailable(None))], memory.clone());
    let failed = Retry::new(quick(4), faults).put_object(&bucket, &next, "1".into(), &once).await;
    assert!(!failed.unwrap_err().is_retryable());
    assert_eq!(seen.load(Ordering::Relaxed), 1);
    let slow_down = Fault::Before(unavailable(Some("SlowDown")));
    let (faults, seen) = scripted([slow_down], memory.clone());
    let another = ObjectKey::parse("another").unwrap();
    Retry::new(quick(4), faults).put_object(&bucket, &another, "1".into(), &once).await.unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 2);

    let etag = memory.head_object(&bucket, &key, &GetOptions::default()).await.unwrap().etag;
    let this = DeleteOptions { if_match: etag, ..Default::default() };
    let (faults, seen) = scripted([lost(S3ErrorKind::Timeout)], memory.clone());
    let failed = Retry::new(quick(4), faults).delete_object(&bucket, &key, &this).await;
    assert!(!failed.unwrap_err().is_retryable());
    assert_eq!(seen.load(Ordering::Relaxed), 1);
    assert!(memory.object("test-bucket", "a").is_none());
}
