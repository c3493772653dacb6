//! Uploads that somebody left: listed over any number of pages, and aborted.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use std::fmt::Write;

use artifact_s3::{S3ErrorKind as Kind, UnfinishedUpload};
use support::{Act, Server, answer, bucket, error};

fn page(uploads: &[(&str, &str)], next: Option<(&str, &str)>) -> Act {
    let mut xml = "<?xml version=\"1.0\"?><ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.\
                   com/doc/2006-03-01/\"><EncodingType>url</EncodingType>"
        .to_owned();
    for (key, id) in uploads {
        write!(
            xml,
            "<Upload><Key>{key}</Key><UploadId>{id}</UploadId><Initiated>2026-01-02T03:04:05.000Z\
             </Initiated></Upload>"
        )
        .unwrap();
    }
    if let Some((key, id)) = next {
        write!(
            xml,
            "<IsTruncated>true</IsTruncated><NextKeyMarker>{key}</NextKeyMarker>\
             <NextUploadIdMarker>{id}</NextUploadIdMarker>"
        )
        .unwrap();
    }
    answer("200 OK", &[], &format!("{xml}</ListMultipartUploadsResult>"))
}

#[tokio::test]
async fn every_page_is_listed() {
    let server = Server::start([
        page(&[("a%2F1", "x"), ("a%2Fb+c", "y=1")], Some(("a%2Fb+c", "y=1"))),
        page(&[("a%2Fd", "z")], None),
    ])
    .await;
    let uploads = server.client().await.unfinished_uploads(&bucket(), "a/").await.unwrap();
    let of = |key: &str, upload_id: &str| UnfinishedUpload {
        key: key.to_owned(),
        upload_id: upload_id.to_owned(),
        initiated: Some(1_767_323_045),
    };
    assert_eq!(uploads, [of("a/1", "x"), of("a/b c", "y=1"), of("a/d", "z")]);
    let lines: Vec<String> = server.requests().iter().map(support::Seen::line).collect();
    assert_eq!(
        lines,
        [
            "GET /test-bucket?uploads=&encoding-type=url&prefix=a%2F",
            "GET /test-bucket?uploads=&encoding-type=url&prefix=a%2F&key-marker=a%2Fb%20c&\
             upload-id-marker=y%3D1",
        ]
    );
}

#[tokio::test]
async fn a_listing_that_does_not_go_on_ends() {
    let same = || page(&[("a", "1")], Some(("a", "1")));
    let server = Server::start([same(), same(), same()]).await;
    let failed = server.client().await.unfinished_uploads(&bucket(), "").await.unwrap_err();
    assert_eq!((failed.kind(), server.requests().len()), (Kind::Service, 2));
    let server = Server::start([answer("404 Not Found", &[], "")]).await;
    let failed = server.client().await.unfinished_uploads(&bucket(), "").await.unwrap_err();
    assert_eq!(failed.kind(), Kind::NoSuchBucket);
}

#[tokio::test]
async fn an_upload_is_aborted_if_it_is_not_gone_already() {
    let server = Server::start([
        answer("204 No Content", &[], ""),
        error("404 Not Found", "NoSuchUpload"),
        error("403 Forbidden", "AccessDenied"),
    ])
    .await;
    let s3 = server.client().await;
    let upload = |key: &str| UnfinishedUpload {
        key: key.to_owned(),
        upload_id: "a b".to_owned(),
        initiated: None,
    };
    s3.abort_upload(&bucket(), &upload("k/1")).await.unwrap();
    s3.abort_upload(&bucket(), &upload("k/1")).await.unwrap();
    let failed = s3.abort_upload(&bucket(), &upload("k/1")).await.unwrap_err();
    assert_eq!(failed.kind(), Kind::AccessDenied);
    assert_eq!(server.requests()[0].line(), "DELETE /test-bucket/k/1?uploadId=a%20b");
    // No client could send this key; whoever listed it is told so.
    let failed = s3.abort_upload(&bucket(), &upload("k/..")).await.unwrap_err();
    assert_eq!((failed.kind(), server.requests().len()), (Kind::InvalidRequest, 3));
}
