//! What the service answers, and which error it becomes.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use std::{collections::HashMap, error::Error};

use artifact_s3::{
    Credentials, DeleteOptions, GetOptions, HttpS3, ListOptions, Operation, PutOptions, Redirect,
    RetryPolicy, S3Client, S3Error, S3ErrorKind as Kind,
};
use support::{Act, KEY_ID, SECRET, Server, TOKEN, answer, bucket, error, key, nobody::Nobody, ok};

async fn get(server: &Server) -> S3Error {
    let s3 = server.builder().retry(RetryPolicy::none()).build().await.unwrap();
    s3.get_object(&bucket(), &key("k"), &GetOptions::default()).await.unwrap_err()
}

#[tokio::test]
async fn every_code_becomes_its_kind() {
    for (status, code, kind, retryable) in [
        ("404 Not Found", "NoSuchKey", Kind::NoSuchKey, false),
        ("404 Not Found", "NoSuchVersion", Kind::NoSuchKey, false),
        ("404 Not Found", "NoSuchBucket", Kind::NoSuchBucket, false),
        ("412 Precondition Failed", "PreconditionFailed", Kind::PreconditionFailed, false),
        ("409 Conflict", "ConditionalRequestConflict", Kind::PreconditionFailed, true),
        ("409 Conflict", "OperationAborted", Kind::Service, true),
        ("416 Range Not Satisfiable", "InvalidRange", Kind::InvalidRange, false),
        ("403 Forbidden", "AccessDenied", Kind::AccessDenied, false),
        ("403 Forbidden", "InvalidAccessKeyId", Kind::AccessDenied, false),
        ("403 Forbidden", "SignatureDoesNotMatch", Kind::AccessDenied, false),
        ("403 Forbidden", "RequestTimeTooSkewed", Kind::AccessDenied, false),
        ("403 Forbidden", "InvalidObjectState", Kind::Service, false),
        ("400 Bad Request", "ExpiredToken", Kind::AccessDenied, false),
        ("400 Bad Request", "KMS.DisabledException", Kind::AccessDenied, false),
        ("400 Bad Request", "BadDigest", Kind::Integrity, false),
        ("400 Bad Request", "XAmzContentChecksumMismatch", Kind::Integrity, false),
        ("400 Bad Request", "RequestTimeout", Kind::Timeout, true),
        ("400 Bad Request", "InvalidArgument", Kind::Service, false),
        ("503 Service Unavailable", "SlowDown", Kind::Throttled, true),
        ("503 Service Unavailable", "ServiceUnavailable", Kind::Throttled, true),
        ("429 Too Many Requests", "TooManyRequests", Kind::Throttled, true),
        ("500 Internal Server Error", "InternalError", Kind::Service, true),
        ("501 Not Implemented", "NotImplemented", Kind::Service, false),
        ("418 Teapot", "Whatever", Kind::Service, false),
    ] {
        let server = Server::start([error(status, code)]).await;
        let error = get(&server).await;
        assert_eq!((error.kind(), error.is_retryable()), (kind, retryable), "{code}");
        assert_eq!(error.code(), Some(code));
        assert_eq!(error.status().unwrap().to_string(), status[..3], "{code}");
        assert!(error.message().starts_with("Said the service"), "{error}");
        assert_eq!(error.request_id(), Some("XMLID"));
        assert_eq!(error.operation(), Some(Operation::GetObject));
        assert_eq!(error.target(), Some("test-bucket/k"));
    }
}

#[tokio::test]
async fn an_answer_without_a_body_is_told_by_its_status() {
    for (status, kind, retryable) in [
        ("304 Not Modified", Kind::NotModified, false),
        ("400 Bad Request", Kind::Service, false),
        ("401 Unauthorized", Kind::AccessDenied, false),
        ("403 Forbidden", Kind::AccessDenied, false),
        ("404 Not Found", Kind::NoSuchKey, false),
        ("408 Request Timeout", Kind::Timeout, true),
        ("412 Precondition Failed", Kind::PreconditionFailed, false),
        ("416 Range Not Satisfiable", Kind::InvalidRange, false),
        ("429 Too Many Requests", Kind::Throttled, true),
        ("500 Internal Server Error", Kind::Service, true),
        ("502 Bad Gateway", Kind::Service, true),
        ("503 Service Unavailable", Kind::Throttled, true),
        ("504 Gateway Timeout", Kind::Service, true),
    ] {
        let server = Server::start([answer(status, &[("x-amz-request-id", "HID")], "")]).await;
        let error = get(&server).await;
        assert_eq!((error.kind(), error.is_retryable()), (kind, retryable), "{status}");
        assert_eq!((error.code(), error.request_id()), (None, Some("HID")), "{status}");
        assert!(!error.message().is_empty(), "{status}");
    }
}

#[tokio::test]
async fn a_bare_404_is_the_bucket_s_for_a_listing_and_the_key_s_otherwise() {
    let missing = || answer("404 Not Found", &[], "");
    let server = Server::start([missing(), missing(), missing()]).await;
    let s3 = server.client().await;
    let listing = s3.list_objects(&bucket(), &ListOptions::default()).await.unwrap_err();
    assert_eq!((listing.kind(), listing.target()), (Kind::NoSuchBucket, Some("test-bucket")));
    let head = s3.head_object(&bucket(), &key("k"), &GetOptions::default()).await.unwrap_err();
    assert_eq!(head.kind(), Kind::NoSuchKey);
    let deleted =
        s3.delete_object(&bucket(), &key("k"), &DeleteOptions::default()).await.unwrap_err();
    assert_eq!(deleted.kind(), Kind::NoSuchKey);
}

#[tokio::test]
async fn a_redirect_that_leads_nowhere_names_what_is_right() {
    let moved = "<Error><Code>PermanentRedirect</Code><Message>m</Message>\
                 <Endpoint>test-bucket.127.0.0.1:9</Endpoint></Error>";
    let region = ("x-amz-bucket-region", "eu-west-1");
    let to = |region: Option<&str>, endpoint: Option<&str>| Redirect {
        region: region.map(Into::into),
        endpoint: endpoint.map(Into::into),
    };
    // None of these can be followed: an address takes no bucket before it, FTP is no S3.
    let endpoint = "test-bucket.127.0.0.1:9";
    for (act, redirect, hint) in [
        (
            answer("301 Moved Permanently", &[region], moved),
            to(Some("eu-west-1"), Some(endpoint)),
            "set its region to \"eu-west-1\"",
        ),
        (answer("301 Moved Permanently", &[], moved), to(None, Some(endpoint)), endpoint),
        (
            answer("307 Temporary Redirect", &[("Location", "ftp://other.test:8443/b/k?x=1")], ""),
            to(None, Some("ftp://other.test:8443")),
            "ftp://other.test:8443",
        ),
        (answer("308 Permanent Redirect", &[], ""), to(None, None), "check the endpoint"),
    ] {
        let server = Server::start([act.clone()]).await;
        let error = get(&server).await;
        assert_eq!((error.kind(), error.is_retryable()), (Kind::Service, false), "{hint}");
        assert_eq!(error.redirect(), Some(&redirect), "{hint}");
        assert!(error.to_string().contains(hint), "{error}");
        assert_eq!(server.requests().len(), 1, "{hint}");
    }
}

#[tokio::test]
async fn a_source_that_changes_while_it_is_copied_is_not_the_caller_s_condition() {
    let head =
        || Act::Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"e\"\r\n\r\n".to_vec());
    let changed = || error("412 Precondition Failed", "PreconditionFailed");
    let server = Server::start([head(), changed(), head(), changed()]).await;
    let s3 = server.client().await;
    let unconditional = PutOptions::default();
    let if_absent =
        PutOptions { condition: artifact_s3::WriteCondition::IfAbsent, ..Default::default() };
    for (options, kind, retryable) in
        [(unconditional, Kind::Service, true), (if_absent, Kind::PreconditionFailed, false)]
    {
        let error = s3.copy_object(&bucket(), &key("a"), &key("b"), &options).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (kind, retryable), "{error}");
    }
}

#[tokio::test]
async fn what_a_service_says_is_on_one_line_and_of_bounded_length() {
    let long = format!(
        "<Error><Code>A\u{1b}[31mB</Code><Message>{}\nsecond line</Message></Error>",
        "y".repeat(5000)
    );
    let server = Server::start([answer("403 Forbidden", &[], &long)]).await;
    let error = get(&server).await;
    assert!(error.message().len() <= 1024, "{}", error.message().len());
    assert!(!error.to_string().contains(['\n', '\u{1b}']), "{error:?}");
}

#[tokio::test]
async fn what_is_no_s3_service_is_said_to_be_none() {
    let html = "<!doctype html><html><body>Welcome</body></html>";
    let server =
        Server::start([answer("200 OK", &[], html), answer("405 Method Not Allowed", &[], html)])
            .await;
    let s3 = server.client().await;
    let listing = s3.list_objects(&bucket(), &ListOptions::default()).await.unwrap_err();
    assert_eq!(listing.kind(), Kind::Service);
    let put = s3.put_object(&bucket(), &key("k"), "x".into(), &PutOptions::default()).await;
    let put = put.unwrap_err();
    for error in [listing, put] {
        assert!(error.to_string().contains(&server.endpoint()), "{error}");
    }
}

#[tokio::test]
async fn nothing_listening_is_unreachable_and_names_the_endpoint() {
    let nobody = Nobody::new();
    let s3 = HttpS3::builder()
        .endpoint(nobody.endpoint())
        .credentials(Credentials::key(KEY_ID, SECRET))
        .retry(support::quick())
        .build()
        .await
        .unwrap();
    let error = s3.get_object(&bucket(), &key("k"), &GetOptions::default()).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (Kind::Unreachable, true));
    assert!(error.message().contains(nobody.endpoint().trim_start_matches("http://")), "{error}");
    assert!(error.message().to_lowercase().contains("refused"), "{error}");
    assert_eq!(error.attempts(), 4);
    assert!(error.source().is_some());
}

#[tokio::test]
async fn tls_that_is_none_is_unreachable() {
    let server = Server::start([Act::CloseAfter(1)]).await;
    let s3 = server
        .builder()
        .endpoint(format!("https://127.0.0.1:{}", server.port))
        .retry(RetryPolicy::none())
        .build()
        .await
        .unwrap();
    let error = s3.head_object(&bucket(), &key("k"), &GetOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
}

#[tokio::test]
async fn no_secret_is_in_the_debug_of_a_client_or_of_an_error() {
    let server = Server::start([error("403 Forbidden", "SignatureDoesNotMatch"), ok()]).await;
    let environment: HashMap<&str, &str> = [
        ("AWS_ACCESS_KEY_ID", KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_SESSION_TOKEN", TOKEN),
    ]
    .into();
    let fixed = Credentials::Static {
        access_key_id: KEY_ID.into(),
        secret_access_key: SECRET.into(),
        session_token: Some(TOKEN.into()),
    };
    let from_environment =
        server.builder().credentials(Credentials::Default).environment(environment);
    let given = server.builder().credentials(fixed);
    let wrong = server.builder().endpoint(format!("http://{KEY_ID}:{SECRET}@host"));
    let mut shown = vec![
        format!("{from_environment:?}"),
        format!("{given:?}"),
        format!("{wrong:?} {:?}", wrong.clone().build().await),
    ];
    for builder in [from_environment, given] {
        let s3 = builder.build().await.unwrap();
        shown.push(format!("{s3:?} {s3:#?}"));
        if let Err(error) = s3.get_object(&bucket(), &key("k"), &GetOptions::default()).await {
            shown.push(format!("{error} {error:?} {error:#?}"));
        }
    }
    assert_eq!(shown.len(), 6, "one call failed");
    for text in shown {
        assert!(!text.contains(SECRET) && !text.contains(TOKEN), "{text}");
        assert!(!text.contains(KEY_ID), "{text}");
    }
}
