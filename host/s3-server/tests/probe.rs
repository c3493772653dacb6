//! What a probe finds out of a server that honours conditions, and of one that does not.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{sync::Arc, time::Duration};

use artifact_s3::{
    Bucket, Credentials, DeleteOptions, Feature, Finding, GetOptions, HttpS3, HttpS3Builder,
    MemoryS3, ObjectKey, Probe, PutOptions, RetryPolicy, S3Client, S3ErrorKind, WriteCondition,
};
use artifact_s3_server::LocalServer;
use artifact_test_servers::Careless;

const BUCKET: &str = "test-bucket";

async fn serve(client: impl S3Client) -> LocalServer {
    LocalServer::builder().client(Arc::new(client)).start().await.unwrap()
}

fn client(server: &LocalServer) -> HttpS3Builder {
    HttpS3::builder()
        .endpoint(server.endpoint())
        .credentials(Credentials::key(server.access_key(), server.secret_key().expose()))
        .retry(RetryPolicy { base_delay: Duration::from_millis(1), ..RetryPolicy::default() })
}

fn bucket() -> Bucket {
    Bucket::parse(BUCKET).unwrap()
}

fn finding(probe: &Probe, feature: Feature) -> Finding {
    probe.checks.iter().find(|check| check.feature == feature).unwrap().finding
}

const CONDITIONS: [Feature; 5] = [
    Feature::IfAbsent,
    Feature::IfMatch,
    Feature::ConditionalCopy,
    Feature::ConditionalGet,
    Feature::ConditionalDelete,
];

#[tokio::test]
async fn a_server_that_honours_what_it_is_asked_is_found_to() {
    let memory = MemoryS3::with_buckets([BUCKET]).unwrap();
    let server = serve(memory.clone()).await;
    let probe = client(&server).build().await.unwrap().probe(&bucket(), "asm/").await;
    assert!(probe.works(), "{probe:#?}");
    for check in &probe.checks {
        assert_eq!(check.finding, Finding::Ok, "{check:#?}");
    }
    assert_eq!(memory.keys(BUCKET), [""; 0], "nothing stays behind");
}

#[tokio::test]
async fn what_is_ignored_is_found_out_and_refused_from_then_on() {
    let memory = MemoryS3::with_buckets([BUCKET]).unwrap();
    let server = serve(Careless(memory.clone())).await;
    let s3 = client(&server).build().await.unwrap();
    let probe = s3.probe(&bucket(), "").await;
    assert!(probe.works(), "{probe:#?}");
    for feature in CONDITIONS {
        assert_eq!(finding(&probe, feature), Finding::Ignored, "{feature}: {probe:#?}");
    }
    assert_eq!(finding(&probe, Feature::Versions), Finding::Ignored);
    assert_eq!(memory.keys(BUCKET), [""; 0], "nothing stays behind");

    let key = ObjectKey::parse("k").unwrap();
    let if_absent = PutOptions { condition: WriteCondition::IfAbsent, ..PutOptions::default() };
    // Before anybody looked it looked like success.
    s3.put_object(&bucket(), &key, "a".into(), &if_absent).await.unwrap();
    s3.put_object(&bucket(), &key, "b".into(), &if_absent).await.unwrap();

    let s3 = client(&server).capabilities(probe.capabilities()).build().await.unwrap();
    let error = s3.put_object(&bucket(), &key, "c".into(), &if_absent).await.unwrap_err();
    assert_eq!(error.kind(), S3ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("ignores If-None-Match"), "{error}");
    let if_match = DeleteOptions { if_match: Some("other".into()), ..DeleteOptions::default() };
    assert!(s3.delete_object(&bucket(), &key, &if_match).await.is_err());
    assert!(s3.copy_object(&bucket(), &key, &key, &if_absent).await.is_err());
    let read = GetOptions { version_id: Some("v".into()), ..GetOptions::default() };
    assert!(s3.get_object(&bucket(), &key, &read).await.is_err());
    assert!(s3.head_object(&bucket(), &key, &read).await.is_err());
    let object = s3.get_object(&bucket(), &key, &GetOptions::default()).await.unwrap();
    assert_eq!(object.body.bytes().await.unwrap(), "b", "nothing was sent");

    // What is known does not stand in the way of finding it out again.
    let again = s3.probe(&bucket(), "").await;
    assert_eq!(finding(&again, Feature::IfAbsent), Finding::Ignored, "{again:#?}");
}

#[tokio::test]
async fn what_all_else_needs_is_told_once() {
    let server = serve(MemoryS3::with_buckets([BUCKET]).unwrap()).await;
    let wrong = Credentials::key(server.access_key(), "wrong");
    let s3 = client(&server).credentials(wrong).build().await.unwrap();
    let probe = s3.probe(&bucket(), "").await;
    assert!(!probe.works());
    let failed: Vec<_> =
        probe.checks.iter().filter(|check| check.finding == Finding::Failed).collect();
    assert_eq!(failed.len(), 1, "{failed:#?}");
    assert_eq!(failed[0].feature, Feature::Put);
    assert_eq!(failed[0].error.as_ref().unwrap().kind(), S3ErrorKind::AccessDenied);
    assert_eq!(finding(&probe, Feature::Get), Finding::Unknown);
}

#[tokio::test]
async fn the_step_that_fails_on_the_way_is_named() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    // Takes connections, and speaks neither TLS nor HTTP.
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rude = mute.local_addr().unwrap();
    let task = tokio::spawn(async move {
        while let Ok((mut socket, _)) = mute.accept().await {
            tokio::spawn(async move {
                tokio::io::AsyncWriteExt::write_all(&mut socket, b"220 mail ready\r\n").await
            });
        }
    });
    // Longer than a label can be, so that nobody is asked for it.
    let no_host = format!("http://{}.test", "x".repeat(64));
    for (endpoint, step) in [
        (no_host, "looking up the name failed"),
        (format!("http://{address}"), "the connection failed"),
        (format!("https://{rude}"), ": TLS failed"),
        (format!("http://{rude}"), ": HTTP failed"),
    ] {
        let s3 = HttpS3::builder()
            .endpoint(&endpoint)
            .credentials(Credentials::key("id", "secret"))
            .build()
            .await
            .unwrap();
        let probe = s3.probe(&bucket(), "").await;
        let check = &probe.checks[0];
        assert_eq!(check.finding, Finding::Failed, "{check:#?}");
        assert!(check.message.contains(step), "{endpoint}: {}", check.message);
        assert_eq!(finding(&probe, Feature::Put), Finding::Unknown);
    }
    task.abort();
}

#[tokio::test]
async fn a_probe_that_is_dropped_leaves_nothing_behind() {
    let memory = MemoryS3::with_buckets([BUCKET]).unwrap();
    let server = serve(memory.clone()).await;
    let s3 = client(&server).build().await.unwrap();
    let bucket = bucket();
    let probe = async {
        tokio::select! {
            probe = s3.probe(&bucket, "") => panic!("it was to be dropped: {probe:#?}"),
            () = async {
                while memory.keys(BUCKET).is_empty() {
                    tokio::task::yield_now().await;
                }
            } => {}
        }
    };
    probe.await;
    tokio::time::timeout(Duration::from_secs(30), async {
        while !memory.keys(BUCKET).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
}
