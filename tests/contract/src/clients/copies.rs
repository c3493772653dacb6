//! Copies within a bucket.

use artifact_s3::{
    ContentHeaders, GetOptions, ObjectInfo, PutOptions, S3Error, S3ErrorKind, WriteCondition,
};

use super::{
    CaseResult, Context,
    context::refused,
    descriptions::{content, pairs},
};

async fn copy(
    c: &Context,
    from: &str,
    to: &str,
    options: &PutOptions,
) -> Result<ObjectInfo, S3Error> {
    c.s3.copy_object(&c.bucket, &c.object_key(from)?, &c.object_key(to)?, options).await
}

fn described() -> PutOptions {
    PutOptions { content: content(), metadata: pairs(&[("a", "1")]), ..Default::default() }
}

/// Bytes, content headers and metadata go along.
pub async fn same_description(c: Context) -> CaseResult {
    c.put_with("from", "bytes", &described()).await?;
    let info = copy(&c, "from", "to", &PutOptions::default()).await?;
    assert_eq!(info.size, 5);
    let object = c.get("to", &GetOptions::default()).await?;
    assert_eq!(object.info.etag, info.etag);
    assert_eq!(object.info.content, content());
    assert_eq!(object.info.metadata, pairs(&[("a", "1")]));
    assert_eq!(object.body.bytes().await?, "bytes");
    assert_eq!(c.read("from").await?, "bytes");
    Ok(())
}

/// What the call says takes the place of all that described the source.
pub async fn replaced_description(c: Context) -> CaseResult {
    c.put_with("from", "bytes", &described()).await?;
    let options = PutOptions {
        content: ContentHeaders {
            content_type: Some("text/plain".to_owned()),
            ..Default::default()
        },
        metadata: pairs(&[("b", "2")]),
        ..Default::default()
    };
    copy(&c, "from", "to", &options).await?;
    let info = c.head("to", &GetOptions::default()).await?;
    assert_eq!(info.content, options.content);
    assert_eq!(info.metadata, options.metadata);
    assert_eq!(c.read("to").await?, "bytes");
    Ok(())
}

/// An object can be given another description by a copy onto itself.
pub async fn onto_itself(c: Context) -> CaseResult {
    c.put_with("k", "bytes", &described()).await?;
    let options = PutOptions { metadata: pairs(&[("b", "2")]), ..Default::default() };
    copy(&c, "k", "k", &options).await?;
    assert_eq!(c.head("k", &GetOptions::default()).await?.metadata, options.metadata);
    assert_eq!(c.read("k").await?, "bytes");
    Ok(())
}

/// Over whatever was there.
pub async fn over_another(c: Context) -> CaseResult {
    c.put("from", "new").await?;
    c.put("to", "old bytes").await?;
    copy(&c, "from", "to", &PutOptions::default()).await?;
    assert_eq!(c.read("to").await?, "new");
    Ok(())
}

/// There is nothing to copy.
pub async fn missing_source(c: Context) -> CaseResult {
    let error = copy(&c, "nope", "to", &PutOptions::default()).await;
    assert_eq!(refused(error)?, S3ErrorKind::NoSuchKey);
    assert!(c.names().await?.is_empty());
    Ok(())
}

/// The condition looks at where the copy goes.
pub async fn if_absent(c: Context) -> CaseResult {
    c.put("from", "new").await?;
    c.put("to", "old").await?;
    let absent = PutOptions { condition: WriteCondition::IfAbsent, ..Default::default() };
    let refusal = refused(copy(&c, "from", "to", &absent).await)?;
    assert_eq!(refusal, S3ErrorKind::PreconditionFailed);
    assert_eq!(c.read("to").await?, "old");
    copy(&c, "from", "elsewhere", &absent).await?;
    assert_eq!(c.read("elsewhere").await?, "new");
    Ok(())
}
