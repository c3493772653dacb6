//! Pages, batches, tags, and what a client says with every request.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::pin::pin;

use artifact_s3::{
    Body, ConfigError, CustomerKey, DeleteOptions, DeleteOutcome, Encryption, GetOptions, HttpS3,
    ListOptions, MemoryS3, ObjectKey, PutOptions, S3Client, S3Error, S3ErrorKind, list_all,
    list_pages,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures::{StreamExt, TryStreamExt};
use md5::{Digest, Md5};
use support::{Act, Seen, Server, answer, bucket, error, key};

fn page(keys: &[&str], next: Option<&str>) -> Act {
    let mut xml = String::from("<ListBucketResult>");
    for key in keys {
        for part in ["<Contents><Key>", key, "</Key><Size>1</Size></Contents>"] {
            xml.push_str(part);
        }
    }
    if let Some(token) = next {
        for part in ["<IsTruncated>true</IsTruncated><NextContinuationToken>", token] {
            xml.push_str(part);
        }
        xml.push_str("</NextContinuationToken>");
    }
    answer("200 OK", &[], &(xml + "</ListBucketResult>"))
}

#[tokio::test]
async fn all_pages_are_listed_each_when_it_is_wanted() {
    let pages = [page(&["a", "b"], Some("t1")), page(&[], Some("t2")), page(&["c"], None)];
    let server = Server::start(pages).await;
    let (client, bucket) = (server.client().await, bucket());
    let options = ListOptions { prefix: "p".to_owned(), limit: Some(2), ..Default::default() };
    let mut objects = pin!(list_all(&client, &bucket, options));
    let mut keys = Vec::new();
    for pages_seen in [1, 1, 3] {
        keys.push(objects.try_next().await.unwrap().unwrap().key);
        assert_eq!(server.requests().len(), pages_seen);
    }
    assert_eq!(objects.try_next().await.unwrap(), None);
    assert_eq!(keys, ["a", "b", "c"]);
    let asked: Vec<bool> = server
        .requests()
        .iter()
        .map(|seen| seen.line().contains("prefix=p") && seen.line().contains("max-keys=2"))
        .collect();
    assert_eq!(asked, [true; 3], "the options go with each page");
    assert!(server.requests()[2].line().contains("continuation-token=t2"));
}

#[tokio::test]
async fn pages_that_lead_in_a_circle_are_an_error_and_no_endless_stream() {
    let circle = (0..20).map(|n| page(&["a"], Some(if n % 2 == 0 { "x" } else { "y" })));
    let server = Server::start(circle).await;
    let (client, bucket) = (server.client().await, bucket());
    let results: Vec<_> = list_all(&client, &bucket, ListOptions::default()).collect().await;
    let (last, before) = results.split_last().unwrap();
    let error = last.as_ref().unwrap_err();
    assert_eq!(error.kind(), S3ErrorKind::Service, "{error}");
    assert!(error.to_string().contains("circle"), "{error}");
    assert!(before.iter().all(Result::is_ok) && before.len() < 6, "{before:?}");
}

#[tokio::test]
async fn a_listing_that_fails_midway_ends_with_the_error() {
    let script = [page(&["a"], Some("t")), error("403 Forbidden", "AccessDenied")];
    let server = Server::start(script).await;
    let (client, bucket) = (server.client().await, bucket());
    let results: Vec<_> = list_all(&client, &bucket, ListOptions::default()).collect().await;
    assert_eq!(results.len(), 2);
    assert_eq!(results[1].as_ref().unwrap_err().kind(), S3ErrorKind::AccessDenied);
}

#[tokio::test]
async fn pages_of_any_client_keep_what_a_delimiter_gathers() {
    let (s3, bucket) = (MemoryS3::new(), bucket());
    for name in ["a/1", "a/2", "b", "c/1"] {
        s3.put_object(&bucket, &key(name), "x".into(), &PutOptions::default()).await.unwrap();
    }
    let options =
        ListOptions { delimiter: Some("/".to_owned()), limit: Some(1), ..Default::default() };
    let pages: Vec<_> = list_pages(&s3, &bucket, options).try_collect().await.unwrap();
    let prefixes: Vec<_> = pages.iter().flat_map(|page| &page.common_prefixes).collect();
    assert_eq!(prefixes, ["a/", "c/"]);
    assert_eq!(pages.iter().flat_map(|page| &page.objects).count(), 1);
}

/// What the service says of a batch: these are gone, these failed with a code.
fn deleted(gone: &[&str], failed: &[(&str, &str)]) -> Act {
    let mut xml = String::from("<DeleteResult>");
    for key in gone {
        let key = quick_xml::escape::escape(*key);
        for part in ["<Deleted><Key>", &key, "</Key></Deleted>"] {
            xml.push_str(part);
        }
    }
    for (key, code) in failed {
        for part in ["<Error><Key>", key, "</Key><Code>", code, "</Code><Message>Said the service"]
        {
            xml.push_str(part);
        }
        xml.push_str("</Message></Error>");
    }
    answer("200 OK", &[("x-amz-request-id", "R1")], &(xml + "</DeleteResult>"))
}

fn keys_of(seen: &Seen) -> Vec<String> {
    let text = std::str::from_utf8(seen.body()).unwrap();
    let keys = text.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap());
    keys.map(|key| quick_xml::escape::unescape(key).unwrap().into_owned()).collect()
}

#[tokio::test]
async fn a_batch_is_deleted_with_every_key_as_it_is() {
    let names = ["a&b<c>\"d'", " blank ends ", "é/\u{1f600}", "]]>", "&amp;", "plain"];
    let server = Server::start([deleted(&names, &[])]).await;
    let keys = names.map(key);
    let outcomes = server.client().await.delete_objects(&bucket(), &keys).await;
    assert_eq!(outcomes.len(), keys.len());
    for (key, outcome) in keys.iter().zip(outcomes) {
        assert_eq!(outcome.unwrap(), DeleteOutcome::default(), "{key}");
    }
    let seen = server.only();
    assert_eq!(seen.line(), "POST /test-bucket?delete=");
    assert_eq!(keys_of(&seen), names);
    assert_eq!(seen.header("content-md5").unwrap(), STANDARD.encode(Md5::digest(seen.body())));
    // Over plain HTTP the signature covers the list of what is to go.
    assert_ne!(seen.header("x-amz-content-sha256").unwrap(), "UNSIGNED-PAYLOAD");
}

#[tokio::test]
async fn more_than_a_thousand_keys_are_several_requests() {
    let names: Vec<String> = (0..2001).map(|n| format!("k{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let server = Server::start(names.chunks(1000).map(|chunk| deleted(chunk, &[]))).await;
    let keys: Vec<ObjectKey> = names.iter().map(|name| key(name)).collect();
    let outcomes = server.client().await.delete_objects(&bucket(), &keys).await;
    assert!(outcomes.len() == 2001 && outcomes.iter().all(Result::is_ok));
    let sizes: Vec<usize> = server.requests().iter().map(|seen| keys_of(seen).len()).collect();
    assert_eq!(sizes, [1000, 1000, 1]);
    assert!(server.client().await.delete_objects(&bucket(), &[]).await.is_empty());
    assert_eq!(server.requests().len(), 3, "no keys, no request");
}

#[tokio::test]
async fn each_key_has_its_outcome_and_only_what_may_pass_is_tried_again() {
    let script = [
        deleted(&["a"], &[("b", "AccessDenied"), ("c", "SlowDown"), ("d", "InternalError")]),
        deleted(&["d"], &[("c", "SlowDown")]),
        deleted(&[], &[("c", "SlowDown")]),
        deleted(&[], &[("c", "SlowDown")]),
    ];
    let server = Server::start(script).await;
    let keys = ["a", "b", "c", "d", "never-mentioned"].map(key);
    let outcomes = server.client().await.delete_objects(&bucket(), &keys).await;
    let kinds: Vec<_> = outcomes.iter().map(|o| o.as_ref().err().map(S3Error::kind)).collect();
    let (denied, throttled) = (S3ErrorKind::AccessDenied, S3ErrorKind::Throttled);
    assert_eq!(
        kinds,
        [None, Some(denied), Some(throttled), None, Some(S3ErrorKind::Service)],
        "{outcomes:?}"
    );
    let errors: Vec<_> = outcomes.iter().filter_map(|o| o.as_ref().err()).collect();
    let attempts: Vec<_> = errors.iter().map(|error| error.attempts()).collect();
    assert_eq!(attempts, [1, 4, 1]);
    assert!(errors.iter().all(|error| error.elapsed().is_some()));
    let refused = outcomes[1].as_ref().unwrap_err().to_string();
    assert!(refused.starts_with("DeleteObjects of \"test-bucket/b\": access denied"), "{refused}");
    assert!(refused.contains("AccessDenied, request id R1"), "{refused}");
    let sent: Vec<_> = server.requests().iter().map(keys_of).collect();
    let first: Vec<_> = keys.iter().map(ToString::to_string).collect();
    assert_eq!(sent, [first, vec!["c".into(), "d".into()], vec!["c".into()], vec!["c".into()]]);
}

#[tokio::test]
async fn a_batch_that_fails_as_a_whole_fails_for_each_key() {
    let server = Server::start([error("403 Forbidden", "AccessDenied")]).await;
    let outcomes = server.client().await.delete_objects(&bucket(), &["a", "b"].map(key)).await;
    assert_eq!(outcomes.len(), 2);
    assert!(outcomes.iter().all(|o| o.as_ref().unwrap_err().kind() == S3ErrorKind::AccessDenied));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn keys_that_xml_cannot_carry_are_deleted_one_by_one() {
    let server = Server::start([deleted(&["a"], &[]), answer("204 No Content", &[], "")]).await;
    let keys = ["a\u{ffff}", "a"].map(key);
    let outcomes = server.client().await.delete_objects(&bucket(), &keys).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let lines: Vec<_> = server.requests().iter().map(Seen::line).collect();
    assert_eq!(lines, ["POST /test-bucket?delete=", "DELETE /test-bucket/a%EF%BF%BF"]);
}

#[tokio::test]
async fn a_delete_tells_of_versions_and_markers() {
    let marker = [("x-amz-version-id", "v7"), ("x-amz-delete-marker", "true")];
    let server = Server::start([answer("204 No Content", &marker, ""), support::ok()]).await;
    let client = server.client().await;
    let delete = async || {
        let options = DeleteOptions::default();
        client.delete_with_outcome(&bucket(), &key("k"), &options).await.unwrap()
    };
    let made = DeleteOutcome { version_id: Some("v7".to_owned()), delete_marker: true };
    assert_eq!(delete().await, made);
    assert_eq!(delete().await, DeleteOutcome::default());
}

#[tokio::test]
async fn tags_are_read() {
    let xml = "<Tagging><TagSet><Tag><Key>b &amp; c</Key><Value>é</Value></Tag>\
               <Tag><Key>a</Key><Value/></Tag></TagSet></Tagging>";
    let none = "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet/></Tagging>";
    let script = [
        answer("200 OK", &[], xml),
        answer("200 OK", &[], none),
        error("404 Not Found", "NoSuchKey"),
        answer("200 OK", &[], "<html/>"),
    ];
    let server = Server::start(script).await;
    let (client, bucket, key) = (server.client().await, bucket(), key("k"));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let tags = client.tags(&bucket, &key, Some("v/1")).await.unwrap();
    assert_eq!(tags, [pair("a", ""), pair("b & c", "é")]);
    assert_eq!(client.tags(&bucket, &key, None).await.unwrap(), []);
    for kind in [S3ErrorKind::NoSuchKey, S3ErrorKind::Service] {
        assert_eq!(client.tags(&bucket, &key, None).await.unwrap_err().kind(), kind);
    }
    let lines: Vec<_> = server.requests().iter().map(Seen::line).collect();
    assert_eq!(lines[0], "GET /test-bucket/k?tagging=&versionId=v%2F1");
    assert_eq!(lines[1], "GET /test-bucket/k?tagging=");
}

/// One call of each kind; the answers do not matter.
async fn each_call(client: &HttpS3) {
    let (bucket, key, other) = (bucket(), key("k"), key("other"));
    let _ = client.put_object(&bucket, &key, "x".into(), &PutOptions::default()).await;
    let _ = client.get_object(&bucket, &key, &GetOptions::default()).await;
    let _ = client.head_object(&bucket, &key, &GetOptions::default()).await;
    let _ = client.copy_object(&bucket, &key, &other, &PutOptions::default()).await;
    let _ = client.delete_object(&bucket, &key, &DeleteOptions::default()).await;
    let _ = client.list_objects(&bucket, &ListOptions::default()).await;
    let _ = client.delete_objects(&bucket, std::slice::from_ref(&key)).await;
    let _ = client.tags(&bucket, &key, None).await;
}

#[tokio::test]
async fn a_customer_key_goes_with_what_reads_or_writes_bytes_and_with_nothing_else() {
    let server = Server::start((0..9).map(|_| support::ok())).await;
    let bytes = *b"0123456789abcdefghijklmnopqrstuv";
    let client = server.builder().customer_key(CustomerKey::new(bytes)).build().await.unwrap();
    each_call(&client).await;
    let prefix = "x-amz-server-side-encryption-customer";
    let (copy, mut with_key) = ("x-amz-copy-source-server-side-encryption-customer", Vec::new());
    for seen in server.requests() {
        let Some(algorithm) = seen.header(&format!("{prefix}-algorithm")) else { continue };
        let method = seen.line().split(' ').next().unwrap().to_owned();
        let copies = seen.header("x-amz-copy-source").is_some();
        with_key.push((method, copies));
        for prefix in [Some(prefix), copies.then_some(copy)].into_iter().flatten() {
            let header = |name: &str| seen.header(&format!("{prefix}-{name}")).unwrap();
            assert_eq!(algorithm, "AES256");
            assert_eq!(header("algorithm"), "AES256");
            assert_eq!(header("key"), STANDARD.encode(bytes));
            assert_eq!(header("key-md5"), STANDARD.encode(Md5::digest(bytes)));
        }
        // What is not signed, somebody on the way could change.
        assert!(seen.header("authorization").unwrap().contains(&format!("{prefix}-key;")));
    }
    let expected = ["PUT", "GET", "HEAD", "HEAD", "PUT"].map(str::to_owned);
    let methods: Vec<_> = with_key.iter().map(|(method, _)| method.clone()).collect();
    assert_eq!(methods, expected);
    assert_eq!(with_key.iter().filter(|(_, copies)| *copies).count(), 1);
    assert_eq!(server.requests().len(), 9);
}

#[tokio::test]
async fn a_customer_key_and_another_encryption_exclude_each_other() {
    let server = Server::start([]).await;
    let key_of_ours = CustomerKey::new([7; 32]);
    let client = server.builder().customer_key(key_of_ours).build().await.unwrap();
    let options = PutOptions { encryption: Some(Encryption::S3Managed), ..Default::default() };
    let body: Body = "x".into();
    let error = client.put_object(&bucket(), &key("k"), body, &options).await.unwrap_err();
    assert_eq!(error.kind(), S3ErrorKind::InvalidRequest, "{error}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn the_expected_bucket_owner_goes_with_every_request() {
    let server = Server::start((0..9).map(|_| support::ok())).await;
    let builder = server.builder().expected_bucket_owner("123456789012");
    each_call(&builder.build().await.unwrap()).await;
    let seen = server.requests();
    assert_eq!(seen.len(), 9);
    for request in seen {
        let owner = request.header("x-amz-expected-bucket-owner");
        assert_eq!(owner.as_deref(), Some("123456789012"), "{}", request.head());
        let source = request.header("x-amz-source-expected-bucket-owner").is_some();
        assert_eq!(source, request.header("x-amz-copy-source").is_some());
    }
    for account in ["", "12345678901", "1234567890123", "12345678901x", "１２３４"] {
        let builder = server.builder().expected_bucket_owner(account);
        let error = builder.build().await.unwrap_err();
        assert!(matches!(error, ConfigError::BucketOwner { .. }), "{account}: {error}");
    }
}
