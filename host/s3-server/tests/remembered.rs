//! What S3 keeps of an object besides its bytes, and the call that deletes many.

#![expect(clippy::unwrap_used, reason = "tests")]

mod signed;

use std::sync::Arc;

use artifact_s3::{Body, Bucket, MemoryS3, ObjectKey, PutOptions, S3Client};
use artifact_s3_server::LocalServer;
use base64::{Engine, engine::general_purpose::STANDARD};
use s3s::crypto::{Checksum, Crc32, Crc64Nvme, Md5};
use signed::{Answer, Client, Options};

const MODE: (&str, &str) = ("x-amz-checksum-mode", "ENABLED");

async fn serve(memory: &MemoryS3) -> (LocalServer, Client) {
    let server = LocalServer::builder().client(Arc::new(memory.clone())).start().await.unwrap();
    let client = Client::of(&server);
    (server, client)
}

async fn call(client: &Client, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    client.call(method, target, Options { headers, body: b"" }).await
}

async fn put(client: &Client, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let answer = client.call("PUT", target, Options { headers, body }).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

/// Stores `parts` in one multipart upload, and gives the etag that the upload has.
async fn upload(client: &Client, target: &str, parts: &[&[u8]]) -> String {
    let created = call(client, "POST", &format!("{target}?uploads="), &[]).await.body;
    let id = created.split("<UploadId>").nth(1).unwrap().split('<').next().unwrap();
    let mut list = String::from("<CompleteMultipartUpload>");
    let mut md5s = Vec::new();
    for (number, part) in (1..).zip(parts) {
        let part_target = format!("{target}?partNumber={number}&uploadId={id}");
        let etag = put(client, &part_target, &[], part).await.header("etag").unwrap().to_owned();
        for text in ["<Part><PartNumber>", &number.to_string(), "</PartNumber><ETag>", &etag] {
            list.push_str(text);
        }
        list.push_str("</ETag></Part>");
        md5s.extend_from_slice(&Md5::checksum(part));
    }
    list.push_str("</CompleteMultipartUpload>");
    let options = Options { headers: &[], body: list.as_bytes() };
    let done = client.call("POST", &format!("{target}?uploadId={id}"), options).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let hex: Vec<String> = Md5::checksum(&md5s).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}", hex.concat(), parts.len())
}

#[tokio::test]
async fn the_checksum_of_an_object_comes_back_where_it_is_asked_for() {
    let memory = MemoryS3::new();
    let (_server, client) = serve(&memory).await;
    let crc32 = STANDARD.encode(Crc32::checksum(b"diff"));
    put(&client, "/bucket/sent", &[("x-amz-checksum-crc32", &crc32)], b"diff").await;
    let crc64 = STANDARD.encode(Crc64Nvme::checksum(b"diff"));
    let answer = put(&client, "/bucket/own", &[], b"diff").await;
    assert_eq!(answer.header("x-amz-checksum-crc64nvme"), Some(&*crc64));
    for method in ["GET", "HEAD"] {
        let sent = call(&client, method, "/bucket/sent", &[MODE]).await;
        assert_eq!(sent.header("x-amz-checksum-crc32"), Some(&*crc32), "{method}");
        assert_eq!(sent.header("x-amz-checksum-type"), Some("FULL_OBJECT"), "{method}");
        let own = call(&client, method, "/bucket/own", &[MODE]).await;
        assert_eq!(own.header("x-amz-checksum-crc64nvme"), Some(&*crc64), "{method}");
        let not_asked = call(&client, method, "/bucket/own", &[]).await;
        assert_eq!(not_asked.header("x-amz-checksum-crc64nvme"), None, "{method}");
        let part = call(&client, method, "/bucket/own", &[MODE, ("range", "bytes=0-1")]).await;
        assert_eq!(part.header("content-range"), Some("bytes 0-1/4"), "{method}");
        assert_eq!(part.header("x-amz-checksum-crc64nvme"), None, "{method}");
    }
    let source = ("x-amz-copy-source", "/bucket/own");
    assert_eq!(call(&client, "PUT", "/bucket/copy", &[source]).await.status, 200);
    let copy = call(&client, "HEAD", "/bucket/copy", &[MODE]).await;
    assert_eq!(copy.header("x-amz-checksum-crc64nvme"), Some(&*crc64));

    // Written past the server: what it remembers is of other bytes.
    let (bucket, key) = (Bucket::parse("bucket").unwrap(), ObjectKey::parse("own").unwrap());
    memory.put_object(&bucket, &key, Body::from("new"), &PutOptions::default()).await.unwrap();
    let own = call(&client, "HEAD", "/bucket/own", &[MODE]).await;
    assert_eq!(own.header("x-amz-checksum-crc64nvme"), None);
}

#[tokio::test]
async fn an_object_of_parts_has_the_etag_of_parts_in_every_call() {
    let (_server, client) = serve(&MemoryS3::new()).await;
    let part = vec![b'a'; 5 * 1024 * 1024];
    let etag = upload(&client, "/bucket/k", &[&part, b"end"]).await;
    let (quoted, other) = (format!("\"{etag}\""), "\"00000000000000000000000000000000-2\"");
    let head = call(&client, "HEAD", "/bucket/k", &[]).await;
    assert_eq!(head.header("etag"), Some(&*quoted));
    let list = call(&client, "GET", "/bucket?list-type=2", &[]).await.body;
    assert!(list.contains(&etag), "{list}");
    for (headers, status) in [
        ([("if-match", &*quoted), ("range", "bytes=0-0")], 206),
        ([("if-match", other), ("range", "bytes=0-0")], 412),
        ([("if-none-match", &*quoted), ("range", "bytes=0-0")], 304),
        ([("if-none-match", other), ("range", "bytes=0-0")], 206),
    ] {
        assert_eq!(call(&client, "GET", "/bucket/k", &headers).await.status, status, "{headers:?}");
    }
    let source = ("x-amz-copy-source", "/bucket/k");
    let copied = |etag| [source, ("x-amz-copy-source-if-match", etag)];
    assert_eq!(call(&client, "PUT", "/bucket/copy", &copied(other)).await.status, 412);
    assert_eq!(call(&client, "PUT", "/bucket/copy", &copied(&quoted)).await.status, 200);
    let copy = call(&client, "HEAD", "/bucket/copy", &[]).await;
    assert!(!copy.header("etag").unwrap().contains('-'));
    let over = [source, ("if-match", &*quoted), ("x-amz-storage-class", "STANDARD_IA")];
    assert_eq!(call(&client, "PUT", "/bucket/k", &over).await.status, 200);

    let etag = format!("\"{}\"", upload(&client, "/bucket/k", &[b"short"]).await);
    assert_eq!(call(&client, "DELETE", "/bucket/k", &[("if-match", other)]).await.status, 412);
    let refused = Options { headers: &[("if-match", other)], body: b"new" };
    assert_eq!(client.call("PUT", "/bucket/k", refused).await.status, 412);
    let answer = put(&client, "/bucket/k", &[("if-match", &*etag)], b"new").await;
    let now = answer.header("etag").unwrap();
    assert!(!now.contains('-'));
    assert_eq!(call(&client, "DELETE", "/bucket/k", &[("if-match", &*etag)]).await.status, 412);
    assert_eq!(call(&client, "DELETE", "/bucket/k", &[("if-match", now)]).await.status, 204);
}

#[tokio::test]
async fn tags_come_back() {
    let (_server, client) = serve(&MemoryS3::new()).await;
    put(&client, "/bucket/k", &[("x-amz-tagging", "a=1&b%20c=%C3%BC")], b"x").await;
    put(&client, "/bucket/none", &[], b"x").await;
    let source = ("x-amz-copy-source", "/bucket/k");
    assert_eq!(call(&client, "PUT", "/bucket/copy", &[source]).await.status, 200);
    for key in ["k", "copy"] {
        let tags = call(&client, "GET", &format!("/bucket/{key}?tagging="), &[]).await;
        for fragment in ["<Key>a</Key><Value>1</Value>", "<Key>b c</Key><Value>ü</Value>"] {
            assert!(tags.body.contains(fragment), "{}", tags.body);
        }
        let get = call(&client, "GET", &format!("/bucket/{key}"), &[]).await;
        assert_eq!(get.header("x-amz-tagging-count"), Some("2"));
    }
    let none = call(&client, "GET", "/bucket/none?tagging=", &[]).await;
    assert!(none.status == 200 && !none.body.contains("<Tag>"), "{}", none.body);
    let missing = call(&client, "GET", "/bucket/missing?tagging=", &[]).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn many_objects_are_deleted_in_one_call() {
    let memory = MemoryS3::new();
    let (_server, client) = serve(&memory).await;
    let delete = async |quiet: bool, objects: &str, protected: bool| {
        let body = format!("<Delete><Quiet>{quiet}</Quiet>{objects}</Delete>");
        let md5 = STANDARD.encode(Md5::checksum(body.as_bytes()));
        let headers = [("content-md5", md5.as_str())];
        let headers = if protected { &headers[..] } else { &[] };
        client.call("POST", "/bucket?delete=", Options { headers, body: body.as_bytes() }).await
    };
    for key in ["a", "b", "c", "d"] {
        put(&client, &format!("/bucket/{key}"), &[], key.as_bytes()).await;
    }
    let object = |key: &str, etag: &str| {
        format!("<Object><Key>{key}</Key><ETag>&quot;{etag}&quot;</ETag></Object>")
    };
    let b = memory.object("bucket", "b").unwrap().info.etag.unwrap();
    let objects = [
        "<Object><Key>a</Key></Object><Object><Key>missing</Key></Object>",
        &object("b", &b),
        &object("c", "abc"),
    ]
    .concat();
    assert_eq!(delete(false, &objects, false).await.status, 400);
    assert_eq!(memory.len(), 4);
    let told = delete(false, &objects, true).await;
    assert_eq!(told.status, 200, "{}", told.body);
    for fragment in [
        "<Deleted><Key>a</Key></Deleted>",
        "<Deleted><Key>missing</Key></Deleted>",
        "<Deleted><Key>b</Key></Deleted>",
        "<Code>PreconditionFailed</Code><Key>c</Key>",
    ] {
        assert!(told.body.contains(fragment), "{fragment} in {}", told.body);
    }
    assert_eq!(memory.keys("bucket"), ["c", "d"]);
    let quiet = delete(
        true,
        &[object("c", "abc"), "<Object><Key>d</Key></Object>".to_owned()].concat(),
        true,
    )
    .await;
    assert!(
        quiet.body.contains("<Key>c</Key>") && !quiet.body.contains("<Deleted>"),
        "{}",
        quiet.body
    );
    assert_eq!(memory.keys("bucket"), ["c"]);
    let many = "<Object><Key>c</Key></Object>".repeat(1001);
    for objects in ["", &many] {
        let refused = delete(true, objects, true).await;
        assert!(refused.status == 400 && refused.body.contains("MalformedXML"), "{}", refused.body);
    }
    assert_eq!(memory.keys("bucket"), ["c"]);
}
