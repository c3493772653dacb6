//! Layers around a client: what each adds, and that they compose.
#![expect(clippy::unwrap_used, reason = "tests")]

mod concurrency_limit;
mod deadline;
mod faults;
mod retry;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use artifact_s3::{
    Bucket, DeleteOptions, GetOptions, HttpS3, ListOptions, MemoryS3, ObjectKey, Operation,
    PutOptions, RetryPolicy, S3Client, S3Error, S3ErrorKind,
    layers::{ConcurrencyLimit, Deadline, Fault, FaultRates, Faults, Retry},
};

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
