use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use artifact_s3::{
    Body, GetOptions, ObjectKey, S3Client, S3Error, S3ErrorKind,
    layers::{Answer, Attempt, Call, ConcurrencyLimit, Fault, Layer},
};
use futures::{TryStreamExt, future::join_all};

use crate::{error, memory, names, scripted};

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
