//! What is stored with an object besides its bytes.

use artifact_s3::{ChecksumAlgorithm, ContentHeaders, Encryption, GetOptions, PutOptions};

use super::{CaseResult, Context, context::refused};

/// One of each content header.
pub(super) fn content() -> ContentHeaders {
    ContentHeaders {
        content_type: Some("text/x-diff; charset=utf-8".to_owned()),
        content_encoding: Some("identity".to_owned()),
        content_disposition: Some("attachment; filename=\"a patch.diff\"".to_owned()),
        content_language: Some("de-CH".to_owned()),
        cache_control: Some("private, max-age=60".to_owned()),
        expires: Some("Wed, 21 Oct 2026 07:28:00 GMT".to_owned()),
    }
}

/// Pairs as the types have them.
pub(super) fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Each content header comes back as it was, from get and head.
pub async fn content_headers(c: Context) -> CaseResult {
    let options = PutOptions { content: content(), ..Default::default() };
    c.put_with("k", "x", &options).await?;
    assert_eq!(c.get("k", &GetOptions::default()).await?.info.content, content());
    assert_eq!(c.head("k", &GetOptions::default()).await?.content, content());
    Ok(())
}

/// Metadata comes back with names in lower case, in order.
pub async fn metadata(c: Context) -> CaseResult {
    let given = pairs(&[
        ("Zeta", "last"),
        ("owner", "team a, \"b\" & <c>"),
        ("commit-sha", "0123456789abcdef"),
        ("under_score.dot", "~"),
    ]);
    let options = PutOptions { metadata: given, ..Default::default() };
    c.put_with("k", "x", &options).await?;
    let expected = pairs(&[
        ("commit-sha", "0123456789abcdef"),
        ("owner", "team a, \"b\" & <c>"),
        ("under_score.dot", "~"),
        ("zeta", "last"),
    ]);
    assert_eq!(c.get("k", &GetOptions::default()).await?.info.metadata, expected);
    assert_eq!(c.head("k", &GetOptions::default()).await?.metadata, expected);
    Ok(())
}

/// What looks encoded is not decoded.
pub async fn metadata_that_looks_encoded(c: Context) -> CaseResult {
    let metadata = pairs(&[("a", "=?x?="), ("b", "%41"), ("c", "=?UTF-8?Q?x")]);
    let options = PutOptions { metadata: metadata.clone(), ..Default::default() };
    c.put_with("k", "x", &options).await?;
    assert_eq!(c.head("k", &GetOptions::default()).await?.metadata, metadata);
    Ok(())
}

/// A put replaces what described the object before.
pub async fn an_overwrite_forgets_metadata(c: Context) -> CaseResult {
    let options = PutOptions { metadata: pairs(&[("a", "1")]), ..Default::default() };
    c.put_with("k", "x", &options).await?;
    c.put("k", "y").await?;
    assert!(c.head("k", &GetOptions::default()).await?.metadata.is_empty());
    Ok(())
}

/// Tags in all their characters are accepted.
pub async fn tags(c: Context) -> CaseResult {
    let tags =
        pairs(&[("team", "a b"), ("k+e=y", "v&l:u/e@"), ("empty", ""), ("ключ", "значение")]);
    let options = PutOptions { tags, ..Default::default() };
    c.put_with("k", "x", &options).await?;
    assert_eq!(c.read("k").await?, "x");
    Ok(())
}

/// A storage class is kept; `STANDARD` is what there is without.
pub async fn storage_class(c: Context) -> CaseResult {
    for (class, expected) in [("STANDARD", None), ("STANDARD_IA", Some("STANDARD_IA"))] {
        let options = PutOptions { storage_class: Some(class.to_owned()), ..Default::default() };
        c.put_with(class, "x", &options).await?;
        let head = c.head(class, &GetOptions::default()).await?;
        let shown = head.storage_class.filter(|class| class != "STANDARD");
        assert_eq!(shown.as_deref(), expected);
    }
    Ok(())
}

/// Each checksum can be asked for, of a body in memory and of a stream.
pub async fn checksum(c: Context, algorithm: ChecksumAlgorithm) -> CaseResult {
    let options = PutOptions { checksum: Some(algorithm), ..Default::default() };
    c.put_with("bytes", "123456789", &options).await?;
    assert_eq!(c.read("bytes").await?, "123456789");
    let stream = artifact_s3::Body::from_reader(&b"123456789"[..], Some(9));
    c.put_with("stream", stream, &options).await?;
    assert_eq!(c.read("stream").await?, "123456789");
    Ok(())
}

/// Encryption is done or refused, never ignored: what is stored says that it is
/// encrypted, or nothing is stored.
pub async fn encryption_is_not_ignored(c: Context) -> CaseResult {
    let options = PutOptions {
        encryption: Some(Encryption::Kms(Some("no-such-key".to_owned()))),
        ..Default::default()
    };
    refused(c.put_with("k", "x", &options).await)?;
    assert!(c.names().await?.is_empty());
    Ok(())
}
