//! Artifacts into files, large ones by several requests at a time.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    fs::File,
    io::{Read, Seek},
    sync::{Arc, Mutex},
};

use artifact_s3::{ByteRange, DownloadError, MemoryS3, MockS3, Object, S3Error, S3ErrorKind};
use artifact_store::{
    ArtifactStore, Body, Error, ErrorKind, Filter, GetOptions, ObjectInfo, ParallelDownload,
    PutOptions,
};
use futures::{StreamExt, stream};

fn bytes(length: usize) -> Vec<u8> {
    (0..length as u64).map(|n| (n * n * 31 / 7 + n).to_le_bytes()[0]).collect()
}

fn content(file: &mut File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

async fn read(
    store: &ArtifactStore,
    key: &str,
    options: &GetOptions,
) -> Result<(ObjectInfo, Vec<u8>), DownloadError<Error>> {
    let mut file = tempfile::tempfile().unwrap();
    let download = ParallelDownload::default().part_size(10_000);
    let info = store.get_to_file(key, options, &file, &download).await?;
    Ok((info, content(&mut file)))
}

fn of_store(error: DownloadError<Error>) -> Error {
    match error {
        DownloadError::Get(error) => error,
        DownloadError::File(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn artifacts_and_ranges_of_them_arrive_equal() {
    let builder = ArtifactStore::builder().bucket("bucket").client(MemoryS3::new());
    let store = builder.start().await.unwrap();
    for length in [0, 9_999, 10_001, 123_456] {
        let put = PutOptions { metadata: vec![("a".into(), "b".into())], ..Default::default() };
        store.put_with("k", bytes(length), &put).await.unwrap();
        let (info, read_back) = read(&store, "k", &GetOptions::default()).await.unwrap();
        assert_eq!((info.size, info.metadata), (length as u64, put.metadata));
        assert!(read_back == bytes(length));
    }
    let part = GetOptions { range: Some(ByteRange::Closed(5, 99_999)), ..Default::default() };
    let (info, read_back) = read(&store, "k", &part).await.unwrap();
    assert!(info.size == 123_456 && read_back == bytes(123_456)[5..100_000]);
    let error = of_store(read(&store, "nope", &GetOptions::default()).await.unwrap_err());
    assert_eq!((error.kind(), error.key()), (ErrorKind::NotFound, Some("nope")));
}

#[tokio::test]
async fn what_comes_through_a_filter_comes_in_one_stream() {
    let builder = ArtifactStore::builder().bucket("bucket").client(MemoryS3::new());
    let store = builder.filter(Filter::gzip()).start().await.unwrap();
    store.put("k", bytes(123_456)).await.unwrap();
    let (_, read_back) = read(&store, "k", &GetOptions::default()).await.unwrap();
    assert!(read_back == bytes(123_456));
}

/// A service with an object of 100,000 bytes, which answers a range with `part`.
fn service(
    part: impl Fn(&GetOptions) -> Result<Object, S3Error> + Send + Sync + 'static,
) -> MockS3 {
    let mut s3 = MockS3::new();
    s3.expect_get_object().returning(move |_, _, options| {
        if options.range.is_some() {
            return part(options);
        }
        // It stops within its first part, so that others are asked for.
        let first = stream::iter([Ok(vec![7; 10].into())]).chain(stream::pending());
        Ok(Object { info: info("e1"), body: Body::from_stream(first, Some(100_000)) })
    });
    s3
}

fn info(etag: &str) -> ObjectInfo {
    ObjectInfo { size: 100_000, etag: Some(etag.to_owned()), ..Default::default() }
}

#[tokio::test]
async fn an_artifact_that_changes_on_the_way_is_told_as_such() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let refusing = service(move |options| {
        log.lock().unwrap().push(options.if_match.clone());
        Err(S3Error::new(S3ErrorKind::PreconditionFailed, "it is another one"))
    });
    let careless = service(|_| Ok(Object { info: info("e2"), body: vec![8; 10_000].into() }));
    for s3 in [refusing, careless] {
        let store = ArtifactStore::builder().bucket("bucket").client(s3).start().await.unwrap();
        let error = of_store(read(&store, "k", &GetOptions::default()).await.unwrap_err());
        assert_eq!((error.kind(), error.key()), (ErrorKind::PreconditionFailed, Some("k")));
        assert!(error.to_string().contains("changed while it was read"), "{error}");
    }
    assert_eq!(asked.lock().unwrap()[0].as_deref(), Some("e1"));
}

#[tokio::test]
async fn a_part_that_breaks_tells_the_service_s_error() {
    let s3 = service(|_| {
        let broken = S3Error::new(S3ErrorKind::Unreachable, "it broke off");
        let broken = stream::iter([Err(broken.into())]);
        Ok(Object { info: info("e1"), body: Body::from_stream(broken, Some(10_000)) })
    });
    let store = ArtifactStore::builder().bucket("bucket").client(s3).start().await.unwrap();
    let error = of_store(read(&store, "k", &GetOptions::default()).await.unwrap_err());
    assert_eq!((error.kind(), error.key()), (ErrorKind::Unavailable, Some("k")));
    assert_eq!(error.s3().map(S3Error::message), Some("it broke off"));
}
