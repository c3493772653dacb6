//! Multipart uploads to the local server, signed with the official signer.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod signed;

use std::sync::Arc;

use artifact_s3::MemoryS3;
use artifact_s3_server::LocalServer;
use base64::{Engine, engine::general_purpose::STANDARD};
use signed::{Answer, Client, Options};

const MIB: usize = 1024 * 1024;

/// An upload on its way.
struct Upload {
    client: Client,
    target: String,
    id: String,
}

impl Upload {
    async fn begin(client: &Client, target: &str, headers: &[(&str, &str)]) -> Self {
        let options = Options { headers, body: b"" };
        let created = client.call("POST", &format!("{target}?uploads="), options).await;
        assert_eq!(created.status, 200, "{}", created.body);
        let id = field(&created.body, "UploadId").to_owned();
        Self { client: client.clone(), target: target.to_owned(), id }
    }

    async fn put(&self, number: u32, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let target = format!("{}?partNumber={number}&uploadId={}", self.target, self.id);
        self.client.call("PUT", &target, Options { headers, body }).await
    }

    /// The etag of a part that is stored.
    async fn part(&self, number: u32, body: &[u8]) -> (u32, String) {
        let answer = self.put(number, &[], body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        (number, answer.header("etag").unwrap().to_owned())
    }

    async fn complete(&self, parts: &[(u32, String)], headers: &[(&str, &str)]) -> Answer {
        let parts: Vec<String> = parts
            .iter()
            .map(|(number, etag)| {
                format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
            })
            .collect();
        self.complete_with(&parts.concat(), headers).await
    }

    async fn complete_with(&self, parts: &str, headers: &[(&str, &str)]) -> Answer {
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let target = format!("{}?uploadId={}", self.target, self.id);
        self.client.call("POST", &target, Options { headers, body: body.as_bytes() }).await
    }

    async fn abort(&self) -> Answer {
        let target = format!("{}?uploadId={}", self.target, self.id);
        self.client.call("DELETE", &target, Options::default()).await
    }
}

fn field<'a>(xml: &'a str, name: &str) -> &'a str {
    let after = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("{name} in {xml}")).1;
    after.split_once("</").unwrap().0
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(field(&answer.body, "Code"), code, "{}", answer.body);
}

async fn serve(memory: &MemoryS3) -> (LocalServer, Client) {
    let server = LocalServer::builder().client(Arc::new(memory.clone())).start().await.unwrap();
    let client = Client::of(&server);
    (server, client)
}

#[tokio::test]
async fn parts_become_one_object_in_the_order_of_their_numbers() {
    let memory = MemoryS3::new();
    let (server, client) = serve(&memory).await;
    let headers =
        [("content-type", "text/x-diff"), ("x-amz-meta-a", "1"), ("x-amz-tagging", "t=u")];
    let upload = Upload::begin(&client, "/bucket/a/b", &headers).await;
    let (first, last) = (vec![b'a'; 5 * MIB], b"end".to_vec());
    let last_part = upload.part(9, &last).await;
    upload.part(2, b"to be written over").await;
    let first_part = upload.part(2, &first).await;
    upload.part(3, b"not listed, so not in the object").await;
    let open = server.unfinished_uploads();
    assert_eq!((open.len(), open[0].parts, &*open[0].key), (1, 3, "a/b"));
    assert!(memory.is_empty());

    let done = upload.complete(&[first_part, last_part], &[]).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let object = memory.object("bucket", "a/b").unwrap();
    assert!(object.bytes == [first, last].concat());
    assert_eq!(object.info.content.content_type.as_deref(), Some("text/x-diff"));
    assert_eq!(object.info.metadata, [("a".to_owned(), "1".to_owned())]);
    assert_eq!(object.tags, [("t".to_owned(), "u".to_owned())]);
    let head = client.call("HEAD", "/bucket/a/b", Options::default()).await;
    assert_eq!(field(&done.body, "ETag").replace("&quot;", "\""), head.header("etag").unwrap(),);
    assert!(server.unfinished_uploads().is_empty());
    assert_refused(&upload.complete(&[], &[]).await, 404, "NoSuchUpload");
}

#[tokio::test]
async fn a_single_part_may_be_short_or_empty() {
    let memory = MemoryS3::new();
    let (_server, client) = serve(&memory).await;
    for bytes in [&b""[..], b"short"] {
        let upload = Upload::begin(&client, "/bucket/k", &[]).await;
        let part = upload.part(1, bytes).await;
        assert_eq!(upload.complete(&[part], &[]).await.status, 200);
        assert_eq!(memory.object("bucket", "k").unwrap().bytes, bytes);
    }
}

#[tokio::test]
async fn lists_that_cannot_be_an_object_are_refused_and_leave_the_upload() {
    let memory = MemoryS3::new();
    let (server, client) = serve(&memory).await;
    let upload = Upload::begin(&client, "/bucket/k", &[]).await;
    let (one, two) = (upload.part(1, b"short").await, upload.part(2, b"short").await);
    let wrong = (1, "\"00000000000000000000000000000000\"".to_owned());
    let none = (3, one.1.clone());
    for (parts, code) in [
        (vec![], "MalformedXML"),
        (vec![two.clone(), one.clone()], "InvalidPartOrder"),
        (vec![one.clone(), one.clone()], "InvalidPartOrder"),
        (vec![wrong], "InvalidPart"),
        (vec![one.clone(), none], "InvalidPart"),
        (vec![one.clone(), two.clone()], "EntityTooSmall"),
    ] {
        assert_refused(&upload.complete(&parts, &[]).await, 400, code);
    }
    let size = [("x-amz-mp-object-size", "6")];
    assert_refused(
        &upload.complete(std::slice::from_ref(&one), &size).await,
        400,
        "InvalidRequest",
    );
    for number in [0, 10_001] {
        assert_refused(&upload.put(number, &[], b"x").await, 400, "InvalidArgument");
    }
    assert!(memory.is_empty());
    assert_eq!(server.unfinished_uploads().len(), 1);
    assert_eq!(upload.complete(&[two], &[("x-amz-mp-object-size", "5")]).await.status, 200);
}

#[tokio::test]
async fn an_aborted_upload_is_gone() {
    let memory = MemoryS3::new();
    let (server, client) = serve(&memory).await;
    let upload = Upload::begin(&client, "/bucket/k", &[]).await;
    let part = upload.part(1, b"x").await;
    let other = Upload {
        client: client.clone(),
        target: "/bucket/other".to_owned(),
        id: upload.id.clone(),
    };
    assert_refused(&other.abort().await, 404, "NoSuchUpload");
    assert_eq!(upload.abort().await.status, 204);
    assert!(server.unfinished_uploads().is_empty());
    assert_refused(&upload.abort().await, 404, "NoSuchUpload");
    assert_refused(&upload.put(1, &[], b"x").await, 404, "NoSuchUpload");
    assert_refused(&upload.complete(&[part], &[]).await, 404, "NoSuchUpload");
    assert!(memory.is_empty());
}

#[tokio::test]
async fn conditions_are_those_of_the_completing_call() {
    let memory = MemoryS3::new();
    let (server, client) = serve(&memory).await;
    let put = client.call("PUT", "/bucket/k", Options { headers: &[], body: b"old" }).await;
    let etag = put.header("etag").unwrap().to_owned();
    let upload = Upload::begin(&client, "/bucket/k", &[]).await;
    let parts = [upload.part(1, b"new").await];
    for (header, value) in [("if-none-match", "*"), ("if-match", "\"abc\"")] {
        let refused = upload.complete(&parts, &[(header, value)]).await;
        assert_refused(&refused, 412, "PreconditionFailed");
    }
    assert_eq!(memory.object("bucket", "k").unwrap().bytes, "old");
    assert_eq!(server.unfinished_uploads().len(), 1);
    assert_eq!(upload.complete(&parts, &[("if-match", &etag)]).await.status, 200);
    assert_eq!(memory.object("bucket", "k").unwrap().bytes, "new");
}

#[tokio::test]
async fn the_checksums_of_parts_and_object_are_checked() {
    let memory = MemoryS3::new();
    let (server, client) = serve(&memory).await;
    let upload =
        Upload::begin(&client, "/bucket/k", &[("x-amz-checksum-algorithm", "CRC32C")]).await;
    let (right, wrong) =
        (("x-amz-checksum-crc32c", "4waSgw=="), ("x-amz-checksum-crc32c", "AAAAAA=="));
    assert_refused(&upload.put(1, &[wrong], b"123456789").await, 400, "BadDigest");
    let md5 = ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==");
    assert_refused(&upload.put(1, &[right, md5], b"123456789").await, 400, "BadDigest");
    assert_refused(&upload.put(1, &[], b"123456789").await, 400, "InvalidRequest");
    assert_eq!(server.unfinished_uploads()[0].parts, 0);
    let kept = upload.put(1, &[right], b"123456789").await;
    assert_eq!(kept.header(right.0), Some(right.1));
    let part = (1, kept.header("etag").unwrap().to_owned());

    assert_refused(&upload.complete(std::slice::from_ref(&part), &[]).await, 400, "InvalidRequest");
    let listed = |checksum: &str| {
        format!(
            "<Part><PartNumber>1</PartNumber><ETag>{}</ETag><ChecksumCRC32C>{checksum}\
             </ChecksumCRC32C></Part>",
            part.1
        )
    };
    assert_refused(&upload.complete_with(&listed("AAAAAA=="), &[]).await, 400, "InvalidPart");
    assert_refused(&upload.complete_with(&listed(right.1), &[wrong]).await, 400, "BadDigest");
    let crc = s3s::crypto::Checksum::finalize({
        let mut crc = <s3s::crypto::Crc32c as s3s::crypto::Checksum>::new();
        s3s::crypto::Checksum::update(&mut crc, &STANDARD.decode(right.1).unwrap());
        crc
    });
    let composite = format!("{}-1", STANDARD.encode(crc));
    let done = upload.complete_with(&listed(right.1), &[(right.0, &composite)]).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(field(&done.body, "ChecksumCRC32C"), composite);
    assert_eq!(field(&done.body, "ChecksumType"), "COMPOSITE");
}

#[tokio::test]
async fn a_checksum_of_all_bytes_follows_from_those_of_the_parts() {
    let (_server, client) = serve(&MemoryS3::new()).await;
    let headers =
        [("x-amz-checksum-algorithm", "CRC64NVME"), ("x-amz-checksum-type", "FULL_OBJECT")];
    let upload = Upload::begin(&client, "/bucket/k", &headers).await;
    let crc = |bytes: &[u8]| {
        STANDARD.encode(<s3s::crypto::Crc64Nvme as s3s::crypto::Checksum>::checksum(bytes))
    };
    let bytes: Vec<u8> = (0..=250).cycle().take(6 * MIB).collect();
    let mut parts = Vec::new();
    for (number, part) in (1..).zip(bytes.chunks(5 * MIB)) {
        let answer = upload.put(number, &[("x-amz-checksum-crc64nvme", &crc(part))], part).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        parts.push((number, answer.header("etag").unwrap().to_owned()));
    }
    let wrong = [("x-amz-checksum-crc64nvme", &*crc(b"other"))];
    assert_refused(&upload.complete(&parts, &wrong).await, 400, "BadDigest");
    let right = crc(&bytes);
    let done = upload.complete(&parts, &[("x-amz-checksum-crc64nvme", &right)]).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(field(&done.body, "ChecksumCRC64NVME"), right);
}

#[tokio::test]
async fn uploads_and_parts_are_listed_page_by_page() {
    let memory = MemoryS3::with_buckets(["bucket"]).unwrap();
    let (server, client) = serve(&memory).await;
    let nowhere = client.call("POST", "/nowhere/k?uploads=", Options::default()).await;
    assert_refused(&nowhere, 404, "NoSuchBucket");
    let nowhere = client.call("GET", "/nowhere?uploads=", Options::default()).await;
    assert_refused(&nowhere, 404, "NoSuchBucket");
    let mut ids = Vec::new();
    for key in ["b", "a%20+/2", "a%20+/1", "b"] {
        let upload = Upload::begin(&client, &format!("/bucket/{key}"), &[]).await;
        upload.part(7, b"7").await;
        upload.part(3, b"3").await;
        ids.push(upload.id);
    }
    let (mut seen, mut marker) = (Vec::new(), String::new());
    loop {
        let target = format!("/bucket?encoding-type=url{marker}&max-uploads=1&uploads=");
        let page = client.call("GET", &target, Options::default()).await;
        assert_eq!(page.status, 200, "{}", page.body);
        seen.push((field(&page.body, "Key").to_owned(), field(&page.body, "UploadId").to_owned()));
        if field(&page.body, "IsTruncated") == "false" {
            break;
        }
        let key = field(&page.body, "NextKeyMarker").replace('+', "%20").replace('/', "%2F");
        let id = field(&page.body, "NextUploadIdMarker");
        marker = format!("&key-marker={key}");
        marker = format!("{marker}&upload-id-marker={id}");
    }
    let expected = [("a+%2B/1", 2), ("a+%2B/2", 1), ("b", 0), ("b", 3)];
    assert_eq!(seen, expected.map(|(key, at)| (key.to_owned(), ids[at].clone())));
    let common = client.call("GET", "/bucket?delimiter=%2F&uploads=", Options::default()).await;
    assert_eq!(common.body.matches("<Prefix>a +/</Prefix>").count(), 1, "{}", common.body);
    assert_eq!(common.body.matches("<Upload>").count(), 2, "{}", common.body);

    let list = async |marker: &str| {
        let target = format!("/bucket/b?max-parts=1{marker}&uploadId={}", ids[0]);
        client.call("GET", &target, Options::default()).await.body
    };
    let first = list("").await;
    assert_eq!((field(&first, "PartNumber"), field(&first, "IsTruncated")), ("3", "true"));
    let second = list("&part-number-marker=3").await;
    assert_eq!((field(&second, "PartNumber"), field(&second, "IsTruncated")), ("7", "false"));
    assert_eq!(server.unfinished_uploads().len(), 4);
}

#[tokio::test]
async fn what_a_put_refuses_an_upload_refuses_when_it_begins() {
    let (server, client) = serve(&MemoryS3::new()).await;
    for (header, status, code) in [
        (("x-amz-server-side-encryption-customer-algorithm", "AES256"), 501, "NotImplemented"),
        (("x-amz-checksum-algorithm", "SHA1"), 501, "NotImplemented"),
        (("x-amz-checksum-type", "COMPOSITE"), 400, "InvalidRequest"),
    ] {
        let options = Options { headers: &[header], body: b"" };
        let refused = client.call("POST", "/bucket/k?uploads=", options).await;
        assert_refused(&refused, status, code);
    }
    assert!(server.unfinished_uploads().is_empty());
}

#[tokio::test]
async fn a_folder_takes_parts_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let server = LocalServer::builder().folder(folder.path(), ["bucket"]).start().await.unwrap();
    let client = Client::of(&server);
    let upload = Upload::begin(&client, "/bucket/a/b", &[("content-type", "text/x-diff")]).await;
    let parts = [upload.part(1, &vec![b'a'; 5 * MIB]).await, upload.part(2, b"end").await];
    let small = [parts[1].clone(), (3, upload.part(3, b"x").await.1)];
    assert_refused(&upload.complete(&small, &[]).await, 400, "EntityTooSmall");
    let done = upload.complete(&parts, &[("if-none-match", "*")]).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let file = std::fs::read(folder.path().join("bucket/a/b")).unwrap();
    assert_eq!((file.len(), &file[5 * MIB..]), (5 * MIB + 3, &b"end"[..]));
    let head = client.call("HEAD", "/bucket/a/b", Options::default()).await;
    assert_eq!(head.header("content-type"), Some("text/x-diff"));
    assert_eq!(field(&done.body, "ETag").replace("&quot;", "\""), head.header("etag").unwrap());
    let refused = client.call("POST", "/bucket/a//b?uploads=", Options::default()).await;
    assert_refused(&refused, 400, "InvalidArgument");
    let files = std::fs::read_dir(folder.path().join("bucket")).unwrap().count();
    assert_eq!((files, server.unfinished_uploads().len()), (1, 0));
}
