//! What a call costs besides HTTP. `cargo bench -p artifact-s3` prints the times.
#![allow(clippy::unwrap_used, reason = "a benchmark")]

use std::{hint::black_box, time::Duration};

use artifact_s3::{
    Body, Bucket, ContentHeaders, Credentials, GetOptions, HttpS3, MemoryS3, ObjectKey, PutOptions,
    S3Client,
};
use divan::Bencher;
use tokio::runtime::{Builder, Runtime};

fn main() {
    divan::main();
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn names() -> (Bucket, ObjectKey) {
    (Bucket::parse("artifacts").unwrap(), ObjectKey::parse("teams/asm/patch-abc123").unwrap())
}

/// A URL and its signature; the day's key is there.
#[divan::bench]
fn sign(bencher: Bencher) {
    let (runtime, (bucket, key)) = (runtime(), names());
    let s3 =
        HttpS3::builder().endpoint("http://127.0.0.1:9").credentials(Credentials::key("i", "s"));
    let s3 = runtime.block_on(s3.build()).unwrap();
    let (reading, response) = (GetOptions::default(), ContentHeaders::default());
    bencher.bench_local(|| {
        let url = s3.presign_get(&bucket, &key, &reading, &response, Duration::from_mins(1));
        runtime.block_on(url).unwrap()
    });
}

/// The hash of a body in memory, as it is signed over plain HTTP.
#[divan::bench(args = [0, 4096, 1 << 20])]
fn hash(bencher: Bencher, length: usize) {
    let (runtime, bytes) = (runtime(), bytes::Bytes::from(vec![7; length]));
    bencher
        .counter(divan::counter::BytesCount::new(length))
        .bench_local(|| runtime.block_on(Body::from(bytes.clone()).sha256()).unwrap());
}

/// A put and a get without HTTP: what the trait and its types cost.
#[divan::bench]
fn put_and_get_in_memory(bencher: Bencher) {
    let (runtime, (bucket, key)) = (runtime(), names());
    let s3 = MemoryS3::with_buckets(["artifacts"]).unwrap();
    let bytes = bytes::Bytes::from(vec![7; 4096]);
    bencher.bench_local(|| {
        runtime.block_on(async {
            let body = bytes.clone().into();
            s3.put_object(&bucket, &key, body, &PutOptions::default()).await.unwrap();
            let object = s3.get_object(&bucket, &key, &GetOptions::default()).await.unwrap();
            object.body.bytes().await.unwrap()
        })
    });
}

#[divan::bench]
fn parse_key() -> ObjectKey {
    ObjectKey::parse(black_box("teams/asm/patch-abc123")).unwrap()
}
