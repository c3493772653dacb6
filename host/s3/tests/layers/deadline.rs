use std::time::Duration;

use artifact_s3::{
    Body, GetOptions, ListOptions, Operation, PutOptions, S3Client, S3Error, S3ErrorKind,
    WriteCondition,
    layers::{Answer, Attempt, Call, Deadline, Fault, Layer},
};
use bytes::Bytes;
use futures::{StreamExt, stream};

use crate::{memory, names, scripted};

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
