//! Large objects into files, by several requests at a time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

mod support;

use std::{
    fs::File,
    io::{Read, Seek, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use artifact_s3::{
    Body, ByteRange, DownloadError, GetOptions, MemoryS3, Object, ObjectInfo, ParallelDownload,
    PutOptions, S3Client, S3Error, S3ErrorKind as Kind, layers::ConcurrencyLimit,
};
use futures::{StreamExt, stream};
use support::{
    bucket, key,
    object_server::{ObjectServer, Stored, sent},
    response,
};

const PART: usize = 1000;

/// Long enough for others to come and help.
const REST: Duration = Duration::from_millis(50);

/// As the service answers, but that what begins at the front rests within its first part.
fn rests_at_the_front(stored: &Stored, seen: &support::Seen) -> support::object_server::Sent {
    let answer = stored.answer(seen);
    match seen.header("range") {
        Some(_) => answer,
        None => answer.resting_after(stored.bytes.len().min(PART) / 2, REST),
    }
}

/// Bytes that are not the same anywhere near each other.
fn noise(length: usize) -> Vec<u8> {
    (0..length as u64).map(|n| (n * n * 31 / 7 + n).to_le_bytes()[0]).collect()
}

/// The checksum that a put of the same bytes sends.
async fn checksum(bytes: &[u8], algorithm: artifact_s3::ChecksumAlgorithm) -> String {
    let server = support::Server::start([support::ok()]).await;
    let options = PutOptions { checksum: Some(algorithm), ..Default::default() };
    let body = Body::from(bytes.to_vec());
    server.client().await.put_object(&bucket(), &key("k"), body, &options).await.unwrap();
    let headers = server.only().headers();
    let sums = ["crc32", "crc32c", "crc64nvme", "sha256"].map(|n| format!("x-amz-checksum-{n}"));
    headers.into_iter().find(|(name, _)| sums.contains(name)).unwrap().1
}

fn download() -> ParallelDownload {
    ParallelDownload::default().part_size(PART as u64)
}

async fn to_file(
    download: &ParallelDownload,
    s3: &impl S3Client,
    options: &GetOptions,
    file: &File,
) -> Result<ObjectInfo, DownloadError<S3Error>> {
    let get =
        |options: GetOptions| async move { s3.get_object(&bucket(), &key("k"), &options).await };
    download.to_file(get, options, file).await
}

async fn fetch(
    s3: &impl S3Client,
    options: &GetOptions,
) -> Result<Vec<u8>, DownloadError<S3Error>> {
    let mut file = tempfile::tempfile().unwrap();
    to_file(&download(), s3, options, &file).await?;
    Ok(content(&mut file))
}

fn content(file: &mut File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

/// What a download that failed says of the object.
fn of_object(error: DownloadError<S3Error>) -> S3Error {
    match error {
        DownloadError::Get(error) => error,
        DownloadError::File(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn objects_of_any_size_arrive_equal() {
    for length in [0, 1, 999, 1000, 1001, 1999, 2000, 2001, 4000, 9999, 10_000, 3_000_001] {
        let stored = Stored::new(noise(length));
        let bytes = stored.bytes.clone();
        let server = ObjectServer::start(move |_, seen| rests_at_the_front(&stored, seen)).await;
        let s3 = server.client().await;
        for parallel in [1, 2, 4, 50] {
            let mut file = tempfile::tempfile().unwrap();
            let download = download().part_size(length.min(PART).max(length / 20) as u64);
            let download = download.parallel(parallel);
            let info = to_file(&download, &s3, &GetOptions::default(), &file).await.unwrap();
            assert_eq!((info.size, info.etag.as_deref()), (length as u64, Some("e1")));
            assert!(content(&mut file) == bytes, "{length} by {parallel}");
        }
    }
}

#[tokio::test]
async fn a_small_object_takes_one_request_and_a_large_one_is_asked_for_part_by_part() {
    let stored = Stored::new(noise(PART));
    let server = ObjectServer::start(move |_, seen| stored.answer(seen)).await;
    fetch(&server.client().await, &GetOptions::default()).await.unwrap();
    assert_eq!(server.asked(), [(None, None)]);

    let stored = Stored::new(noise(10 * PART));
    // The first answer stops within its first part, and others bring the rest meanwhile.
    let server = ObjectServer::start(move |n, seen| {
        let answer = stored.answer(seen);
        if n == 0 { answer.silent_after(PART / 2) } else { answer }
    })
    .await;
    let options = GetOptions { if_none_match: Some("old".into()), ..Default::default() };
    let s3 = server.builder().idle_timeout(Duration::from_secs(1)).build().await.unwrap();
    fetch(&s3, &options).await.unwrap();
    let asked = server.asked();
    let own = |range: &str| (Some(range.to_owned()), Some("\"e1\"".to_owned()));
    assert_eq!((&asked[0], &asked[10]), (&(None, None), &own("bytes=500-9999")));
    let mut parts = asked[1..10].to_vec();
    parts.sort();
    let all = (1..10).map(|n| own(&format!("bytes={}-{}", n * PART, (n + 1) * PART - 1)));
    assert_eq!(parts, all.collect::<Vec<_>>());
    let conditions =
        server.requests().iter().filter(|seen| seen.header("if-none-match").is_some()).count();
    assert_eq!(conditions, 1, "the caller's condition is the first request's only");
}

#[tokio::test]
async fn where_parts_are_refused_the_first_request_reads_all() {
    let stored = Stored::new(noise(10 * PART));
    let bytes = stored.bytes.clone();
    let server = ObjectServer::start(move |_, seen| match seen.header("range") {
        Some(_) => sent(response("403 Forbidden", &[], b"")),
        None => stored.answer(seen).resting_after(PART / 2, 20 * REST),
    })
    .await;
    assert!(fetch(&server.client().await, &GetOptions::default()).await.unwrap() == bytes);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn where_one_request_is_let_through_at_a_time_it_reads_all() {
    let stored = Stored::new(noise(10 * PART));
    let bytes = stored.bytes.clone();
    let server = ObjectServer::start(move |_, seen| rests_at_the_front(&stored, seen)).await;
    let s3 = ConcurrencyLimit::new(1, server.client().await);
    let fetched = tokio::time::timeout(Duration::from_secs(10), async {
        fetch(&s3, &GetOptions::default()).await
    });
    assert!(fetched.await.unwrap().unwrap() == bytes);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn no_more_requests_at_a_time_than_allowed() {
    let now = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let s3 = MemoryS3::new();
    s3.put_object(&bucket(), &key("k"), noise(20 * PART).into(), &PutOptions::default())
        .await
        .unwrap();
    let get = |options: GetOptions| {
        let (now, most, s3) = (now.clone(), most.clone(), s3.clone());
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(REST).await;
            now.fetch_sub(1, Ordering::SeqCst);
            let mut object = s3.get_object(&bucket(), &key("k"), &options).await?;
            if options.range.is_none() {
                let length = object.body.length();
                let rest = stream::once(tokio::time::sleep(20 * REST));
                let rest = rest.map(|()| Ok(bytes::Bytes::new()));
                object.body = Body::from_stream(rest.chain(object.body.into_stream()), length);
            }
            Ok::<_, S3Error>(object)
        }
    };
    let file = tempfile::tempfile().unwrap();
    let download = download().parallel(4);
    download.to_file(get, &GetOptions::default(), &file).await.unwrap();
    // One of the four is the answer that reads from the front.
    let most = most.load(Ordering::SeqCst);
    assert_eq!(most, 3);
}

#[tokio::test]
async fn a_file_that_was_longer_is_cut() {
    let stored = Stored::new(noise(3 * PART));
    let bytes = stored.bytes.clone();
    let server = ObjectServer::start(move |_, seen| stored.answer(seen)).await;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&vec![7; 10 * PART]).unwrap();
    let s3 = server.client().await;
    to_file(&download(), &s3, &GetOptions::default(), &file).await.unwrap();
    assert!(content(&mut file) == bytes);
}

#[tokio::test]
async fn parts_that_break_off_go_on() {
    let stored = Stored::new(noise(10 * PART));
    let bytes = stored.bytes.clone();
    let server = ObjectServer::start(move |n, seen| {
        let answer = stored.answer(seen);
        if n < 5 { answer.closed_after(500) } else { answer }
    })
    .await;
    let fetched = fetch(&server.client().await, &GetOptions::default()).await.unwrap();
    assert!(fetched == bytes);
}

#[tokio::test]
async fn an_object_that_changes_between_its_parts_is_never_mixed() {
    let changes: [fn(Stored, &support::Seen) -> support::object_server::Sent; 4] = [
        |new, seen| new.answer(seen),
        // A service that ignores If-Match.
        |new, seen| {
            let range = seen.header("range").unwrap();
            let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
            new.part(first.parse().unwrap()..last.parse::<usize>().unwrap() + 1)
        },
        |_, _| sent(response("404 Not Found", &[], b"")),
        |_, _| sent(response("416 Range Not Satisfiable", &[], b"")),
    ];
    for change in changes {
        let old = Stored::new(noise(10 * PART));
        let new = Stored::new(vec![7; 10 * PART]).etag(Some("\"e2\""));
        let server = ObjectServer::start(move |n, seen| match n {
            0 => old.answer(seen).silent_after(PART),
            1 | 2 => old.answer(seen),
            _ => change(new.clone(), seen),
        })
        .await;
        let error = fetch(&server.client().await, &GetOptions::default()).await.unwrap_err();
        let error = of_object(error);
        assert_eq!((error.kind(), error.is_retryable()), (Kind::PreconditionFailed, false));
        assert!(error.message().contains("changed while it was read"), "{error}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_in_parts_comes_in_one() {
    let bytes = noise(5 * PART);
    let sha256 = checksum(&bytes, artifact_s3::ChecksumAlgorithm::Sha256).await;
    let range = GetOptions { range: Some(ByteRange::From(100)), ..Default::default() };
    for (stored, options, expected) in [
        (Stored::new(bytes.clone()).etag(None), GetOptions::default(), &bytes[..]),
        (Stored::new(bytes.clone()).etag(Some("W/\"e1\"")), GetOptions::default(), &bytes[..]),
        (Stored::new(bytes.clone()), range, &bytes[100..]),
        (
            Stored::new(bytes.clone()).header("x-amz-checksum-sha256", sha256),
            GetOptions::default(),
            &bytes[..],
        ),
    ] {
        let server = ObjectServer::start(move |_, seen| stored.answer(seen)).await;
        assert!(fetch(&server.client().await, &options).await.unwrap() == expected);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn bytes_of_unknown_length_come_in_one() {
    let asked = AtomicUsize::new(0);
    let chunks: Vec<_> = noise(5 * PART).chunks(77).map(<[u8]>::to_vec).collect();
    let get = |_| {
        asked.fetch_add(1, Ordering::SeqCst);
        let chunks = chunks.clone().into_iter().map(|chunk| Ok(chunk.into()));
        let info = ObjectInfo { size: 17, etag: Some("e".into()), ..Default::default() };
        let body = Body::from_stream(stream::iter(chunks), None);
        async { Ok::<_, S3Error>(Object { info, body }) }
    };
    let mut file = tempfile::tempfile().unwrap();
    download().to_file(get, &GetOptions::default(), &file).await.unwrap();
    assert!(content(&mut file) == noise(5 * PART));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_checksum_of_the_whole_is_compared() {
    use artifact_s3::ChecksumAlgorithm as A;
    let bytes = noise(5 * PART + 1);
    for (header, algorithm) in [
        ("x-amz-checksum-crc32", A::Crc32),
        ("x-amz-checksum-crc32c", A::Crc32c),
        ("x-amz-checksum-crc64nvme", A::Crc64Nvme),
        ("x-amz-checksum-sha256", A::Sha256),
    ] {
        let stored = Stored::new(bytes.clone()).header(header, checksum(&bytes, algorithm).await);
        // A bit of the front, and one that is in every part but the last.
        for flipped in [None, Some(0), Some(999)] {
            let stored = stored.clone();
            let server = ObjectServer::start(move |_, seen| match flipped {
                Some(at) if seen.header("range").as_deref() != Some("bytes=5000-5000") => {
                    rests_at_the_front(&stored, seen).with_a_flipped_bit(at)
                }
                _ => rests_at_the_front(&stored, seen),
            })
            .await;
            match (flipped, fetch(&server.client().await, &GetOptions::default()).await) {
                (None, Ok(fetched)) => assert!(fetched == bytes),
                (Some(_), Err(error)) => assert_eq!(of_object(error).kind(), Kind::Integrity),
                (_, other) => panic!("{algorithm:?} {flipped:?}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn what_the_service_refuses_is_passed_on() {
    let server = ObjectServer::start(|_, _| sent(response("403 Forbidden", &[], b""))).await;
    let error = fetch(&server.client().await, &GetOptions::default()).await.unwrap_err();
    assert_eq!(of_object(error).kind(), Kind::AccessDenied);
    // The caller's own condition is no change of the object.
    let stored = Stored::new(noise(10 * PART));
    let server = ObjectServer::start(move |_, seen| stored.answer(seen)).await;
    let options = GetOptions { if_match: Some("other".into()), ..Default::default() };
    let error = fetch(&server.client().await, &options).await.unwrap_err();
    let error = of_object(error);
    assert_eq!(error.kind(), Kind::PreconditionFailed);
    assert!(!error.message().contains("changed"), "{error}");
}

#[tokio::test]
async fn one_part_that_fails_ends_all_of_it() {
    let stored = Stored::new(noise(100 * PART));
    let server = ObjectServer::start(move |n, seen| match n {
        0 => stored.answer(seen).silent_after(PART),
        1..3 => stored.answer(seen),
        _ => sent(response("403 Forbidden", &[], b"")),
    })
    .await;
    let error = fetch(&server.client().await, &GetOptions::default()).await.unwrap_err();
    assert_eq!(of_object(error).kind(), Kind::AccessDenied);
    assert!(server.requests().len() < 10, "{}", server.requests().len());
}

#[tokio::test]
async fn a_client_that_gives_more_or_less_than_it_says_is_found_out() {
    for (given, said) in [(5 * PART - 1, 5 * PART), (5 * PART + 1, 5 * PART), (1, 0)] {
        let get = |_| async move {
            let bytes = bytes::Bytes::from(vec![7; given]);
            let info =
                ObjectInfo { size: said as u64, etag: Some("e".into()), ..Default::default() };
            let body = Body::from_stream(stream::iter([Ok(bytes)]), Some(said as u64));
            Ok::<_, S3Error>(Object { info, body })
        };
        let file = tempfile::tempfile().unwrap();
        let one = download().parallel(1);
        let error = one.to_file(get, &GetOptions::default(), &file).await.unwrap_err();
        assert_eq!(of_object(error).kind(), Kind::Unreachable, "{given} of {said}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_told_as_such() {
    let stored = Stored::new(noise(10 * PART));
    let server = ObjectServer::start(move |_, seen| stored.answer(seen)).await;
    let full = File::options().write(true).open("/dev/full").unwrap();
    let s3 = server.client().await;
    let error = to_file(&download(), &s3, &GetOptions::default(), &full).await.unwrap_err();
    match error {
        DownloadError::File(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{error}");
        }
        DownloadError::Get(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn progress_grows_to_the_size() {
    let stored = Stored::new(noise(10 * PART));
    let server = ObjectServer::start(move |_, seen| stored.answer(seen)).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let download = download().observed(move |at, all| log.lock().unwrap().push((at, all)));
    let file = tempfile::tempfile().unwrap();
    let s3 = server.client().await;
    to_file(&download, &s3, &GetOptions::default(), &file).await.unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.len() > 1 && seen.is_sorted(), "{seen:?}");
    let all = 10 * PART as u64;
    assert_eq!((seen[0], seen[seen.len() - 1]), ((0, Some(all)), (all, Some(all))));
}

#[tokio::test]
async fn a_dropped_download_ends_all_its_requests() {
    let stored = Stored::new(noise(100 * PART));
    let server = ObjectServer::start(move |_, seen| stored.answer(seen).silent_after(10)).await;
    let idle = Duration::from_secs(1);
    let s3 = server.builder().idle_timeout(idle).build().await.unwrap();
    let options = GetOptions::default();
    let under_way = async {
        while server.requests().len() < 4 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = fetch(&s3, &options) => panic!("the server is silent"),
        () = under_way => {}
    }
    // Whatever still lived would ask anew by then.
    tokio::time::sleep(2 * idle).await;
    assert_eq!(server.requests().len(), 4);
}
