//! The bytes that leave, looked at on the socket.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use artifact_s3::{
    Addressing, Body, Bucket, ByteRange, ChecksumAlgorithm, ContentHeaders, Credentials,
    DeleteOptions, Encryption, GetOptions, HttpS3, ListOptions, ObjectKey, PutOptions, S3Client,
    WriteCondition,
};
use support::{KEY_ID, SECRET, Server, TOKEN, answer, bucket, key, ok, response};

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[tokio::test]
async fn a_put_byte_for_byte() {
    let server = Server::start([ok()]).await;
    let s3 = server.anonymous().await;
    s3.put_object(&bucket(), &key("asm/a b"), "hello".into(), &PutOptions::default())
        .await
        .unwrap();
    let expected = format!(
        "PUT /test-bucket/asm/a%20b HTTP/1.1\r\ncontent-length: 5\r\naccept: */*\r\nuser-agent: \
         artifact-s3/{VERSION}\r\nhost: 127.0.0.1:{}\r\n\r\nhello",
        server.port
    );
    assert_eq!(String::from_utf8(server.only().raw).unwrap(), expected);
}

#[tokio::test]
async fn a_get_byte_for_byte() {
    let server = Server::start([answer("200 OK", &[("ETag", "\"e\"")], "hello")]).await;
    let s3 = server.anonymous().await;
    let object = s3.get_object(&bucket(), &key("asm/a b"), &GetOptions::default()).await.unwrap();
    assert_eq!(object.body.bytes().await.unwrap(), "hello");
    let expected = format!(
        "GET /test-bucket/asm/a%20b HTTP/1.1\r\nx-amz-checksum-mode: ENABLED\r\naccept: */*\r\n\
         user-agent: artifact-s3/{VERSION}\r\nhost: 127.0.0.1:{}\r\n\r\n",
        server.port
    );
    assert_eq!(String::from_utf8(server.only().raw).unwrap(), expected);
}

/// All names of one letter, and names of two for the rest: no metadata that S3 takes has more
/// headers.
fn most_metadata() -> Vec<(String, String)> {
    let letters = "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";
    let ones = letters.chars().map(String::from);
    let twos = letters.chars().flat_map(|a| letters.chars().map(move |b| format!("{a}{b}")));
    let (mut names, mut left) = (Vec::new(), 2048);
    for name in ones.chain(twos) {
        if let Some(rest) = usize::checked_sub(left, name.len()) {
            left = rest;
            names.push((name, String::new()));
        }
    }
    names
}

#[tokio::test]
async fn all_metadata_that_can_be_stored_can_be_read() {
    let metadata = most_metadata();
    assert_eq!(metadata.len(), 1049);
    PutOptions { metadata: metadata.clone(), ..PutOptions::default() }.check().unwrap();
    let headers: Vec<_> =
        metadata.iter().map(|(name, _)| (format!("x-amz-meta-{name}"), "")).collect();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (&**name, *value)).collect();
    let described = || answer("200 OK", &headers, "");
    let server = Server::start([described(), described(), described()]).await;
    let s3 = server.client().await;
    for requests in [2, 3] {
        let info = s3.head_object(&bucket(), &key("k"), &GetOptions::default()).await.unwrap();
        assert_eq!(info.metadata.len(), metadata.len());
        assert_eq!(server.requests().len(), requests, "only the first one is asked for again");
    }
}

#[tokio::test]
async fn a_signed_put_covers_every_header_of_ours_and_the_bytes() {
    let server = Server::start([ok()]).await;
    let s3 = server
        .builder()
        .credentials(Credentials::Static {
            access_key_id: KEY_ID.into(),
            secret_access_key: SECRET.into(),
            session_token: Some(TOKEN.into()),
        })
        .build()
        .await
        .unwrap();
    let options = PutOptions {
        content: ContentHeaders { content_type: Some("text/plain".into()), ..Default::default() },
        ..Default::default()
    };
    s3.put_object(&bucket(), &key("k"), "abc".into(), &options).await.unwrap();
    let seen = server.only();
    let date = seen.header("x-amz-date").unwrap();
    let authorization = seen.header("authorization").unwrap();
    let (scope, rest) = authorization.split_once(", SignedHeaders=").unwrap();
    let (signed, signature) = rest.split_once(", Signature=").unwrap();
    assert_eq!(
        scope,
        format!("AWS4-HMAC-SHA256 Credential={KEY_ID}/{}/eu-test-1/s3/aws4_request", &date[..8])
    );
    assert_eq!(
        signed,
        "content-length;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token"
    );
    assert!(signature.len() == 64 && signature.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(seen.header("x-amz-security-token").as_deref(), Some(TOKEN));
    assert_eq!(seen.header("host"), Some(format!("127.0.0.1:{}", server.port)));
    // The SHA-256 of "abc", as FIPS 180 gives it.
    assert_eq!(
        seen.header("x-amz-content-sha256").as_deref(),
        Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    );
}

#[tokio::test]
async fn odd_keys_are_on_the_wire_as_they_are() {
    let long = "é".repeat(512);
    let encoded_long = "%C3%A9".repeat(512);
    let keys = [
        ("a//b", "a//b"),
        ("/lead", "/lead"),
        ("trail/", "trail/"),
        ("//", "//"),
        ("a b", "a%20b"),
        ("a+b", "a%2Bb"),
        ("k?acl", "k%3Facl"),
        ("k#frag", "k%23frag"),
        ("%2F", "%252F"),
        ("%2e%2e/x", "%252e%252e/x"),
        ("a&b=c", "a%26b%3Dc"),
        ("a:b@c;d,e", "a%3Ab%40c%3Bd%2Ce"),
        ("back\\slash", "back%5Cslash"),
        ("q'u\"o`te", "q%27u%22o%60te"),
        ("{}[]()<>|^*!$", "%7B%7D%5B%5D%28%29%3C%3E%7C%5E%2A%21%24"),
        ("-._~", "-._~"),
        ("a/...", "a/..."),
        ("ключ", "%D0%BA%D0%BB%D1%8E%D1%87"),
        ("🗝", "%F0%9F%97%9D"),
        (long.as_str(), encoded_long.as_str()),
    ];
    let server = Server::start(keys.map(|_| ok())).await;
    let s3 = server.client().await;
    for (given, _) in keys {
        s3.delete_object(&bucket(), &key(given), &DeleteOptions::default()).await.unwrap();
    }
    let lines: Vec<String> = server.requests().iter().map(support::Seen::line).collect();
    let expected: Vec<String> =
        keys.iter().map(|(_, sent)| format!("DELETE /test-bucket/{sent}")).collect();
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn virtual_hosts_and_base_paths_are_kept() {
    let server = Server::start([ok(), ok()]).await;
    let endpoint = format!("http://s3.localhost:{}/base/path/", server.port);
    let s3 = server
        .builder()
        .endpoint(endpoint)
        .addressing(Addressing::VirtualHost)
        .credentials(Credentials::Anonymous)
        .environment([("HTTP_PROXY", server.endpoint())])
        .build()
        .await
        .unwrap();
    // Through the proxy, so that no name has to be resolved.
    s3.delete_object(&bucket(), &key("/k"), &DeleteOptions::default()).await.unwrap();
    let seen = server.only();
    assert_eq!(
        seen.line(),
        format!("DELETE http://test-bucket.s3.localhost:{}/base/path//k", server.port)
    );
    assert_eq!(seen.header("host"), Some(format!("test-bucket.s3.localhost:{}", server.port)));
}

#[tokio::test]
async fn every_option_of_a_put_is_a_header() {
    let server = Server::start([ok()]).await;
    let options = PutOptions {
        content: ContentHeaders {
            content_type: Some("text/x-diff".into()),
            content_encoding: Some("identity".into()),
            content_disposition: Some("attachment; filename=\"a.diff\"".into()),
            content_language: Some("en".into()),
            cache_control: Some("no-cache".into()),
            expires: Some("Wed, 21 Oct 2026 07:28:00 GMT".into()),
        },
        metadata: vec![("Owner".into(), "team  a".into()), ("b".into(), "2".into())],
        tags: vec![("kind".into(), "patch & more".into()), ("empty".into(), String::new())],
        condition: WriteCondition::IfMatch("abc".into()),
        checksum: Some(ChecksumAlgorithm::Crc32c),
        storage_class: Some("STANDARD_IA".into()),
        encryption: Some(Encryption::Kms(Some("key-1".into()))),
        acl: Some("private".into()),
    };
    let info = server
        .client()
        .await
        .put_object(&bucket(), &key("k"), "123456789".into(), &options)
        .await
        .unwrap();
    let seen = server.only();
    for (name, value) in [
        ("content-type", "text/x-diff"),
        ("content-encoding", "identity"),
        ("content-disposition", "attachment; filename=\"a.diff\""),
        ("content-language", "en"),
        ("cache-control", "no-cache"),
        ("expires", "Wed, 21 Oct 2026 07:28:00 GMT"),
        ("x-amz-meta-owner", "team  a"),
        ("x-amz-meta-b", "2"),
        ("x-amz-tagging", "kind=patch%20%26%20more&empty="),
        ("if-match", "\"abc\""),
        ("x-amz-checksum-crc32c", "4waSgw=="),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-server-side-encryption-aws-kms-key-id", "key-1"),
        ("x-amz-acl", "private"),
    ] {
        assert_eq!(seen.header(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(info.metadata, [("b".into(), "2".into()), ("owner".into(), "team  a".into())]);
    assert_eq!((info.size, info.content), (9, options.content));
}

#[tokio::test]
async fn the_other_values_of_put_options_are_headers_too() {
    let options = [
        PutOptions { condition: WriteCondition::IfAbsent, ..Default::default() },
        PutOptions { encryption: Some(Encryption::S3Managed), ..Default::default() },
        PutOptions { encryption: Some(Encryption::Kms(None)), ..Default::default() },
        PutOptions { checksum: Some(ChecksumAlgorithm::Crc32), ..Default::default() },
        PutOptions { checksum: Some(ChecksumAlgorithm::Crc64Nvme), ..Default::default() },
        PutOptions { checksum: Some(ChecksumAlgorithm::Sha256), ..Default::default() },
        PutOptions { condition: WriteCondition::IfMatch("\"q\"".into()), ..Default::default() },
    ];
    let server = Server::start(options.each_ref().map(|_| ok())).await;
    let s3 = server.client().await;
    for options in &options {
        s3.put_object(&bucket(), &key("k"), "123456789".into(), options).await.unwrap();
    }
    let requests = server.requests();
    for (request, (name, value)) in requests.iter().zip([
        ("if-none-match", "*"),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-checksum-crc32", "y/Q5Jg=="),
        ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
        ("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
        ("if-match", "\"q\""),
    ]) {
        assert_eq!(request.header(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(requests[2].header("x-amz-server-side-encryption-aws-kms-key-id"), None);
}

#[tokio::test]
async fn every_option_of_a_read_is_sent() {
    let partial = |told, body| {
        answer("206 Partial Content", &[("Content-Range", told), ("ETag", "\"e\"")], body)
    };
    let server = Server::start([
        partial("bytes 2-4/10", "234"),
        partial("bytes 2-9/10", "23456789"),
        partial("bytes 7-9/10", "789"),
    ])
    .await;
    let s3 = server.client().await;
    let options = GetOptions {
        range: Some(ByteRange::Closed(2, 4)),
        version_id: Some("v 1+/".into()),
        if_match: Some("a".into()),
        if_none_match: Some("\"b\"".into()),
        if_modified_since: Some(784_111_777),
        if_unmodified_since: Some(784_111_778),
    };
    let object = s3.get_object(&bucket(), &key("k"), &options).await.unwrap();
    assert_eq!(object.info.size, 10);
    assert_eq!(object.body.length(), Some(3));
    assert_eq!(object.body.bytes().await.unwrap(), "234");
    for range in [ByteRange::From(2), ByteRange::Last(3)] {
        let options = GetOptions { range: Some(range), ..Default::default() };
        s3.get_object(&bucket(), &key("k"), &options).await.unwrap().body.bytes().await.unwrap();
    }
    let requests = server.requests();
    assert_eq!(requests[0].line(), "GET /test-bucket/k?versionId=v%201%2B%2F");
    for (name, value) in [
        ("range", "bytes=2-4"),
        ("if-match", "\"a\""),
        ("if-none-match", "\"b\""),
        ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("if-unmodified-since", "Sun, 06 Nov 1994 08:49:38 GMT"),
    ] {
        assert_eq!(requests[0].header(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(requests[1].header("range").as_deref(), Some("bytes=2-"));
    assert_eq!(requests[2].header("range").as_deref(), Some("bytes=-3"));
}

#[tokio::test]
async fn every_field_of_a_description_is_read_back() {
    let headers = [
        ("ETag", "\"abc-2\""),
        ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("x-amz-version-id", "v1"),
        ("x-amz-storage-class", "GLACIER_IR"),
        ("Content-Type", "text/x-diff"),
        ("Content-Encoding", "identity"),
        ("Content-Disposition", "inline"),
        ("Content-Language", "en"),
        ("Cache-Control", "no-store"),
        ("x-amz-meta-Zed", "last"),
        ("x-amz-meta-alpha", "first"),
    ];
    let mut head = response("200 OK", &headers, b"12345");
    head.truncate(head.len() - 5);
    let server =
        Server::start([answer("200 OK", &headers, "12345"), support::Act::Answer(head)]).await;
    let s3 = server.client().await;
    let got = s3.get_object(&bucket(), &key("k"), &GetOptions::default()).await.unwrap().info;
    let seen = s3.head_object(&bucket(), &key("k"), &GetOptions::default()).await.unwrap();
    assert_eq!(got, seen);
    assert_eq!(got.size, 5);
    assert_eq!(got.etag.as_deref(), Some("abc-2"));
    assert_eq!(got.last_modified, Some(784_111_777));
    assert_eq!(got.version_id.as_deref(), Some("v1"));
    assert_eq!(got.storage_class.as_deref(), Some("GLACIER_IR"));
    let content: Vec<&str> = got.content.iter().map(|(_, value)| value).collect();
    assert_eq!(content, ["text/x-diff", "identity", "inline", "en", "no-store"]);
    assert_eq!(
        got.metadata,
        [("alpha".to_owned(), "first".to_owned()), ("zed".to_owned(), "last".to_owned())]
    );
}

#[tokio::test]
async fn every_option_of_a_delete_is_sent() {
    let server = Server::start([answer("204 No Content", &[], "")]).await;
    let options = DeleteOptions { version_id: Some("v1".into()), if_match: Some("e".into()) };
    server.client().await.delete_object(&bucket(), &key("k"), &options).await.unwrap();
    let seen = server.only();
    assert_eq!(seen.line(), "DELETE /test-bucket/k?versionId=v1");
    assert_eq!(seen.header("if-match").as_deref(), Some("\"e\""));
}

const LISTING: &str = "<?xml version=\"1.0\"?><ListBucketResult \
    xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>test-bucket</Name>\
    <EncodingType>url</EncodingType><KeyCount>2</KeyCount><IsTruncated>true</IsTruncated>\
    <Contents><Key>a+b/%2B%C3%A9</Key><Size>7</Size><ETag>&quot;e1&quot;</ETag>\
    <LastModified>1994-11-06T08:49:37.000Z</LastModified><StorageClass>STANDARD</StorageClass>\
    <Owner><ID>x</ID></Owner></Contents><Contents><Key>c</Key><Size>0</Size><ETag>e2</ETag>\
    </Contents><CommonPrefixes><Prefix>p%2F</Prefix></CommonPrefixes>\
    <NextContinuationToken>t+1/=</NextContinuationToken></ListBucketResult>";

#[tokio::test]
async fn a_listing_is_asked_for_and_read_whole() {
    let server =
        Server::start([answer("200 OK", &[], LISTING), answer("200 OK", &[], LISTING)]).await;
    let s3 = server.client().await;
    s3.list_objects(&bucket(), &ListOptions::default()).await.unwrap();
    let options = ListOptions {
        prefix: "a b/+".into(),
        delimiter: Some("/".into()),
        start_after: Some("a&b".into()),
        continuation: Some("t+0/=".into()),
        limit: Some(2),
    };
    let listing = s3.list_objects(&bucket(), &options).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].line(), "GET /test-bucket?list-type=2&encoding-type=url");
    assert_eq!(
        requests[1].line(),
        "GET /test-bucket?list-type=2&encoding-type=url&prefix=a%20b%2F%2B&delimiter=%2F&\
         start-after=a%26b&continuation-token=t%2B0%2F%3D&max-keys=2"
    );
    let keys: Vec<&str> = listing.objects.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, ["a b/+é", "c"]);
    let first = &listing.objects[0];
    assert_eq!((first.size, first.etag.as_deref()), (7, Some("e1")));
    assert_eq!(first.last_modified, Some(784_111_777));
    assert_eq!(first.storage_class.as_deref(), Some("STANDARD"));
    assert_eq!(listing.objects[1].etag.as_deref(), Some("e2"));
    assert_eq!(listing.common_prefixes, ["p/"]);
    assert_eq!(listing.continuation.as_deref(), Some("t+1/="));
}

#[tokio::test]
async fn a_listing_that_is_not_encoded_is_taken_as_it_is() {
    let xml = "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a+b &amp; %2F</Key>\
               <Size>1</Size></Contents></ListBucketResult>";
    let server = Server::start([answer("200 OK", &[], xml)]).await;
    let listing =
        server.client().await.list_objects(&bucket(), &ListOptions::default()).await.unwrap();
    assert_eq!(listing.objects[0].key, "a+b & %2F");
    assert_eq!(listing.continuation, None);
}

const COPIED: &str = "<CopyObjectResult><ETag>&quot;new&quot;</ETag>\
    <LastModified>1994-11-06T08:49:37.000Z</LastModified></CopyObjectResult>";

fn source() -> support::Act {
    let headers = [("ETag", "\"old\""), ("x-amz-meta-a", "1"), ("Content-Type", "text/plain")];
    let mut head = response("200 OK", &headers, b"12345");
    head.truncate(head.len() - 5);
    support::Act::Answer(head)
}

#[tokio::test]
async fn a_copy_names_its_source_and_keeps_the_description() {
    let server = Server::start([source(), answer("200 OK", &[], COPIED)]).await;
    let info = server
        .client()
        .await
        .copy_object(&bucket(), &key("a b/+?"), &key("to"), &PutOptions::default())
        .await
        .unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].line(), "HEAD /test-bucket/a%20b/%2B%3F");
    assert_eq!(requests[1].line(), "PUT /test-bucket/to");
    for (name, value) in [
        ("x-amz-copy-source", "test-bucket/a%20b/%2B%3F"),
        ("x-amz-copy-source-if-match", "\"old\""),
        ("x-amz-metadata-directive", "COPY"),
        ("x-amz-tagging-directive", "COPY"),
    ] {
        assert_eq!(requests[1].header(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!((info.size, info.etag.as_deref()), (5, Some("new")));
    assert_eq!(info.last_modified, Some(784_111_777));
    assert_eq!(info.metadata, [("a".to_owned(), "1".to_owned())]);
    assert_eq!(info.content.content_type.as_deref(), Some("text/plain"));
}

#[tokio::test]
async fn a_copy_that_describes_replaces_and_keeps_its_condition() {
    let server = Server::start([source(), answer("200 OK", &[], COPIED)]).await;
    let options = PutOptions {
        metadata: vec![("b".into(), "2".into())],
        tags: vec![("t".into(), "v".into())],
        condition: WriteCondition::IfAbsent,
        checksum: Some(ChecksumAlgorithm::Sha256),
        storage_class: Some("STANDARD_IA".into()),
        ..Default::default()
    };
    let info = server
        .client()
        .await
        .copy_object(&bucket(), &key("from"), &key("to"), &options)
        .await
        .unwrap();
    let sent = &server.requests()[1];
    for (name, value) in [
        ("x-amz-metadata-directive", "REPLACE"),
        ("x-amz-tagging-directive", "REPLACE"),
        ("x-amz-tagging", "t=v"),
        ("x-amz-meta-b", "2"),
        ("if-none-match", "*"),
        ("x-amz-checksum-algorithm", "SHA256"),
        ("x-amz-storage-class", "STANDARD_IA"),
    ] {
        assert_eq!(sent.header(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(info.metadata, [("b".to_owned(), "2".to_owned())]);
    assert_eq!(info.content, ContentHeaders::default());
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_anything_is() {
    use artifact_s3::S3ErrorKind::InvalidRequest;
    let server = Server::start([]).await;
    let s3 = server.client().await;
    let options = PutOptions {
        metadata: vec![("a".into(), "1".into()), ("A".into(), "2".into())],
        ..Default::default()
    };
    let error = s3.put_object(&bucket(), &key("k"), Body::empty(), &options).await.unwrap_err();
    assert_eq!(error.kind(), InvalidRequest);
    let late = GetOptions { if_modified_since: Some(u64::MAX), ..Default::default() };
    let error = s3.get_object(&bucket(), &key("k"), &late).await.unwrap_err();
    assert_eq!(error.kind(), InvalidRequest);
    let big = Body::from_reader(tokio::io::repeat(0), Some(Body::MAX_OBJECT + 1));
    let error = s3.put_object(&bucket(), &key("k"), big, &PutOptions::default()).await.unwrap_err();
    assert_eq!((error.kind(), error.target()), (InvalidRequest, Some("test-bucket/k")));
    assert!(error.to_string().contains("5 TiB"), "{error}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn two_clients_differ_in_everything() {
    let (one, other) = (Server::start([ok()]).await, Server::start([ok()]).await);
    let first = one.client().await;
    let second: HttpS3 = other
        .builder()
        .region("other-1")
        .credentials(Credentials::key("OTHERID", "othersecret"))
        .build()
        .await
        .unwrap();
    let (bucket, key) = (Bucket::parse("bkt").unwrap(), ObjectKey::parse("k").unwrap());
    first.delete_object(&bucket, &key, &DeleteOptions::default()).await.unwrap();
    second.delete_object(&bucket, &key, &DeleteOptions::default()).await.unwrap();
    assert!(one.only().header("authorization").unwrap().contains("/eu-test-1/"));
    let authorization = other.only().header("authorization").unwrap();
    assert!(authorization.contains("OTHERID/") && authorization.contains("/other-1/"));
}
