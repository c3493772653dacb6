//! The local server as an HTTP client sees it, signed with the official signer.

#![expect(clippy::unwrap_used, reason = "tests")]

mod signed;

use std::sync::{Arc, Mutex};

use artifact_s3::{Body, Bucket, GetOptions, MemoryS3, ObjectKey, PutOptions, S3Client};
use artifact_s3_server::{Exchange, LocalServer, SecretKey, StartError};
use signed::{Client, Options};

async fn serve(memory: &MemoryS3) -> LocalServer {
    LocalServer::builder().client(Arc::new(memory.clone())).start().await.unwrap()
}

/// Keys that some layer between a caller and a bucket likes to alter.
fn naughty_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "a//b",
        "a b",
        "a+b",
        "k?acl",
        "k#f",
        "%2F",
        "%252F",
        "a&b=c",
        "ключ/键",
        "/leading",
        "//",
        "trailing/",
        "...",
        "~*'()!$,;:@[]{}|^`\"\\<>",
        " x ",
        "😀",
        "k?versionId=null",
        "x;y",
    ]
    .map(str::to_owned)
    .into();
    keys.push("k".repeat(1024));
    keys.push("ж".repeat(512));
    keys
}

#[tokio::test]
async fn an_object_goes_in_and_out() {
    let memory = MemoryS3::new();
    let server = serve(&memory).await;
    let client = Client::of(&server);
    let headers = [
        ("content-type", "text/x-diff"),
        ("x-amz-meta-owner", "team"),
        ("x-amz-tagging", "a=%C3%BC"),
    ];
    let put = client.call("PUT", "/bucket/k", Options { headers: &headers, body: b"diff" }).await;
    assert_eq!(put.status, 200);
    let stored = memory.object("bucket", "k").unwrap();
    assert_eq!(stored.bytes, "diff");
    assert_eq!(stored.tags, [("a".to_owned(), "ü".to_owned())]);

    let get = client.call("GET", "/bucket/k", Options::default()).await;
    assert_eq!((get.status, &*get.body), (200, "diff"));
    assert_eq!(get.header("content-type"), Some("text/x-diff"));
    assert_eq!(get.header("x-amz-meta-owner"), Some("team"));
    assert_eq!(get.header("etag"), Some(&*format!("\"{}\"", stored.info.etag.unwrap())));
    assert_eq!(get.header("content-length"), Some("4"));

    let headers = [("range", "bytes=1-2")];
    let part = client.call("GET", "/bucket/k", Options { headers: &headers, body: b"" }).await;
    assert_eq!((part.status, &*part.body), (206, "if"));
    assert_eq!(part.header("content-range"), Some("bytes 1-2/4"));
}

#[tokio::test]
async fn keys_arrive_as_they_were_sent() {
    let memory = MemoryS3::new();
    let server = serve(&memory).await;
    let client = Client::of(&server);
    let mut keys = naughty_keys();
    for key in &keys {
        let put = client
            .call(
                "PUT",
                &signed::path("bucket", key),
                Options { headers: &[], body: key.as_bytes() },
            )
            .await;
        assert_eq!(put.status, 200, "{key:?}: {}", put.body);
        let get = client.call("GET", &signed::path("bucket", key), Options::default()).await;
        assert_eq!(&get.body, key);
    }
    keys.sort();
    assert_eq!(memory.keys("bucket"), keys);
    let list =
        client.call("GET", "/bucket?encoding-type=url&list-type=2", Options::default()).await;
    for fragment in ["<Key>a//b</Key>", "<Key>a+b</Key>", "<Key>a%2Bb</Key>", "<Key>%252F</Key>"] {
        assert!(list.body.contains(fragment), "{fragment} in {}", list.body);
    }
}

#[tokio::test]
async fn only_signed_requests_are_answered() {
    let memory = MemoryS3::new();
    let server = serve(&memory).await;
    let unsigned = reqwest::get(format!("{}/bucket/k", server.endpoint())).await.unwrap();
    assert_eq!(unsigned.status().as_u16(), 403);
    for (access_key, secret_key, code) in [
        (server.access_key(), "wrong", "SignatureDoesNotMatch"),
        ("unknown", server.secret_key().expose(), "NotSignedUp"),
    ] {
        let client = Client::new(&server.endpoint(), access_key, secret_key);
        let refused = client.call("PUT", "/bucket/k", Options::default()).await;
        assert_eq!(refused.status, 403);
        assert!(refused.body.contains(code), "{}", refused.body);
    }
    assert!(memory.is_empty());
}

#[tokio::test]
async fn an_error_of_the_client_keeps_status_code_message_and_request_id() {
    let server = serve(&MemoryS3::with_buckets(["bucket"]).unwrap()).await;
    let client = Client::of(&server);
    let missing = client.call("GET", "/bucket/k", Options::default()).await;
    assert_eq!(missing.status, 404);
    for fragment in ["<Code>NoSuchKey</Code>", "The specified key does not exist."] {
        assert!(missing.body.contains(fragment), "{}", missing.body);
    }
    assert_eq!(missing.header("x-amz-request-id"), Some("MEMORY0000000001"));
    assert!(missing.body.contains("<RequestId>MEMORY0000000001</RequestId>"));
    let nowhere = client.call("GET", "/nowhere/k", Options::default()).await;
    assert!(nowhere.status == 404 && nowhere.body.contains("<Code>NoSuchBucket</Code>"));
    assert_eq!(client.call("HEAD", "/bucket", Options::default()).await.status, 200);
    assert_eq!(client.call("HEAD", "/nowhere", Options::default()).await.status, 404);
}

#[tokio::test]
async fn an_upload_whose_checksum_is_wrong_is_not_stored() {
    let memory = MemoryS3::new();
    let server = serve(&memory).await;
    let client = Client::of(&server);
    for (name, wrong, right) in [
        ("x-amz-checksum-crc32", "AAAAAA==", "NSRBwg=="),
        ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==", "kAFQmDzST7DWlj99KOF/cg=="),
    ] {
        let put = |value| {
            let client = client.clone();
            async move {
                let headers = [(name, value)];
                client.call("PUT", "/bucket/k", Options { headers: &headers, body: b"abc" }).await
            }
        };
        let refused = put(wrong).await;
        assert_eq!(refused.status, 400, "{name}");
        assert!(refused.body.contains("<Code>BadDigest</Code>"), "{}", refused.body);
        assert!(memory.is_empty());
        assert_eq!(put(right).await.status, 200, "{name}");
        assert_eq!(client.call("DELETE", "/bucket/k", Options::default()).await.status, 204);
    }
}

#[tokio::test]
async fn what_cannot_be_passed_on_is_refused() {
    let memory = MemoryS3::new();
    let server = serve(&memory).await;
    let client = Client::of(&server);
    for header in [
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-website-redirect-location", "/other"),
        ("x-amz-object-lock-legal-hold", "ON"),
        ("x-amz-grant-read", "id=1"),
        ("if-none-match", "\"abc\""),
    ] {
        let put = client.call("PUT", "/bucket/k", Options { headers: &[header], body: b"x" }).await;
        assert_eq!(put.status, 501, "{header:?}: {}", put.body);
    }
    let headers = [("x-amz-copy-source", "other-bucket/k")];
    let copy = client.call("PUT", "/bucket/k", Options { headers: &headers, body: b"" }).await;
    assert_eq!(copy.status, 501);
    assert!(memory.is_empty());
}

#[tokio::test]
async fn the_observer_sees_the_wire_and_no_secrets() {
    let seen = Arc::new(Mutex::new(Vec::<Exchange>::new()));
    let sink = Arc::clone(&seen);
    let server = LocalServer::builder()
        .client(Arc::new(MemoryS3::new()))
        .credentials("ACCESS", SecretKey::new("secret"))
        .on_exchange(move |exchange| sink.lock().unwrap().push(exchange))
        .start()
        .await
        .unwrap();
    let client = Client::of(&server);
    client.call("PUT", "/bucket/a%20b", Options { headers: &[], body: b"diff" }).await;
    client.call("GET", "/bucket/a%20b?x-id=GetObject", Options::default()).await;
    let seen = seen.lock().unwrap();
    let lines: Vec<String> = seen.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "PUT /bucket/a%20b (signed, 4 bytes) -> 200",
            "GET /bucket/a%20b?x-id=GetObject (signed) -> 200 (4 bytes)"
        ]
    );
    let all = format!("{seen:?} {server:?}");
    assert!(all.contains("AWS4-HMAC-SHA256"));
    assert!(!all.contains("Signature") && !all.contains("\"secret\""), "{all}");
}

#[tokio::test]
async fn a_stopped_or_dropped_server_listens_no_more() {
    for stop in [true, false] {
        let server = serve(&MemoryS3::new()).await;
        let address = server.address();
        assert!(address.ip().is_loopback());
        drop(tokio::net::TcpStream::connect(address).await.unwrap());
        if stop {
            server.stop().await;
        } else {
            drop(server);
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert!(tokio::net::TcpStream::connect(address).await.is_err());
    }
}

#[tokio::test]
async fn a_port_in_use_and_nothing_to_serve_are_told() {
    let server = serve(&MemoryS3::new()).await;
    let builder = LocalServer::builder().client(Arc::new(MemoryS3::new()));
    let error = builder.port(server.address().port()).start().await.unwrap_err();
    assert!(matches!(error, StartError::Listen { .. }), "{error}");
    let error = LocalServer::builder().start().await.unwrap_err();
    assert!(matches!(error, StartError::NothingToServe), "{error}");
}

#[tokio::test]
async fn a_folder_holds_the_objects_as_files() {
    let folder = tempfile::tempdir().unwrap();
    let server = LocalServer::builder().folder(folder.path(), ["my-bucket"]).start().await.unwrap();
    let client = Client::of(&server);
    let put = client.call("PUT", "/my-bucket/a/b", Options { headers: &[], body: b"diff" }).await;
    assert_eq!(put.status, 200, "{}", put.body);
    assert_eq!(std::fs::read(folder.path().join("my-bucket/a/b")).unwrap(), b"diff");
    assert_eq!(client.call("GET", "/my-bucket/a/b", Options::default()).await.body, "diff");
    let missing = LocalServer::builder().folder(folder.path().join("none"), [""; 0]).start().await;
    assert!(matches!(missing.unwrap_err(), StartError::Folder { .. }));
}

#[tokio::test]
async fn a_folder_refuses_what_files_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let server = LocalServer::builder().folder(folder.path(), ["bucket"]).start().await.unwrap();
    let client = Client::of(&server);
    let put = async |key: &str, headers: &[(&str, &str)]| {
        let options = Options { headers, body: b"diff" };
        client.call("PUT", &signed::path("bucket", key), options).await
    };
    assert_eq!(put("a", &[]).await.status, 200);
    for key in ["a/b", "b//c", "/b"] {
        let refused = put(key, &[]).await;
        assert_eq!(refused.status, 400, "{key}: {}", refused.body);
        assert!(refused.body.contains("InvalidArgument"), "{key}: {}", refused.body);
    }
    assert!(put(&"k".repeat(200), &[]).await.body.contains("KeyTooLongError"));
    assert_eq!(put("b", &[("x-amz-tagging", "a=1")]).await.status, 501);
    let get = Options { headers: &[("if-none-match", "\"abc\"")], body: b"" };
    assert_eq!(client.call("GET", "/bucket/a", get).await.status, 501);
    let nowhere = client.call("GET", "/nowhere/a", Options::default()).await;
    assert!(nowhere.body.contains("NoSuchBucket"), "{}", nowhere.body);
    let unsigned = reqwest::get(format!("{}/bucket/a", server.endpoint())).await.unwrap();
    assert_eq!(unsigned.status().as_u16(), 403);
    let files = std::fs::read_dir(folder.path().join("bucket")).unwrap().count();
    assert_eq!(files, 1);
}

/// The client behind the server may know more than memory does; nothing is buffered.
#[tokio::test]
async fn bytes_pass_while_the_upload_still_runs() {
    let (first_seen, seen) = tokio::sync::oneshot::channel();
    let client = Arc::new(Probe { first_seen: Mutex::new(Some(first_seen)) });
    let server = LocalServer::builder().client(client).start().await.unwrap();
    let (send, receive) = tokio::sync::mpsc::channel::<std::io::Result<&'static [u8]>>(1);
    let upload = tokio::spawn({
        let client = Client::of(&server);
        async move { client.upload("/bucket/k", 8, receive).await }
    });
    send.send(Ok(b"1234")).await.unwrap();
    // Only then is the rest sent: were anything waiting for the whole, this would hang.
    assert_eq!(seen.await.unwrap(), "1234");
    send.send(Ok(b"5678")).await.unwrap();
    drop(send);
    assert_eq!(upload.await.unwrap(), 200);
}

/// Tells of the first chunk as soon as it is there.
#[derive(Debug)]
struct Probe {
    first_seen: Mutex<Option<tokio::sync::oneshot::Sender<bytes::Bytes>>>,
}

#[async_trait::async_trait]
impl S3Client for Probe {
    async fn put_object(
        &self,
        _: &Bucket,
        _: &ObjectKey,
        body: Body,
        _: &PutOptions,
    ) -> Result<artifact_s3::ObjectInfo, artifact_s3::S3Error> {
        use futures::TryStreamExt;
        let mut stream = body.into_stream();
        while let Some(chunk) = stream.try_next().await? {
            if let Some(first_seen) = self.first_seen.lock().unwrap().take() {
                first_seen.send(chunk).unwrap();
            }
        }
        Ok(artifact_s3::ObjectInfo::default())
    }

    async fn get_object(
        &self,
        _: &Bucket,
        _: &ObjectKey,
        _: &GetOptions,
    ) -> Result<artifact_s3::Object, artifact_s3::S3Error> {
        unreachable!()
    }

    async fn head_object(
        &self,
        _: &Bucket,
        _: &ObjectKey,
        _: &GetOptions,
    ) -> Result<artifact_s3::ObjectInfo, artifact_s3::S3Error> {
        unreachable!()
    }

    async fn delete_object(
        &self,
        _: &Bucket,
        _: &ObjectKey,
        _: &artifact_s3::DeleteOptions,
    ) -> Result<(), artifact_s3::S3Error> {
        unreachable!()
    }

    async fn copy_object(
        &self,
        _: &Bucket,
        _: &ObjectKey,
        _: &ObjectKey,
        _: &PutOptions,
    ) -> Result<artifact_s3::ObjectInfo, artifact_s3::S3Error> {
        unreachable!()
    }

    async fn list_objects(
        &self,
        _: &Bucket,
        _: &artifact_s3::ListOptions,
    ) -> Result<artifact_s3::Listing, artifact_s3::S3Error> {
        unreachable!()
    }
}
