//! The bundled filters beside their libraries: the same code, but compiled for this
//! machine, with other vectors.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{Read, Write};

use artifact_filter_encrypt::{Decoder, Encoder, Keys};
use artifact_s3::{Bucket, GetOptions, MemoryS3, ObjectKey, PutOptions, S3Client};
use artifact_store::{ArtifactStore, Filter};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// Lengths around what a filter takes at once, and a long one.
const LENGTHS: [usize; 7] = [0, 1, 300, 65_535, 65_536, 65_537, 700_001];

/// Lines with repetitions near and far, and bytes without any.
fn bytes(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    let mut bytes = Vec::new();
    while bytes.len() < length {
        match next() % 4 {
            0 => bytes.extend((0..600).flat_map(|_| next().to_le_bytes())),
            1 => bytes.extend([0x5a; 5_000]),
            _ => bytes.extend(format!("{} GET /runs/{}\n", next() % 97, next()).repeat(9).bytes()),
        }
    }
    bytes.truncate(length);
    bytes
}

async fn store(s3: &MemoryS3, filter: Filter) -> ArtifactStore {
    ArtifactStore::builder()
        .bucket("bucket")
        .client(s3.clone())
        .filter(filter)
        .start()
        .await
        .unwrap()
}

/// What lies in the bucket after it was put through the filter.
async fn stored(s3: &MemoryS3, store: &ArtifactStore, bytes: &[u8]) -> Vec<u8> {
    store.put("k", bytes.to_vec()).await.unwrap();
    let (bucket, key) = (Bucket::parse("bucket").unwrap(), ObjectKey::parse("k").unwrap());
    let object = s3.get_object(&bucket, &key, &GetOptions::default()).await.unwrap();
    object.body.bytes().await.unwrap().into()
}

/// What comes out of the filter for these bytes in the bucket.
async fn read(s3: &MemoryS3, store: &ArtifactStore, encoding: &str, bytes: Vec<u8>) -> Vec<u8> {
    let (bucket, key) = (Bucket::parse("bucket").unwrap(), ObjectKey::parse("k").unwrap());
    let mut options = PutOptions::default();
    options.content.content_encoding = Some(encoding.to_owned());
    s3.put_object(&bucket, &key, bytes.into(), &options).await.unwrap();
    store.get("k").await.unwrap().bytes().await.unwrap().into()
}

#[tokio::test]
async fn gzip_and_its_library_read_each_other() {
    let s3 = MemoryS3::new();
    for level in [1, 6, 9] {
        let store = store(&s3, Filter::gzip().setting("level", level.to_string())).await;
        for length in LENGTHS {
            let bytes = bytes(length);
            let mut natively = Vec::new();
            let stored = stored(&s3, &store, &bytes).await;
            GzDecoder::new(&stored[..]).read_to_end(&mut natively).unwrap();
            assert!(natively == bytes, "{level}: {length}");

            let mut natively = GzEncoder::new(Vec::new(), Compression::new(level));
            natively.write_all(&bytes).unwrap();
            let natively = natively.finish().unwrap();
            assert!(read(&s3, &store, "gzip", natively).await == bytes, "{level}: {length}");
        }
    }
}

#[tokio::test]
async fn encrypt_and_its_library_read_each_other() {
    let s3 = MemoryS3::new();
    let store = store(&s3, Filter::encrypt(KEY)).await;
    let keys = || Keys::parse(&[("key".to_owned(), KEY.to_owned())]).unwrap();
    for length in LENGTHS {
        let bytes = bytes(length);
        let (mut natively, mut decoder) = (Vec::new(), Decoder::open(keys(), "k"));
        for chunk in stored(&s3, &store, &bytes).await.chunks(100_000) {
            let mut ready = decoder.push(chunk.to_vec()).unwrap();
            while ready.more {
                natively.extend(ready.bytes);
                ready = decoder.push(Vec::new()).unwrap();
            }
            natively.extend(ready.bytes);
        }
        decoder.finish().unwrap();
        assert!(natively == bytes, "{length}");

        let mut encoder = Encoder::open(&keys(), "k", &[9; 32]).unwrap();
        let mut natively = Vec::new();
        for chunk in bytes.chunks(100_000) {
            let ready = encoder.push(chunk.to_vec()).unwrap();
            assert!(!ready.more);
            natively.extend(ready.bytes);
        }
        natively.extend(encoder.finish().unwrap());
        assert!(read(&s3, &store, "x-artifact-encrypt", natively).await == bytes, "{length}");
    }
}
