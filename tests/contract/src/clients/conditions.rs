//! Reads and writes that depend on what is there.

use std::time::UNIX_EPOCH;

use artifact_s3::{DeleteOptions, GetOptions, PutOptions, S3ErrorKind, WriteCondition};
use futures::future::join_all;
use libtest_mimic::Failed;

use super::{CaseResult, Context, context::refused};

/// What a read with these options comes to, by get and by head alike.
async fn read(c: &Context, options: &GetOptions) -> Result<Option<S3ErrorKind>, Failed> {
    let get = c.get("k", options).await.err().map(|e| e.kind());
    let head = c.head("k", options).await.err().map(|e| e.kind());
    assert_eq!(get, head, "get and head differ");
    Ok(get)
}

async fn stored(c: &Context) -> Result<String, Failed> {
    let info = c.put("k", "x").await?;
    Ok(info.etag.ok_or("no etag")?)
}

/// With and without quotes.
pub async fn read_if_match(c: Context) -> CaseResult {
    let etag = stored(&c).await?;
    for (etag, expected) in [
        (etag.clone(), None),
        (format!("\"{etag}\""), None),
        ("0".repeat(32), Some(S3ErrorKind::PreconditionFailed)),
    ] {
        let options = GetOptions { if_match: Some(etag.clone()), ..Default::default() };
        assert_eq!(read(&c, &options).await?, expected, "{etag}");
    }
    Ok(())
}

/// A caller who has the current object is told so.
pub async fn read_if_none_match(c: Context) -> CaseResult {
    let etag = stored(&c).await?;
    for (etag, expected) in [
        (etag.clone(), Some(S3ErrorKind::NotModified)),
        (format!("\"{etag}\""), Some(S3ErrorKind::NotModified)),
        ("0".repeat(32), None),
    ] {
        let options = GetOptions { if_none_match: Some(etag.clone()), ..Default::default() };
        assert_eq!(read(&c, &options).await?, expected, "{etag}");
    }
    Ok(())
}

/// Dates count too.
pub async fn read_if_modified_since(c: Context) -> CaseResult {
    stored(&c).await?;
    let modified = c.head("k", &GetOptions::default()).await?.last_modified;
    let modified = modified.ok_or("no last-modified")?;
    for (since, expected) in [(modified - 60, None), (modified, Some(S3ErrorKind::NotModified))] {
        let options = GetOptions { if_modified_since: Some(since), ..Default::default() };
        assert_eq!(read(&c, &options).await?, expected, "{since}");
    }
    Ok(())
}

/// And the other way round.
pub async fn read_if_unmodified_since(c: Context) -> CaseResult {
    stored(&c).await?;
    let later = UNIX_EPOCH.elapsed()?.as_secs() + 60;
    for (since, expected) in [(later, None), (later - 3600, Some(S3ErrorKind::PreconditionFailed))]
    {
        let options = GetOptions { if_unmodified_since: Some(since), ..Default::default() };
        assert_eq!(read(&c, &options).await?, expected, "{since}");
    }
    Ok(())
}

fn absent() -> PutOptions {
    PutOptions { condition: WriteCondition::IfAbsent, ..Default::default() }
}

fn matching(etag: &str) -> PutOptions {
    PutOptions { condition: WriteCondition::IfMatch(etag.to_owned()), ..Default::default() }
}

/// The first put wins, the second is refused and changes nothing.
pub async fn write_if_absent(c: Context) -> CaseResult {
    c.put_with("k", "first", &absent()).await?;
    let again = c.put_with("k", "second", &absent()).await;
    assert_eq!(refused(again)?, S3ErrorKind::PreconditionFailed);
    assert_eq!(c.read("k").await?, "first");
    c.delete("k").await?;
    c.put_with("k", "third", &absent()).await?;
    assert_eq!(c.read("k").await?, "third");
    Ok(())
}

/// Of sixteen at once, one wins, and what is stored is its.
pub async fn write_if_absent_has_one_winner(c: Context) -> CaseResult {
    let options = absent();
    let puts = (0..16).map(|n| {
        let (c, options) = (&c, &options);
        async move { (n, c.put_with("k", format!("put {n}"), options).await) }
    });
    let mut winners = Vec::new();
    for (n, put) in join_all(puts).await {
        match put {
            Ok(_) => winners.push(n),
            Err(error) => assert_eq!(error.kind(), S3ErrorKind::PreconditionFailed, "{error}"),
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?} won");
    assert_eq!(c.read("k").await?, format!("put {}", winners[0]));
    Ok(())
}

/// A put over the object that the caller knows, and no other.
pub async fn write_if_match(c: Context) -> CaseResult {
    let etag = stored(&c).await?;
    let other = c.put_with("k", "y", &matching(&"0".repeat(32))).await;
    assert_eq!(refused(other)?, S3ErrorKind::PreconditionFailed);
    assert_eq!(c.read("k").await?, "x");
    c.put_with("k", "y", &matching(&etag)).await?;
    assert_eq!(c.read("k").await?, "y");
    let stale = c.put_with("k", "z", &matching(&etag)).await;
    assert_eq!(refused(stale)?, S3ErrorKind::PreconditionFailed);
    Ok(())
}

/// Over nothing, no etag matches.
pub async fn write_if_match_of_nothing(c: Context) -> CaseResult {
    let kind = refused(c.put_with("k", "x", &matching(&"0".repeat(32))).await)?;
    // S3 says the one, most compatible services the other.
    let expected = [S3ErrorKind::NoSuchKey, S3ErrorKind::PreconditionFailed];
    assert!(expected.contains(&kind), "{kind}");
    assert!(c.names().await?.is_empty());
    Ok(())
}

/// A delete of the object that the caller knows, and no other.
pub async fn delete_if_match(c: Context) -> CaseResult {
    let etag = stored(&c).await?;
    let key = c.key("k")?;
    let delete = |etag: &str| {
        let options = DeleteOptions { if_match: Some(etag.to_owned()), version_id: None };
        let (c, key) = (&c, &key);
        async move { c.s3.delete_object(&c.bucket, key, &options).await }
    };
    let other = delete(&"0".repeat(32)).await;
    assert_eq!(refused(other)?, S3ErrorKind::PreconditionFailed);
    assert_eq!(c.read("k").await?, "x");
    delete(&etag).await?;
    assert!(c.names().await?.is_empty());
    Ok(())
}
