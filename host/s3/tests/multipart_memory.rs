//! A stream of any length takes the memory that its parts in flight take. On its own in
//! this file, as it reads the peak of the whole process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use artifact_s3::{Body, Credentials, HttpS3, Multipart, PutOptions, S3Client};
use bytes::Bytes;
use futures::{StreamExt, stream};
use support::{bucket, key};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const MIB: u64 = 1 << 20;

/// Enough to show a leak of a hundredth of it.
const LENGTH: u64 = 1024 * MIB;

const CHUNK: usize = 100_000;

/// The most memory that this process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

/// Says what S3 says to an upload in parts, and keeps nothing.
async fn serve(mut socket: TcpStream) {
    let mut scrap = vec![0; 1 << 16];
    loop {
        let mut seen = support::Seen::default();
        while !seen.raw.ends_with(b"\r\n\r\n") {
            let Ok(byte) = socket.read_u8().await else { return };
            seen.raw.push(byte);
        }
        let mut left: usize = seen.header("content-length").map_or(0, |n| n.parse().unwrap());
        while left > 0 {
            let most = left.min(scrap.len());
            left -= socket.read(&mut scrap[..most]).await.unwrap();
        }
        let root = if seen.line().ends_with("uploads=") {
            "InitiateMultipartUploadResult"
        } else {
            "CompleteMultipartUploadResult"
        };
        let body = format!("<{root}><UploadId>1</UploadId><ETag>x-1</ETag></{root}>");
        let etag = [("ETag", "\"x\"")];
        socket.write_all(&support::response("200 OK", &etag, body.as_bytes())).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_takes_the_memory_of_its_parts_in_flight() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            tokio::spawn(serve(listener.accept().await.unwrap().0));
        }
    });
    let s3 = HttpS3::builder()
        .endpoint(format!("http://127.0.0.1:{port}"))
        .credentials(Credentials::key(support::KEY_ID, support::SECRET))
        .build()
        .await
        .unwrap();
    // Each in memory of its own, as from a network.
    let chunk = |length| Bytes::from(vec![7; length]);
    let (whole, rest) = (LENGTH / CHUNK as u64, LENGTH % CHUNK as u64);
    let chunks = stream::repeat_with(move || chunk(CHUNK)).take(usize::try_from(whole).unwrap());
    let chunks = chunks.chain(stream::iter([chunk(usize::try_from(rest).unwrap())]));
    let body = Body::from_stream(chunks.map(Ok), None);
    let before = peak();
    let put = s3.put_object(&bucket(), &key("k"), body, &PutOptions::default()).await.unwrap();
    assert_eq!(put.size, LENGTH);
    let Multipart { part_size, parallel, .. } = Multipart::default();
    let in_flight = part_size * u64::try_from(parallel).unwrap();
    let grown = peak() - before;
    // Twice, for what the allocator holds back and the connections buffer.
    assert!(grown < 2 * in_flight, "{} MiB for {} MiB of parts", grown / MIB, in_flight / MIB);
    // It is seen at all: the parts were in memory.
    assert!(grown > part_size, "{} MiB", grown / MIB);
}
