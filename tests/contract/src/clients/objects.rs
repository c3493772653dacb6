//! Put, get, head and delete, with no options.

use artifact_s3::{Body, GetOptions, S3ErrorKind};
use bytes::Bytes;

use super::{
    CaseResult, Context,
    context::{noise, refused},
};

/// What was put is what is got, and what is described.
pub async fn round_trip(c: Context) -> CaseResult {
    let put = c.put("patch", "diff content").await?;
    let object = c.get("patch", &GetOptions::default()).await?;
    assert_eq!(object.info.size, 12);
    assert!(object.info.etag.is_some(), "an object has an etag");
    assert_eq!(object.info.etag, put.etag);
    assert_eq!(object.body.bytes().await?, "diff content");
    let head = c.head("patch", &GetOptions::default()).await?;
    assert_eq!((head.size, &head.etag), (12, &put.etag));
    Ok(())
}

/// An object tells when it was written, in seconds.
pub async fn date(c: Context) -> CaseResult {
    c.put("k", "x").await?;
    let modified = c.head("k", &GetOptions::default()).await?.last_modified;
    let modified = modified.ok_or("no last-modified")?;
    let now = std::time::UNIX_EPOCH.elapsed()?.as_secs();
    assert!(modified.abs_diff(now) < 300, "modified at {modified}, and it is {now}");
    Ok(())
}

/// The second put wins.
pub async fn overwrite(c: Context) -> CaseResult {
    let first = c.put("same-key", "first").await?;
    let second = c.put("same-key", "second one").await?;
    assert_ne!(first.etag, second.etag);
    assert_eq!(c.read("same-key").await?, "second one");
    assert_eq!(c.names().await?, ["same-key"]);
    Ok(())
}

/// An object may have no bytes.
pub async fn empty_body(c: Context) -> CaseResult {
    c.put("empty", Body::empty()).await?;
    let object = c.get("empty", &GetOptions::default()).await?;
    assert_eq!(object.info.size, 0);
    assert_eq!(object.body.bytes().await?, "");
    Ok(())
}

/// A list of chunks is one object.
pub async fn chunks_arrive_joined(c: Context) -> CaseResult {
    c.put("chunks", Body::from_chunks(["hello", " ", "world"])).await?;
    assert_eq!(c.read("chunks").await?, "hello world");
    Ok(())
}

/// 1,024 random bytes.
pub async fn random_bytes(c: Context) -> CaseResult {
    let bytes = Bytes::from(noise(1, 1024));
    c.put("random", bytes.clone()).await?;
    assert_eq!(c.read("random").await?, bytes);
    Ok(())
}

/// Each value of a byte, twice in either direction.
pub async fn every_byte_value(c: Context) -> CaseResult {
    let bytes: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
    c.put("bytes", bytes.clone()).await?;
    assert_eq!(c.read("bytes").await?, bytes);
    Ok(())
}

/// Bytes that are no text.
pub async fn bytes_that_are_no_text(c: Context) -> CaseResult {
    let bytes = vec![0, 1, 2, 255, 128, 64];
    c.put("binary", bytes.clone()).await?;
    assert_eq!(c.read("binary").await?, bytes);
    Ok(())
}

/// A get of what is not there says so.
pub async fn get_missing(c: Context) -> CaseResult {
    let error = c.get("nope", &GetOptions::default()).await.err().ok_or("it was found")?;
    assert_eq!(error.kind(), S3ErrorKind::NoSuchKey);
    assert_eq!((error.status(), error.code()), (Some(404), Some("NoSuchKey")));
    assert!(!error.is_retryable());
    Ok(())
}

/// So does a head, whose answer has no body.
pub async fn head_missing(c: Context) -> CaseResult {
    let error = c.head("nope", &GetOptions::default()).await.err().ok_or("it was found")?;
    assert_eq!((error.kind(), error.status()), (S3ErrorKind::NoSuchKey, Some(404)));
    Ok(())
}

/// Deleting what never was is fine.
pub async fn delete_missing(c: Context) -> CaseResult {
    c.delete("never-was").await
}

/// So is deleting twice.
pub async fn delete_twice(c: Context) -> CaseResult {
    c.put("gone", "x").await?;
    c.delete("gone").await?;
    c.delete("gone").await
}

/// One goes, the other stays.
pub async fn delete_leaves_the_neighbour(c: Context) -> CaseResult {
    for name in ["a", "a-b", "ab"] {
        c.put(name, name).await?;
    }
    c.delete("a").await?;
    assert_eq!(c.names().await?, ["a-b", "ab"]);
    assert_eq!(c.read("ab").await?, "ab");
    Ok(())
}

/// The whole life of an object.
pub async fn delete_then_get(c: Context) -> CaseResult {
    c.put("life", "x").await?;
    assert_eq!(c.read("life").await?, "x");
    c.delete("life").await?;
    assert_eq!(refused(c.get("life", &GetOptions::default()).await)?, S3ErrorKind::NoSuchKey);
    assert_eq!(refused(c.head("life", &GetOptions::default()).await)?, S3ErrorKind::NoSuchKey);
    c.put("life", "again").await?;
    assert_eq!(c.read("life").await?, "again");
    Ok(())
}
