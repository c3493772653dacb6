use artifact_s3::{
    GetOptions, ListOptions, ObjectKey, Operation, PutOptions, S3Client, S3Error, S3ErrorKind,
    layers::{Fault, FaultRates, Faults},
};
use futures::TryStreamExt;

use crate::{error, memory, names, scripted};

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
