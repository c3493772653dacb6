//! The filters that come with the host, each in front of a real store: what comes
//! through them, what they refuse and how, alone and one behind the other.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{error::Error as _, sync::Arc};

use artifact_guests::filters::{ENCRYPT, GZIP};
use artifact_s3::{Bucket, GetOptions, MemoryS3, ObjectKey, S3Client};
use artifact_store::{
    ArtifactStore, Blame, Body, ContentHeaders, Error, ErrorKind, Filter, FilterGrant, PutOptions,
    StoreBuilder,
};
use bytes::Bytes;
use futures::TryStreamExt;

const BUCKET: &str = "bucket";
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER_KEY: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// A store with these filters, the first in front.
async fn over(s3: &Arc<MemoryS3>, filters: impl IntoIterator<Item = Filter>) -> ArtifactStore {
    let s3 = Arc::clone(s3) as Arc<dyn S3Client>;
    let builder = ArtifactStore::builder().bucket(BUCKET).shared_client(s3);
    filters.into_iter().fold(builder, StoreBuilder::filter).start().await.unwrap()
}

fn bucket() -> Arc<MemoryS3> {
    Arc::new(MemoryS3::with_buckets([BUCKET]).unwrap())
}

fn gzip() -> Filter {
    Filter::from_bytes(GZIP).name("gzip").grant(FilterGrant::default().growth(1100))
}

fn encrypt(key: &str) -> Filter {
    Filter::from_bytes(ENCRYPT).name("encrypt").setting("key", key)
}

/// The object as the bucket has it.
async fn stored(s3: &MemoryS3, key: &str) -> (Bytes, ContentHeaders) {
    let (bucket, key) = (Bucket::parse(BUCKET).unwrap(), ObjectKey::parse(key).unwrap());
    let object = s3.get_object(&bucket, &key, &GetOptions::default()).await.unwrap();
    let chunks: Vec<Bytes> = object.body.into_stream().try_collect().await.unwrap();
    (chunks.concat().into(), object.info.content)
}

/// Puts it there by other ways than through a filter.
async fn place(s3: &MemoryS3, key: &str, bytes: impl Into<Body>, content: ContentHeaders) {
    let (bucket, key) = (Bucket::parse(BUCKET).unwrap(), ObjectKey::parse(key).unwrap());
    let options = PutOptions { content, ..Default::default() };
    s3.put_object(&bucket, &key, bytes.into(), &options).await.unwrap();
}

async fn read(store: &ArtifactStore, key: &str) -> Result<Bytes, Error> {
    store.get(key).await?.bytes().await
}

/// Bytes that do not compress, the same at each run.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

async fn come_through(filters: impl Fn() -> Vec<Filter>) {
    let s3 = bucket();
    let store = over(&s3, filters()).await;
    for bytes in [Vec::new(), vec![1], vec![0; 5 << 20], noise((3 << 20) + 7)] {
        store.put("runs/1", bytes.clone()).await.unwrap();
        assert!(read(&store, "runs/1").await.unwrap() == bytes);
        assert!(stored(&s3, "runs/1").await.0 != bytes);
        // As chunks of all sizes.
        let chunks: Vec<Bytes> = bytes.chunks(70_001).map(Bytes::copy_from_slice).collect();
        store.put("runs/2", Body::from_chunks(chunks)).await.unwrap();
        assert!(read(&store, "runs/2").await.unwrap() == bytes);
    }
    assert!(store.health().is_well());
}

mod the_gzip_filter {
    use super::*;

    #[tokio::test]
    async fn gives_back_what_it_took() {
        come_through(|| vec![gzip()]).await;
        for level in ["0", "1", "9"] {
            come_through(|| vec![gzip().setting("level", level)]).await;
        }
    }

    #[tokio::test]
    async fn compresses_and_says_so() {
        let s3 = bucket();
        let store = over(&s3, [gzip()]).await;
        store.put("log", "the same line\n".repeat(100_000)).await.unwrap();
        let (bytes, content) = stored(&s3, "log").await;
        assert_eq!(content.content_encoding.as_deref(), Some("gzip"));
        assert!(bytes.starts_with(&[0x1f, 0x8b]) && bytes.len() < 10_000, "{}", bytes.len());
        assert_eq!(store.head("log").await.unwrap().content.content_encoding, None);
    }

    #[tokio::test]
    async fn tells_what_is_wrong_with_the_stored_bytes_and_blames_nobody_here() {
        let s3 = bucket();
        let store = over(&s3, [gzip()]).await;
        store.put("k", noise(100_000)).await.unwrap();
        let (whole, content) = stored(&s3, "k").await;
        let mut damaged = whole.to_vec();
        let crc = damaged.len() - 8;
        damaged[crc] ^= 1;
        for (bytes, message) in [
            (b"plain text".to_vec(), "the stored bytes are not gzip: "),
            (whole[..50_000].to_vec(), "the stored gzip data is cut short: it ends after 50000 "),
            (damaged, "the stored gzip data is damaged before byte "),
            ([&whole[..], b"more"].concat(), "the stored gzip data ends at byte "),
        ] {
            place(&s3, "k", bytes, content.clone()).await;
            let error = read(&store, "k").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StorageError, "{error}");
            assert!(error.to_string().contains(message), "{error}");
            assert!(error.to_string().ends_with(": k cannot be decompressed"), "{error}");
        }
        assert!(store.health().is_well());
    }

    #[tokio::test]
    async fn lets_a_bomb_out_as_far_as_its_grant_goes() {
        let s3 = bucket();
        over(&s3, [gzip()]).await.put("bomb", vec![0; 64 << 20]).await.unwrap();
        let whole = read(&over(&s3, [gzip()]).await, "bomb").await.unwrap();
        assert_eq!(whole.len(), 64 << 20);
        let granted = FilterGrant::default().growth(1100).output_bytes(1 << 20);
        let error = read(&over(&s3, [gzip().grant(granted)]).await, "bomb").await.unwrap_err();
        assert!(error.to_string().contains("limit of output bytes: allowed 1048576"), "{error}");
    }

    #[tokio::test]
    async fn refuses_a_wrong_setting_in_either_direction() {
        let s3 = bucket();
        over(&s3, [gzip()]).await.put("k", "v").await.unwrap();
        let store = over(&s3, [gzip().setting("level", "best")]).await;
        for error in [store.put("k", "v").await.unwrap_err(), read(&store, "k").await.unwrap_err()]
        {
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            let expected = "the setting `level` is wrong: `best` is no number from 0 to 9";
            assert!(error.to_string().ends_with(expected), "{error}");
        }
    }
}

mod the_encrypt_filter {
    use super::*;

    #[tokio::test]
    async fn gives_back_what_it_took() {
        come_through(|| vec![encrypt(KEY)]).await;
    }

    #[tokio::test]
    async fn stores_the_same_bytes_differently_each_time() {
        let s3 = bucket();
        let store = over(&s3, [encrypt(KEY)]).await;
        let bytes = vec![b'a'; 200_000];
        store.put("one", bytes.clone()).await.unwrap();
        store.put("two", bytes.clone()).await.unwrap();
        let ((one, content), (two, _)) = (stored(&s3, "one").await, stored(&s3, "two").await);
        assert_eq!(one.len(), 200_000 + 80 + 4 * 24);
        assert!(!one.windows(5).any(|window| window == b"aaaaa"));
        // Key id, then the salt.
        assert_eq!(one[..16], two[..16]);
        assert_ne!(one[16..48], two[16..48]);
        assert_eq!(content.content_encoding.as_deref(), Some("x-artifact-encrypt"));
    }

    #[tokio::test]
    async fn tells_what_is_wrong_with_the_stored_bytes_and_gives_nothing_false() {
        let s3 = bucket();
        let store = over(&s3, [encrypt(KEY)]).await;
        store.put("other", "hello").await.unwrap();
        store.put("k", noise(200_000)).await.unwrap();
        let (whole, content) = stored(&s3, "k").await;
        let segment = 65_536 + 24;
        let mut swapped = whole.to_vec();
        swapped[80..80 + 2 * segment].rotate_left(segment);
        let mut altered = whole.to_vec();
        altered[80 + 1000] ^= 1;
        for (bytes, message) in [
            (b"plain text".to_vec(), "the stored bytes are not encrypted: "),
            (whole[..100].to_vec(), "the stored bytes are cut short: they end after 100 bytes"),
            (whole[..80 + segment].to_vec(), "the stored bytes are cut short: "),
            (altered, "the stored bytes were altered: segment 0 is not authentic"),
            (swapped, "the stored bytes are out of order: segment 1 stands where segment 0 "),
            ([&whole[..], b"more"].concat(), "and others were appended to them"),
            (stored(&s3, "other").await.0.to_vec(), "belong to an artifact of another name"),
        ] {
            place(&s3, "k", bytes, content.clone()).await;
            let error = read(&store, "k").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StorageError, "{error}");
            assert!(error.to_string().contains(message), "{error}");
            assert!(error.to_string().ends_with(": k cannot be decrypted"), "{error}");
        }
        assert!(store.health().is_well());
    }

    #[tokio::test]
    async fn lets_keys_be_replaced() {
        let s3 = bucket();
        over(&s3, [encrypt(KEY)]).await.put("k", "hello").await.unwrap();
        let error = read(&over(&s3, [encrypt(OTHER_KEY)]).await, "k").await.unwrap_err();
        assert!(
            error.to_string().contains("are encrypted with another key, of the id "),
            "{error}"
        );
        let both = over(&s3, [encrypt(OTHER_KEY).setting("old-keys", KEY)]).await;
        assert_eq!(read(&both, "k").await.unwrap(), "hello");
        both.put("k", "hello").await.unwrap();
        assert_eq!(read(&over(&s3, [encrypt(OTHER_KEY)]).await, "k").await.unwrap(), "hello");
    }

    #[tokio::test]
    async fn refuses_a_wrong_key_in_either_direction_and_shows_none() {
        let s3 = bucket();
        over(&s3, [encrypt(KEY)]).await.put("k", "v").await.unwrap();
        let wrong = &KEY[1..];
        for filter in [
            encrypt(wrong),
            encrypt(KEY).setting("old-keys", format!("{KEY},{wrong}")),
            encrypt(KEY).setting(wrong, "key"),
            Filter::from_bytes(ENCRYPT).setting("old-keys", KEY),
        ] {
            let store = over(&s3, [filter]).await;
            for error in
                [store.put("k", "v").await.unwrap_err(), read(&store, "k").await.unwrap_err()]
            {
                assert_eq!(error.kind(), ErrorKind::InvalidRequest);
                let mut told = format!("{error:?}");
                let mut cause = error.source();
                while let Some(error) = cause {
                    told += &error.to_string();
                    cause = error.source();
                }
                assert!(told.contains("the setting `") || told.contains("a setting"), "{told}");
                assert!(!told.contains(wrong), "{told}");
            }
        }
    }
}

mod both {
    use super::*;

    fn filters() -> Vec<Filter> {
        vec![gzip(), encrypt(KEY)]
    }

    #[tokio::test]
    async fn give_back_what_they_took() {
        come_through(filters).await;
        come_through(|| vec![encrypt(KEY), gzip()]).await;
    }

    #[tokio::test]
    async fn compress_and_then_encrypt() {
        let s3 = bucket();
        let store = over(&s3, filters()).await;
        let content = ContentHeaders {
            content_type: Some("text/plain".to_owned()),
            content_encoding: Some("br".to_owned()),
            ..Default::default()
        };
        let options = PutOptions { content: content.clone(), ..Default::default() };
        store.put_with("k", vec![0; 1 << 20], &options).await.unwrap();
        let (bytes, stored) = stored(&s3, "k").await;
        assert!(bytes.starts_with(b"\x89ARTENC") && bytes.len() < 2000, "{}", bytes.len());
        assert_eq!(stored.content_encoding.as_deref(), Some("br, gzip, x-artifact-encrypt"));
        assert_eq!(store.get("k").await.unwrap().info().content, content);
    }

    #[tokio::test]
    async fn what_only_one_of_them_stored_is_refused() {
        let s3 = bucket();
        over(&s3, [gzip()]).await.put("k", "v").await.unwrap();
        let error = read(&over(&s3, filters()).await, "k").await.unwrap_err();
        assert_eq!((error.kind(), error.blame()), (ErrorKind::StorageError, Blame::Storage));
    }
}
