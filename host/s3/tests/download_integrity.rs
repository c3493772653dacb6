//! Downloads are compared with the checksum that the service keeps.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use artifact_s3::{
    ByteRange, Credentials, GetOptions, HttpS3Builder, S3Client, S3Error, S3ErrorKind as Kind,
};
use bytes::Bytes;
use futures::TryStreamExt;
use support::{
    bucket, key,
    object_server::{ObjectServer, Stored},
};

/// Of "123456789": the check values of the catalogue of CRC algorithms, and what
/// `sha256sum` says.
const CHECKSUMS: [(&str, &str); 4] = [
    ("x-amz-checksum-crc32", "y/Q5Jg=="),
    ("x-amz-checksum-crc32c", "4waSgw=="),
    ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
    ("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
];

const DIGITS: &str = "123456789";

async fn read(builder: HttpS3Builder, options: &GetOptions) -> Result<Bytes, S3Error> {
    let s3 = builder.build().await.unwrap();
    let object = s3.get_object(&bucket(), &key("k"), options).await?;
    object.body.bytes().await.map_err(S3Error::from)
}

async fn get(server: &ObjectServer) -> Result<Bytes, S3Error> {
    read(server.builder(), &GetOptions::default()).await
}

#[tokio::test]
async fn every_checksum_is_compared() {
    for (header, value) in CHECKSUMS {
        let stored = Stored::new(DIGITS).header(header, value);
        let server = ObjectServer::start(move |n, _| {
            let answer = stored.whole();
            if n == 0 { answer } else { answer.with_a_flipped_bit(n) }
        })
        .await;
        assert_eq!(get(&server).await.unwrap(), DIGITS);
        assert_eq!(server.requests()[0].header("x-amz-checksum-mode").as_deref(), Some("ENABLED"));
        for _ in 1..8 {
            let error = get(&server).await.unwrap_err();
            assert_eq!((error.kind(), error.target()), (Kind::Integrity, Some("test-bucket/k")));
            assert!(error.message().contains(value), "{error}");
        }
        assert_eq!(server.requests().len(), 8, "what is damaged is not read again in silence");
    }
}

#[tokio::test]
async fn what_is_damaged_never_looks_complete() {
    let bytes = vec![7; 3 << 20];
    let stored = Stored::new(bytes.clone()).header("x-amz-checksum-crc32c", "AAAAAA==");
    let server = ObjectServer::start(move |_, _| stored.whole()).await;
    let s3 = server.client().await;
    let object = s3.get_object(&bucket(), &key("k"), &GetOptions::default()).await.unwrap();
    let mut stream = object.body.into_stream();
    let mut length = 0;
    let error = loop {
        match stream.try_next().await {
            Ok(Some(chunk)) => length += chunk.len(),
            Ok(None) => panic!("it ended well"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert!(length < bytes.len(), "all of it was given out");
}

#[tokio::test]
async fn the_checksum_is_of_all_pieces_of_a_download_that_broke() {
    let stored = Stored::new(DIGITS).header("x-amz-checksum-crc64nvme", "rosUhgp5mIg=");
    let server = ObjectServer::start(move |n, seen| match n {
        0 | 2 => stored.answer(seen).closed_after(4),
        1 => stored.answer(seen),
        _ => stored.answer(seen).with_a_flipped_bit(0),
    })
    .await;
    assert_eq!(get(&server).await.unwrap(), DIGITS);
    assert_eq!(get(&server).await.unwrap_err().kind(), Kind::Integrity);
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn an_empty_object_has_a_checksum_too() {
    for (value, expected) in [("AAAAAA==", Ok(0)), ("AAAAAQ==", Err(Kind::Integrity))] {
        let stored = Stored::new("").header("x-amz-checksum-crc32", value);
        let server = ObjectServer::start(move |_, _| stored.whole()).await;
        let read = get(&server).await.map(|bytes| bytes.len()).map_err(|error| error.kind());
        assert_eq!(read, expected);
    }
}

#[tokio::test]
async fn what_cannot_be_compared_is_not() {
    let wrong = "AAAAAA==";
    for stored in [
        Stored::new(DIGITS),
        Stored::new(DIGITS).header("x-amz-checksum-crc32", "AAAAAA==-3"),
        Stored::new(DIGITS)
            .header("x-amz-checksum-crc32", wrong)
            .header("x-amz-checksum-type", "COMPOSITE"),
        Stored::new(DIGITS).header("x-amz-checksum-sha1", wrong),
    ] {
        let server = ObjectServer::start(move |_, _| stored.whole()).await;
        assert_eq!(get(&server).await.unwrap(), DIGITS);
    }
    // With a range, nobody knows what the checksum is of; it is not asked for.
    let stored = Stored::new(DIGITS).header("x-amz-checksum-crc32", wrong);
    let server = ObjectServer::start(move |_, seen| stored.answer(seen)).await;
    let options = GetOptions { range: Some(ByteRange::Closed(0, 3)), ..Default::default() };
    assert_eq!(read(server.builder(), &options).await.unwrap(), "1234");
    assert_eq!(server.requests()[0].header("x-amz-checksum-mode"), None);
}

#[tokio::test]
async fn a_checksum_of_the_whole_is_compared_though_its_type_is_told() {
    let stored = Stored::new(DIGITS)
        .header("x-amz-checksum-crc32", "AAAAAA==")
        .header("x-amz-checksum-type", "FULL_OBJECT");
    let server = ObjectServer::start(move |_, _| stored.whole()).await;
    assert_eq!(get(&server).await.unwrap_err().kind(), Kind::Integrity);
}

#[tokio::test]
async fn a_checksum_that_is_none_is_an_integrity_error_of_bounded_length() {
    let stored = Stored::new(DIGITS).header("x-amz-checksum-crc32", "x".repeat(5000));
    let server = ObjectServer::start(move |_, _| stored.whole()).await;
    let error = get(&server).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Integrity);
    assert!(error.message().len() < 500, "{error}");
}

#[tokio::test]
async fn who_wants_no_comparison_gets_none() {
    let stored = Stored::new(DIGITS).header("x-amz-checksum-crc32", "AAAAAA==");
    let server = ObjectServer::start(move |_, _| stored.whole()).await;
    let required = [("AWS_RESPONSE_CHECKSUM_VALIDATION", "WHEN_REQUIRED")];
    let off = server.builder().verify_downloads(false);
    let off_by_environment =
        server.builder().environment(required).credentials(Credentials::Anonymous);
    for builder in [off, off_by_environment] {
        assert_eq!(read(builder, &GetOptions::default()).await.unwrap(), DIGITS);
    }
    for seen in server.requests() {
        assert_eq!(seen.header("x-amz-checksum-mode"), None);
    }
    let on = server.builder().environment(required).verify_downloads(true);
    assert_eq!(read(on, &GetOptions::default()).await.unwrap_err().kind(), Kind::Integrity);
}
