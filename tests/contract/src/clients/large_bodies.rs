//! Bodies that go up in parts, where the client does so: more than 16 MiB.

use std::{io, time::Duration};

use artifact_s3::{
    Body, ChecksumAlgorithm, ContentHeaders, GetOptions, HttpS3, PutOptions, S3ErrorKind,
    WriteCondition,
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use libtest_mimic::Failed;

use super::{
    CaseResult, Context,
    context::{noise, refused},
};

const MIB: usize = 1024 * 1024;

/// Two parts of 8 MiB and a byte.
const LARGE: usize = 16 * MIB + 1;

const CHUNK: usize = 100_000;

fn streamed(bytes: &Bytes, length: Option<usize>) -> Body {
    let chunks = (0..bytes.len().div_ceil(CHUNK)).map({
        let bytes = bytes.clone();
        move |n| Ok(bytes.slice(n * CHUNK..bytes.len().min((n + 1) * CHUNK)))
    });
    Body::from_stream(stream::iter(chunks), length.map(|length| length as u64))
}

/// Puts, reads back, and deletes again: servers keep all of it in memory.
async fn round_trip(c: &Context, body: Body, bytes: &Bytes, options: &PutOptions) -> CaseResult {
    let put = c.put_with("large", body, options).await?;
    assert_eq!(put.size, bytes.len() as u64);
    let object = c.get("large", &GetOptions::default()).await?;
    assert_eq!(object.info.size, put.size);
    assert_eq!(object.info.etag, put.etag);
    assert!(object.body.bytes().await? == *bytes, "other bytes came back");
    c.delete("large").await
}

/// Of known length, of unknown length, in memory, and in a file.
pub async fn of_each_kind(c: Context) -> CaseResult {
    let bytes = Bytes::from(noise(5, LARGE));
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), &bytes)?;
    for body in [
        streamed(&bytes, Some(LARGE)),
        streamed(&bytes, None),
        bytes.clone().into(),
        Body::from_file(file.path()).await?,
    ] {
        round_trip(&c, body, &bytes, &PutOptions::default()).await?;
    }
    Ok(())
}

/// Sizes at which parts begin and end.
pub async fn around_the_sizes_of_parts(c: Context) -> CaseResult {
    for length in [16 * MIB - 1, 16 * MIB, 24 * MIB - 1, 24 * MIB, 24 * MIB + 1] {
        let bytes = Bytes::from(noise(6, length));
        let body = streamed(&bytes, None);
        round_trip(&c, body, &bytes, &PutOptions::default()).await?;
    }
    Ok(())
}

/// What describes the object comes back.
pub async fn description(c: Context) -> CaseResult {
    let options = PutOptions {
        content: ContentHeaders {
            content_type: Some("text/x-patch".to_owned()),
            cache_control: Some("no-store".to_owned()),
            ..ContentHeaders::default()
        },
        metadata: vec![("owner".to_owned(), "me".to_owned())],
        ..PutOptions::default()
    };
    let put = c.put_with("large", streamed(&noise(7, LARGE).into(), None), &options).await?;
    let info = c.head("large", &GetOptions::default()).await?;
    assert_eq!(info.content, options.content);
    assert_eq!(info.metadata, options.metadata);
    assert_eq!((info.size, info.etag), (put.size, put.etag));
    c.delete("large").await
}

/// The checksum is accepted, alone and with those of the parts.
pub async fn checksum(c: Context, algorithm: ChecksumAlgorithm) -> CaseResult {
    let bytes = Bytes::from(noise(8, LARGE));
    let options = PutOptions { checksum: Some(algorithm), ..PutOptions::default() };
    round_trip(&c, streamed(&bytes, None), &bytes, &options).await
}

/// A condition holds for what is made of parts, and what it refuses leaves what was there.
pub async fn conditions(c: Context) -> CaseResult {
    let bytes = Bytes::from(noise(9, LARGE));
    let with = |condition| PutOptions { condition, ..PutOptions::default() };
    let absent = with(WriteCondition::IfAbsent);
    let etag = c.put_with("large", bytes.clone(), &absent).await?.etag.ok_or("no etag")?;
    let again = c.put_with("large", bytes.clone(), &absent).await;
    assert_eq!(refused(again)?, S3ErrorKind::PreconditionFailed);
    let matching = with(WriteCondition::IfMatch(etag));
    let other = Bytes::from(noise(10, LARGE));
    c.put_with("large", other.clone(), &matching).await?;
    let stale = c.put_with("large", bytes, &matching).await;
    assert_eq!(refused(stale)?, S3ErrorKind::PreconditionFailed);
    assert!(c.read("large").await? == other);
    c.delete("large").await?;
    leaves_no_upload(&c).await
}

/// A body that breaks, or does not keep its word, leaves what was there, and no parts.
pub async fn failing(c: Context) -> CaseResult {
    c.put("large", "what was there").await?;
    let bytes = Bytes::from(noise(11, LARGE));
    let broken = stream::iter([Err(io::Error::other("the disk is on fire"))]);
    let breaking = streamed(&bytes, None).into_stream().chain(broken);
    for body in [
        streamed(&bytes, Some(LARGE + 1)),
        streamed(&bytes, Some(LARGE - 1)),
        Body::from_stream(breaking, None),
    ] {
        let put = c.put_with("large", body, &PutOptions::default()).await;
        assert_eq!(refused(put)?, S3ErrorKind::BodyFailed);
    }
    assert_eq!(c.read("large").await?, "what was there");
    leaves_no_upload(&c).await
}

/// A put that is dropped, early and late, leaves what was there, and no parts.
pub async fn dropped(c: Context) -> CaseResult {
    c.put("large", "what was there").await?;
    let bytes = Bytes::from(noise(12, LARGE));
    let endless = || {
        let endless = streamed(&bytes, None).into_stream().chain(stream::pending());
        Body::from_stream(endless, None)
    };
    let options = PutOptions::default();
    for millis in [0, 2, 5, 10, 20, 40, 80] {
        let put = c.put_with("large", endless(), &options);
        let dropped = tokio::time::timeout(Duration::from_millis(millis), put).await;
        assert!(dropped.is_err(), "an endless put ended");
    }
    // And one that is seen to be under way.
    let http = c.http.as_ref().ok_or("a client over HTTP is needed")?;
    http.settle().await;
    tokio::select! {
        put = c.put_with("large", endless(), &options) => {
            return Err(format!("an endless put ended: {put:?}").into());
        }
        begun = begun(&c, http) => assert_eq!(begun?, [c.key("large")?.as_str()]),
    }
    assert_eq!(c.read("large").await?, "what was there");
    leaves_no_upload(&c).await
}

async fn leaves_no_upload(c: &Context) -> CaseResult {
    let Some(http) = &c.http else {
        // Nobody who is no HTTP client has uploads.
        return Ok(());
    };
    http.settle().await;
    let left = unfinished(c, http).await?;
    assert!(left.is_empty(), "{left:?}");
    Ok(())
}

/// The uploads of this case, once there are any.
async fn begun(c: &Context, http: &HttpS3) -> Result<Vec<String>, Failed> {
    loop {
        let uploads = unfinished(c, http).await?;
        if !uploads.is_empty() {
            return Ok(uploads);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn unfinished(c: &Context, http: &HttpS3) -> Result<Vec<String>, Failed> {
    let uploads = http.unfinished_uploads(&c.bucket, &c.prefix).await?;
    Ok(uploads.into_iter().map(|upload| upload.key).collect())
}
