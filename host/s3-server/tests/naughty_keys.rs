//! Every key that is one arrives to the byte: put, read, listed and deleted over HTTP,
//! beside a model. The strings are the Big List of Naughty Strings, and made-up ones.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use artifact_s3::{
    Bucket, Credentials, DeleteOptions, GetOptions, HttpS3, ListOptions, MemoryS3, ObjectKey,
    PutOptions, S3Client, S3ErrorKind,
};
use artifact_s3_server::LocalServer;
use proptest::{prelude::*, test_runner::TestRunner};

const BUCKET: &str = "naughty-bucket";

async fn server() -> (LocalServer, HttpS3, MemoryS3) {
    let memory = MemoryS3::with_buckets([BUCKET]).unwrap();
    let server = LocalServer::builder().client(Arc::new(memory.clone())).start().await.unwrap();
    let credentials = Credentials::key(server.access_key(), server.secret_key().expose());
    let builder = HttpS3::builder().endpoint(server.endpoint()).credentials(credentials);
    let s3 = builder.build().await.unwrap();
    (server, s3, memory)
}

/// There and back; afterwards the bucket is as empty as before.
async fn round_trip(s3: &HttpS3, memory: &MemoryS3, key: &ObjectKey) -> Result<(), TestCaseError> {
    let bucket = Bucket::parse(BUCKET).unwrap();
    let bytes = format!("the bytes of {key}");
    let failed = |error| TestCaseError::fail(format!("{key:?}: {error}"));
    let put = s3.put_object(&bucket, key, bytes.clone().into(), &PutOptions::default()).await;
    put.map_err(failed)?;
    prop_assert_eq!(memory.keys(BUCKET), [key.as_str()]);

    let got = s3.get_object(&bucket, key, &GetOptions::default()).await.map_err(failed)?;
    prop_assert_eq!(got.body.bytes().await.unwrap(), bytes);
    let head = s3.head_object(&bucket, key, &GetOptions::default()).await.map_err(failed)?;
    prop_assert_eq!(head.size, got.info.size);

    let options = ListOptions { prefix: key.as_str().to_owned(), ..ListOptions::default() };
    let listing = s3.list_objects(&bucket, &options).await.map_err(failed)?;
    let listed: Vec<&str> = listing.objects.iter().map(|object| object.key.as_str()).collect();
    prop_assert_eq!(listed, [key.as_str()]);

    s3.delete_object(&bucket, key, &DeleteOptions::default()).await.map_err(failed)?;
    let gone = s3.head_object(&bucket, key, &GetOptions::default()).await.unwrap_err();
    prop_assert_eq!(gone.kind(), S3ErrorKind::NoSuchKey);
    prop_assert!(memory.keys(BUCKET).is_empty());
    Ok(())
}

#[tokio::test]
async fn naughty_strings_are_kept_or_refused_before_anything_is_sent() {
    let (_server, s3, memory) = server().await;
    let (mut kept, mut refused) = (0, Vec::new());
    for string in naughty_strings::BLNS {
        match ObjectKey::parse(*string) {
            Ok(key) => {
                round_trip(&s3, &memory, &key).await.unwrap();
                kept += 1;
            }
            Err(rule) => refused.push((string, rule)),
        }
    }
    assert!(kept > 400, "{kept} kept");
    assert!(refused.len() < 40, "{refused:?}");
}

/// Keys of what HTTP, XML, signatures and file systems like to alter, and of any characters.
fn key() -> impl Strategy<Value = ObjectKey> {
    let piece = prop_oneof![
        3 => prop::sample::select(vec![
            "/", "//", "..a", "...", "?", "#", "%", "%2F", "%25", "%2e%2e", "\\", " ", "+", "&",
            "=", ":", "@", ";", ",", "~", "*", "\"", "'", "`", "<", ">", "&amp;", "]]>", "é",
            "e\u{301}", "\u{feff}", "\u{202e}", "\u{fffd}", "🦀", "versionId=", "x-amz-",
        ]).prop_map(str::to_owned),
        1 => "[A-Za-z0-9._-]{1,8}",
        1 => any::<char>().prop_map(String::from),
        1 => prop::collection::vec(any::<char>(), 0..200).prop_map(String::from_iter),
    ];
    let text = prop::collection::vec(piece, 1..12).prop_map(|pieces| pieces.concat());
    text.prop_filter_map("no key", |text| ObjectKey::parse(text).ok())
}

#[test]
fn any_key_is_kept_to_the_byte() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_server, s3, memory) = runtime.block_on(server());
    let result =
        TestRunner::default().run(&key(), |key| runtime.block_on(round_trip(&s3, &memory, &key)));
    result.unwrap();
}
