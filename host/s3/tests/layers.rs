//! Layers around a client: what each adds, and that they compose.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use artifact_s3::{
    Body, Bucket, DeleteOptions, GetOptions, HttpS3, ListOptions, MemoryS3, ObjectKey, Operation,
    PutOptions, RetryPolicy, S3Client, S3Error, S3ErrorKind, WriteCondition,
    layers::{
        Answer, Attempt, Call, ConcurrencyLimit, Deadline, Fault, FaultRates, Faults, Layer, Retry,
    },
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future::join_all, stream};

fn names() -> (Bucket, ObjectKey) {
    (Bucket::parse("test-bucket").unwrap(), ObjectKey::parse("a").unwrap())
}

/// In memory, with `abc` at the key `a`.
async fn memory() -> MemoryS3 {
    let (bucket, key) = names();
    let memory = MemoryS3::new();
    memory.put_object(&bucket, &key, "abc".into(), &PutOptions::default()).await.unwrap();
    memory
}

fn error(kind: S3ErrorKind) -> S3Error {
    S3Error::new(kind, "as the test wants it")
}

/// Meets its calls with these faults, one after the other, and counts them.
fn scripted<C: S3Client>(
    faults: impl IntoIterator<Item = Fault>,
    client: C,
) -> (Faults<C>, Arc<AtomicUsize>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let (count, faults) = (seen.clone(), Mutex::new(VecDeque::from_iter(faults)));
    let plan = move |_: Operation, _: &str| {
        count.fetch_add(1, Ordering::Relaxed);
        faults.lock().unwrap().pop_front()
    };
    (Faults::new(plan, client), seen)
}

fn quick(max_attempts: u32) -> RetryPolicy {
    RetryPolicy { max_attempts, base_delay: Duration::from_millis(1), ..RetryPolicy::default() }
}

/// Hands out bodies that give their first byte, and then nothing for ever.
#[derive(Debug)]
struct Stuck<C>(C);

impl<C: S3Client> Layer for Stuck<C> {
    type Client = C;

    fn client(&self) -> &C {
        &self.0
    }

    async fn around<T: Answer>(
        &self,
        _: Call<'_>,
        body: Body,
        attempt: &Attempt<'_, T>,
    ) -> Result<T, S3Error> {
        Ok(attempt(body).await?.map_body(|body| {
            let first = stream::iter([Ok(Bytes::from_static(b"a"))]);
            Body::from_stream(first.chain(stream::pending()), body.length())
        }))
    }
}

#[tokio::test]
async fn display_shows_the_nesting() {
    let http = HttpS3::builder().endpoint("http://127.0.0.1:9000").build().await.unwrap();
    assert_eq!(http.to_string(), "HttpS3(http://127.0.0.1:9000)");
    let s3 = Retry::new(RetryPolicy::default(), ConcurrencyLimit::new(16, http));
    assert_eq!(s3.to_string(), "Retry(4, ConcurrencyLimit(16, HttpS3(http://127.0.0.1:9000)))");
    let s3 = Deadline::new(Duration::from_secs(30), Faults::new(|_, _| None, MemoryS3::new()));
    assert_eq!(s3.to_string(), "Deadline(30s, Faults(MemoryS3))");
    let s3 = Deadline::new(
        Duration::from_millis(1500),
        Faults::random(7, |_| FaultRates::default(), Arc::new(MemoryS3::new())),
    );
    assert_eq!(s3.with_body().to_string(), "Deadline(1.5s with body, Faults(seed 7, MemoryS3))");
}

#[tokio::test]
async fn layers_wrap_whatever_is_a_client_all_six_calls_of_it() {
    let inner: Arc<dyn S3Client> = Arc::new(MemoryS3::new());
    let limited: Arc<dyn S3Client> = Arc::new(ConcurrencyLimit::new(1, inner));
    let s3 = Retry::new(quick(2), Deadline::new(Duration::from_mins(1), limited));
    let (bucket, key) = names();
    let copy = ObjectKey::parse("b").unwrap();
    let (put, get) = (PutOptions::default(), GetOptions::default());
    s3.put_object(&bucket, &key, "abc".into(), &put).await.unwrap();
    assert_eq!(s3.head_object(&bucket, &key, &get).await.unwrap().size, 3);
    s3.copy_object(&bucket, &key, &copy, &put).await.unwrap();
    let object = s3.get_object(&bucket, &copy, &get).await.unwrap();
    assert_eq!(object.body.length(), Some(3));
    assert_eq!(object.body.bytes().await.unwrap(), "abc");
    s3.delete_object(&bucket, &key, &DeleteOptions::default()).await.unwrap();
    let page = s3.list_objects(&bucket, &ListOptions::default()).await.unwrap();
    assert_eq!(page.objects.len(), 1);
    assert_eq!(page.objects[0].key, "b");
}

// ---- ConcurrencyLimit

#[tokio::test(start_paused = true)]
async fn no_more_calls_than_the_limit_are_under_way() {
    let (active, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let slow = Watched { active, most: most.clone(), client: memory().await };
    let s3 = ConcurrencyLimit::new(3, slow);
    let (bucket, key) = names();
    let options = GetOptions::default();
    let heads = (0..20).map(|_| s3.head_object(&bucket, &key, &options));
    assert!(join_all(heads).await.iter().all(Result::is_ok));
    assert_eq!(most.load(Ordering::Relaxed), 3);
    assert_eq!(s3.free(), 3);
}

/// Takes a second for each call, and keeps the most that were under way together.
#[derive(Debug)]
struct Watched<C> {
    active: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    client: C,
}

impl<C: S3Client> Layer for Watched<C> {
    type Client = C;

    fn client(&self) -> &C {
        &self.client
    }

    async fn around<T: Answer>(
        &self,
        _: Call<'_>,
        body: Body,
        attempt: &Attempt<'_, T>,
    ) -> Result<T, S3Error> {
        let active = self.active.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(active, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.active.fetch_sub(1, Ordering::Relaxed);
        attempt(body).await
    }
}

#[tokio::test]
async fn a_get_keeps_its_place_until_its_body_ends_breaks_or_is_dropped() {
    let broken = Fault::BreakBody { after: 1, error: error(S3ErrorKind::Unreachable) };
    let (faults, _) = scripted([Fault::Delay(Duration::ZERO), broken], memory().await);
    let s3 = ConcurrencyLimit::new(1, faults);
    let (bucket, key) = names();
    let options = GetOptions::default();

    let whole = s3.get_object(&bucket, &key, &options).await.unwrap().body;
    assert_eq!((s3.free(), whole.length()), (0, Some(3)));
    let mut whole = whole.into_stream();
    assert_eq!(whole.try_next().await.unwrap().unwrap(), "abc");
    assert_eq!(s3.free(), 0);
    assert!(whole.try_next().await.unwrap().is_none());
    assert_eq!(s3.free(), 1); // and `whole` is still there

    let mut broken = s3.get_object(&bucket, &key, &options).await.unwrap().body.into_stream();
    assert_eq!(broken.try_next().await.unwrap().unwrap(), "a");
    assert!(broken.try_next().await.is_err());
    assert_eq!(s3.free(), 1);

    let dropped = s3.get_object(&bucket, &key, &options).await.unwrap();
    assert_eq!(s3.free(), 0);
    drop(dropped);
    assert_eq!(s3.free(), 1);
    let failed = s3.get_object(&bucket, &ObjectKey::parse("none").unwrap(), &options).await;
    assert_eq!(failed.unwrap_err().kind(), S3ErrorKind::NoSuchKey);
    assert_eq!(s3.free(), 1);
}

#[tokio::test]
async fn a_waiting_call_that_is_dropped_leaves_the_queue() {
    let s3 = Arc::new(ConcurrencyLimit::new(1, memory().await));
    let (bucket, key) = names();
    let options = GetOptions::default();
    let held = s3.get_object(&bucket, &key, &options).await.unwrap();
    let mut first = s3.head_object(&bucket, &key, &options);
    let mut second = s3.head_object(&bucket, &key, &options);
    assert!(futures::poll!(&mut first).is_pending());
    assert!(futures::poll!(&mut second).is_pending());
    drop(first);
    drop(held);
    assert!(second.await.is_ok());
    assert_eq!(s3.free(), 1);
}

#[tokio::test]
async fn limits_without_sense_do_not_block_or_panic() {
    let (bucket, key) = names();
    for limit in [0, usize::MAX] {
        let s3 = ConcurrencyLimit::new(limit, memory().await);
        assert!(s3.head_object(&bucket, &key, &GetOptions::default()).await.is_ok());
    }
}

// ---- Deadline

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_the_deadline_with_an_error_that_names_it() {
    let late = || Fault::Delay(Duration::from_secs(11));
    let (faults, _) = scripted([late(), late(), late()], memory().await);
    let s3 = Deadline::new(Duration::from_secs(10), faults);
    let (bucket, key) = names();
    let began = tokio::time::Instant::now();
    let missed = s3.head_object(&bucket, &key, &GetOptions::default()).await.unwrap_err();
    assert_eq!(began.elapsed().as_secs(), 10);
    assert_eq!(missed.to_string(), "HeadObject of \"test-bucket/a\": timeout: no end within 10s");
    assert!(missed.is_retryable());

    let options = PutOptions { condition: WriteCondition::IfAbsent, ..Default::default() };
    let missed = s3.put_object(&bucket, &key, "x".into(), &options).await.unwrap_err();
    assert_eq!(missed.kind(), S3ErrorKind::Timeout);
    assert!(!missed.is_retryable(), "it may have happened");

    let missed = s3.list_objects(&bucket, &ListOptions::default()).await.unwrap_err();
    assert_eq!(missed.target(), Some("test-bucket"));
    assert!(s3.head_object(&bucket, &key, &GetOptions::default()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_body_counts_only_where_that_was_said() {
    let (bucket, key) = names();
    let limit = Duration::from_secs(10);
    let s3 = Deadline::new(limit, memory().await);
    let object = s3.get_object(&bucket, &key, &GetOptions::default()).await.unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(object.body.bytes().await.unwrap(), "abc");

    let s3 = Deadline::new(limit, Stuck(memory().await)).with_body();
    let began = tokio::time::Instant::now();
    let body = s3.get_object(&bucket, &key, &GetOptions::default()).await.unwrap().body;
    assert_eq!(body.length(), Some(3));
    let missed = S3Error::from(body.bytes().await.unwrap_err());
    assert_eq!(began.elapsed().as_secs(), 10);
    assert_eq!(missed.kind(), S3ErrorKind::Timeout);
    assert_eq!(missed.operation(), Some(Operation::GetObject));
}

#[tokio::test]
async fn a_deadline_beyond_all_clocks_is_none() {
    let (bucket, key) = names();
    let s3 = Deadline::new(Duration::MAX, memory().await).with_body();
    let object = s3.get_object(&bucket, &key, &GetOptions::default()).await.unwrap();
    assert_eq!(object.body.bytes().await.unwrap(), "abc");
}

// ---- Retry

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

    let etag = memory.head_object(&bucket, &key, &GetOptions::default()).await.unwrap().etag;
    let this = DeleteOptions { if_match: etag, ..Default::default() };
    let (faults, seen) = scripted([lost(S3ErrorKind::Timeout)], memory.clone());
    let failed = Retry::new(quick(4), faults).delete_object(&bucket, &key, &this).await;
    assert!(!failed.unwrap_err().is_retryable());
    assert_eq!(seen.load(Ordering::Relaxed), 1);
    assert!(memory.object("test-bucket", "a").is_none());
}

// ---- Faults

#[tokio::test]
async fn each_fault_does_what_it_says() {
    let (bucket, key) = names();
    let unreachable = || error(S3ErrorKind::Unreachable);
    let broken = |after| Fault::BreakBody { after, error: unreachable() };
    let memory = memory().await;
    let script = [
        Fault::Before(unreachable()),
        Fault::AnswerLost(unreachable()),
        broken(2),
        broken(0),
        broken(9),
        broken(1),
        broken(1),
    ];
    let (s3, _) = scripted(script, memory.clone());
    let put = PutOptions::default();
    let failed = s3.put_object(&bucket, &key, "new".into(), &put).await.unwrap_err();
    assert_eq!(
        failed.to_string(),
        "PutObject of \"test-bucket/a\": unreachable: as the test wants it"
    );
    assert_eq!(memory.object("test-bucket", "a").unwrap().bytes, "abc");
    assert!(s3.put_object(&bucket, &key, "new".into(), &put).await.is_err());
    assert_eq!(memory.object("test-bucket", "a").unwrap().bytes, "new");
    for expected in ["ne", "", "new"] {
        let body = s3.get_object(&bucket, &key, &GetOptions::default()).await.unwrap().body;
        assert_eq!(body.length(), Some(3));
        let mut bytes = body.into_stream();
        let mut read = Vec::new();
        let failed = loop {
            match bytes.try_next().await {
                Ok(chunk) => read.extend_from_slice(&chunk.unwrap()),
                Err(error) => break S3Error::from(error),
            }
        };
        assert_eq!((read, failed.kind()), (expected.into(), S3ErrorKind::Unreachable));
    }
    // The body of a put, on its way in; a head has none.
    assert!(s3.put_object(&bucket, &key, "newer".into(), &put).await.is_err());
    assert_eq!(memory.object("test-bucket", "a").unwrap().bytes, "new");
    assert!(s3.head_object(&bucket, &key, &GetOptions::default()).await.is_ok());
}

#[tokio::test]
async fn the_same_seed_gives_the_same_faults_in_any_order() {
    let outcomes = async |seed: u64, backwards: bool| {
        let s3 = Faults::random(seed, |_| FaultRates::failing(0.5), memory().await);
        let bucket = names().0;
        let mut numbers: Vec<usize> = (0..100).collect();
        if backwards {
            numbers.reverse();
        }
        let mut met = vec![None; numbers.len()];
        for number in numbers {
            let key = ObjectKey::parse(format!("{number}")).unwrap();
            let put = s3.put_object(&bucket, &key, "abc".into(), &PutOptions::default()).await;
            met[number] = put.err().map(|error| error.to_string());
        }
        met
    };
    let met = outcomes(1, false).await;
    assert_eq!(met, outcomes(1, true).await);
    assert_ne!(met, outcomes(2, false).await);
    let failed = met.iter().flatten().count();
    assert!((20..80).contains(&failed), "half of 100: {failed}");
}

#[tokio::test]
async fn rates_are_kept() {
    let (bucket, key) = names();
    for (rate, failures) in [(0.0, 0), (1.0, 50)] {
        let rates = move |operation| FaultRates {
            before: if operation == Operation::HeadObject { rate } else { 0.0 },
            ..FaultRates::default()
        };
        let s3 = Faults::random(3, rates, memory().await);
        let mut failed = 0;
        for _ in 0..50 {
            failed +=
                usize::from(s3.head_object(&bucket, &key, &GetOptions::default()).await.is_err());
            assert!(s3.list_objects(&bucket, &ListOptions::default()).await.is_ok());
        }
        assert_eq!(failed, failures);
    }
}
