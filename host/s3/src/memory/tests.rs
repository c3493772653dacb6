use std::io;

use bytes::Bytes;
use futures::stream;

use super::*;
use crate::{ByteRange, ContentHeaders, Encryption, S3ErrorKind, WriteCondition};

fn bucket() -> Bucket {
    Bucket::parse("test-bucket").unwrap()
}

fn key(key: &str) -> ObjectKey {
    ObjectKey::parse(key).unwrap()
}

async fn put(s3: &MemoryS3, at: &str, body: impl Into<Body>) -> ObjectInfo {
    s3.put_object(&bucket(), &key(at), body.into(), &PutOptions::default()).await.unwrap()
}

async fn put_error(s3: &MemoryS3, options: PutOptions) -> S3Error {
    s3.put_object(&bucket(), &key("k"), "x".into(), &options).await.unwrap_err()
}

fn described() -> PutOptions {
    PutOptions {
        content: ContentHeaders {
            content_type: Some("text/x-diff".to_owned()),
            ..Default::default()
        },
        metadata: vec![
            ("Zeta".to_owned(), "1".to_owned()),
            ("alpha".to_owned(), "2".to_owned()),
            ("ALPHA".to_owned(), "3".to_owned()),
        ],
        tags: vec![("team".to_owned(), "ü".to_owned())],
        storage_class: Some("STANDARD_IA".to_owned()),
        acl: Some("private".to_owned()),
        ..Default::default()
    }
}

#[tokio::test]
async fn clones_share_their_objects_and_reads_share_the_bytes() {
    let s3 = MemoryS3::new().with_clock(|| 1_700_000_000);
    let bytes = Bytes::from(vec![7; 1000]);
    let info = put(&s3.clone(), "a", bytes.clone()).await;
    assert_eq!((info.size, info.last_modified), (1000, Some(1_700_000_000)));
    let read = s3.get_object(&bucket(), &key("a"), &GetOptions::default()).await.unwrap();
    assert_eq!(read.info, info);
    assert_eq!(read.body.bytes().await.unwrap().as_ptr(), bytes.as_ptr());
}

#[tokio::test]
async fn the_etag_is_the_md5_in_hex() {
    let info = put(&MemoryS3::new(), "a", "abc").await;
    // RFC 1321, appendix A.5.
    assert_eq!(info.etag.as_deref(), Some("900150983cd24fb0d6963f7d28e17f72"));
}

#[tokio::test]
async fn only_named_buckets_exist() {
    let s3 = MemoryS3::with_buckets(["other-bucket"]).unwrap();
    let error = s3.get_object(&bucket(), &key("a"), &GetOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), S3ErrorKind::NoSuchBucket);
    assert_eq!((error.status(), error.code()), (Some(404), Some("NoSuchBucket")));
    assert_eq!(put_error(&s3, PutOptions::default()).await.kind(), S3ErrorKind::NoSuchBucket);
    assert!(MemoryS3::with_buckets(["../x"]).is_err());
}

#[tokio::test]
async fn an_error_looks_as_the_services_does() {
    let s3 = MemoryS3::new();
    let error = s3.get_object(&bucket(), &key("a"), &GetOptions::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GetObject of \"test-bucket/a\": no such key: The specified key does not exist. \
         (HTTP 404, NoSuchKey, request id MEMORY0000000001)"
    );
    let head = s3.head_object(&bucket(), &key("a"), &GetOptions::default()).await.unwrap_err();
    assert_eq!((head.kind(), head.code()), (S3ErrorKind::NoSuchKey, None));
    assert_ne!(head.request_id(), error.request_id());
}

#[tokio::test]
async fn what_describes_an_object_is_kept() {
    let s3 = MemoryS3::new();
    let info = s3.put_object(&bucket(), &key("k"), "x".into(), &described()).await.unwrap();
    let metadata = [("alpha", "2,3"), ("zeta", "1")];
    assert_eq!(info.metadata, metadata.map(|(k, v)| (k.to_owned(), v.to_owned())));
    assert_eq!(info.content.content_type.as_deref(), Some("text/x-diff"));
    let stored = s3.object("test-bucket", "k").unwrap();
    assert_eq!(stored.info, info);
    assert_eq!(stored.tags, described().tags);
    assert_eq!(stored.acl.as_deref(), Some("private"));
    let page = s3.list_objects(&bucket(), &ListOptions::default()).await.unwrap();
    assert_eq!(page.objects[0].storage_class.as_deref(), Some("STANDARD_IA"));
}

#[tokio::test]
async fn options_that_cannot_be_honoured_are_refused() {
    let s3 = MemoryS3::new();
    for encryption in [Encryption::S3Managed, Encryption::Kms(None)] {
        let options = PutOptions { encryption: Some(encryption), ..Default::default() };
        let error = put_error(&s3, options).await;
        assert_eq!((error.kind(), error.status()), (S3ErrorKind::InvalidRequest, None));
        assert_eq!(error.operation(), Some(Operation::PutObject));
    }
    let options = PutOptions { acl: Some("everyone".to_owned()), ..Default::default() };
    assert_eq!(put_error(&s3, options).await.code(), Some("InvalidArgument"));
    put(&s3, "k", "x").await;
    let version = |id: &str| GetOptions { version_id: Some(id.to_owned()), ..Default::default() };
    let error = s3.head_object(&bucket(), &key("k"), &version("v1")).await.unwrap_err();
    assert_eq!(error.kind(), S3ErrorKind::InvalidRequest);
    assert!(s3.head_object(&bucket(), &key("k"), &version("null")).await.is_ok());
    let delete = DeleteOptions { version_id: Some("v1".to_owned()), if_match: None };
    assert!(s3.delete_object(&bucket(), &key("k"), &delete).await.is_err());
    assert_eq!(s3.len(), 1);
}

#[tokio::test]
async fn a_body_that_breaks_its_word_stores_nothing() {
    let s3 = MemoryS3::new();
    let chunk = || io::Result::Ok(Bytes::from_static(b"12345"));
    let failing = || stream::iter([chunk(), Err(io::Error::other("disk on fire"))]);
    for body in [
        Body::from_stream(stream::iter([chunk()]), Some(6)),
        Body::from_stream(stream::iter([chunk(), chunk()]), Some(6)),
        Body::from_stream(stream::iter([chunk()]), Some(0)),
        Body::from_stream(failing(), Some(10)),
        Body::from_stream(failing(), None),
    ] {
        let put = s3.put_object(&bucket(), &key("k"), body, &PutOptions::default()).await;
        assert_eq!(put.unwrap_err().kind(), S3ErrorKind::BodyFailed);
        assert!(s3.is_empty());
    }
}

#[tokio::test]
async fn a_copy_keeps_or_replaces_what_describes_the_source() {
    let s3 = MemoryS3::new();
    s3.put_object(&bucket(), &key("a"), "x".into(), &described()).await.unwrap();
    let copy = |to: &'static str, options: PutOptions| {
        let s3 = s3.clone();
        async move { s3.copy_object(&bucket(), &key("a"), &key(to), &options).await }
    };
    copy("same", PutOptions::default()).await.unwrap();
    let (source, same) =
        (s3.object("test-bucket", "a").unwrap(), s3.object("test-bucket", "same").unwrap());
    assert_eq!(
        (same.info.content, same.info.metadata),
        (source.info.content, source.info.metadata)
    );
    assert_eq!((same.tags, same.info.storage_class, same.acl), (source.tags, None, None));

    let replaced =
        PutOptions { metadata: vec![("m".to_owned(), "1".to_owned())], ..Default::default() };
    let info = copy("new", replaced).await.unwrap();
    assert_eq!(info.content, ContentHeaders::default());
    assert_eq!(info.metadata, [("m".to_owned(), "1".to_owned())]);
    assert!(s3.object("test-bucket", "new").unwrap().tags.is_empty());

    let absent = PutOptions { condition: WriteCondition::IfAbsent, ..Default::default() };
    let error = copy("new", absent).await.unwrap_err();
    assert_eq!(error.kind(), S3ErrorKind::PreconditionFailed);
    let error = copy("a", PutOptions::default()).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(400), Some("InvalidRequest")));
}

#[tokio::test]
async fn a_delete_can_depend_on_the_etag() {
    let s3 = MemoryS3::new();
    let etag = put(&s3, "k", "x").await.etag;
    let delete = |if_match: Option<String>| {
        let options = DeleteOptions { version_id: None, if_match };
        let s3 = s3.clone();
        async move { s3.delete_object(&bucket(), &key("k"), &options).await.err().map(|e| e.kind()) }
    };
    let refused = Some(S3ErrorKind::PreconditionFailed);
    assert_eq!(delete(Some("other".to_owned())).await, refused);
    assert_eq!(delete(etag.clone()).await, None);
    assert_eq!(delete(etag).await, refused);
    assert_eq!(delete(None).await, None);
}

#[tokio::test]
async fn a_range_gives_its_bytes_and_the_size_of_all() {
    let s3 = MemoryS3::new();
    put(&s3, "k", "0123456789").await;
    let options = GetOptions { range: Some(ByteRange::Closed(2, 4)), ..Default::default() };
    let object = s3.get_object(&bucket(), &key("k"), &options).await.unwrap();
    assert_eq!((object.info.size, object.body.length()), (10, Some(3)));
    assert_eq!(object.body.bytes().await.unwrap(), "234");
}

#[tokio::test]
async fn debug_shows_no_bytes() {
    let s3 = MemoryS3::new();
    put(&s3, "k", "secret").await;
    assert_eq!(format!("{s3:?}"), "MemoryS3 { objects: {\"test-bucket\": 1}, .. }");
}
