//! Bodies that are large, streamed, or do not keep their word; many calls at once.

use std::{io, time::Duration};

use artifact_s3::{Body, GetOptions, PutOptions, S3ErrorKind};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future::try_join_all, stream};
use libtest_mimic::Failed;
use sha2::{Digest, Sha256};

use super::{
    CaseResult, Context,
    context::{noise, refused},
};

const LARGE: usize = 16 * 1024 * 1024;
const CHUNK: usize = 64 * 1024;

/// Chunks of noise, in no regular size.
fn chunks(length: usize) -> Vec<Bytes> {
    let all = Bytes::from(noise(2, length));
    let (mut chunks, mut at, mut size) = (Vec::new(), 0, 1);
    while at < length {
        let end = (at + size).min(length);
        chunks.push(all.slice(at..end));
        (at, size) = (end, size * 3 % CHUNK + 1000);
    }
    chunks
}

fn streamed(chunks: Vec<Bytes>, length: Option<u64>) -> Body {
    Body::from_stream(stream::iter(chunks.into_iter().map(io::Result::Ok)), length)
}

fn digest<'a>(chunks: impl IntoIterator<Item = &'a Bytes>) -> Vec<u8> {
    let mut digest = Sha256::new();
    for chunk in chunks {
        digest.update(chunk);
    }
    digest.finalize().to_vec()
}

async fn digest_of(c: &Context, name: &str) -> Result<(u64, Vec<u8>), Failed> {
    let object = c.get(name, &GetOptions::default()).await?;
    let (mut stream, mut digest, mut length) = (object.body.into_stream(), Sha256::new(), 0);
    while let Some(chunk) = stream.try_next().await? {
        digest.update(&chunk);
        length += chunk.len() as u64;
    }
    assert_eq!(object.info.size, length);
    Ok((length, digest.finalize().to_vec()))
}

/// 16 MiB in a stream whose length is known.
pub async fn large_stream(c: Context) -> CaseResult {
    let chunks = chunks(LARGE);
    let expected = digest(&chunks);
    let put = c.put("large", streamed(chunks, Some(LARGE as u64))).await?;
    assert_eq!(put.size, LARGE as u64);
    assert_eq!(digest_of(&c, "large").await?, (LARGE as u64, expected));
    Ok(())
}

/// Chunks that come now and then, and no length.
pub async fn stream_of_unknown_length(c: Context) -> CaseResult {
    let chunks = chunks(300_000);
    let expected = digest(&chunks);
    let slow = stream::iter(chunks).then(|chunk| async move {
        tokio::time::sleep(Duration::from_millis(1)).await;
        io::Result::Ok(chunk)
    });
    let put = c.put("unknown", Body::from_stream(slow, None)).await?;
    assert_eq!(put.size, 300_000);
    assert_eq!(digest_of(&c, "unknown").await?, (300_000, expected));
    Ok(())
}

/// A stream of unknown length may be empty.
pub async fn empty_stream_of_unknown_length(c: Context) -> CaseResult {
    c.put("empty", streamed(Vec::new(), None)).await?;
    assert_eq!(c.read("empty").await?, "");
    Ok(())
}

/// A file, read while it is sent.
pub async fn file(c: Context) -> CaseResult {
    let bytes = noise(3, 1_000_000);
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), &bytes)?;
    c.put("file", Body::from_file(file.path()).await?).await?;
    assert_eq!(c.read("file").await?, bytes);
    Ok(())
}

async fn stores_nothing(c: &Context, body: Body) -> CaseResult {
    c.put("kept", "what was there").await?;
    assert_eq!(
        refused(c.put_with("new", body, &PutOptions::default()).await)?,
        S3ErrorKind::BodyFailed
    );
    assert_eq!(c.names().await?, ["kept"]);
    Ok(())
}

/// Fewer bytes than were promised.
pub async fn short_body(c: Context) -> CaseResult {
    stores_nothing(&c, streamed(chunks(100_000), Some(100_001))).await
}

/// More bytes than were promised.
pub async fn long_body(c: Context) -> CaseResult {
    stores_nothing(&c, streamed(chunks(100_000), Some(99_999))).await
}

/// The stream fails midway.
pub async fn failing_body(c: Context) -> CaseResult {
    let failing = failing(chunks(500_000));
    stores_nothing(&c, Body::from_stream(failing, Some(1_000_000))).await
}

/// The stream fails midway, and had not said how long it is.
pub async fn failing_body_of_unknown_length(c: Context) -> CaseResult {
    stores_nothing(&c, Body::from_stream(failing(chunks(500_000)), None)).await
}

/// A body that fails leaves what was there before.
pub async fn failing_overwrite(c: Context) -> CaseResult {
    c.put("k", "what was there").await?;
    let body = Body::from_stream(failing(chunks(500_000)), Some(1_000_000));
    assert_eq!(
        refused(c.put_with("k", body, &PutOptions::default()).await)?,
        S3ErrorKind::BodyFailed
    );
    assert_eq!(c.read("k").await?, "what was there");
    Ok(())
}

fn failing(chunks: Vec<Bytes>) -> impl futures::Stream<Item = io::Result<Bytes>> + Send {
    let broken = stream::once(async { Err(io::Error::other("the disk is on fire")) });
    stream::iter(chunks.into_iter().map(Ok)).chain(broken)
}

/// Many calls at once, each of which gets its own answer.
pub async fn many_at_once(c: Context) -> CaseResult {
    try_join_all((0..64_u64).map(|n| {
        let c = &c;
        async move {
            let (name, bytes) = (format!("n{n}"), Bytes::from(noise(n, 10_000)));
            c.put(&name, bytes.clone()).await?;
            assert_eq!(c.read(&name).await?, bytes);
            Ok::<_, Failed>(())
        }
    }))
    .await?;
    assert_eq!(c.names().await?.len(), 64);
    Ok(())
}

/// Concurrent puts to one key: the object is one of them, whole.
pub async fn many_puts_to_one_key(c: Context) -> CaseResult {
    let bodies: Vec<Bytes> = (0..16).map(|n| Bytes::from(noise(n, 100_000))).collect();
    try_join_all(bodies.iter().map(|body| c.put("k", body.clone()))).await?;
    let stored = c.read("k").await?;
    assert!(bodies.contains(&stored), "the object is none of those that were put");
    Ok(())
}

/// A download that is given up harms no later call.
pub async fn abandoned_download(c: Context) -> CaseResult {
    c.put("large", noise(4, 4_000_000)).await?;
    for _ in 0..8 {
        let mut stream = c.get("large", &GetOptions::default()).await?.body.into_stream();
        assert!(stream.try_next().await?.is_some_and(|chunk| !chunk.is_empty()));
    }
    c.put("small", "x").await?;
    assert_eq!(c.read("small").await?, "x");
    Ok(())
}

/// A slow upload holds up nobody.
pub async fn slow_upload_holds_up_nobody(c: Context) -> CaseResult {
    let (finish, finished) = tokio::sync::oneshot::channel::<()>();
    let late = stream::once(async move {
        // Dropped or sent: either way the upload may end now.
        let _ = finished.await;
        io::Result::Ok(Bytes::from_static(b"56"))
    });
    let body = stream::iter([io::Result::Ok(Bytes::from_static(b"1234"))]).chain(late);
    let slow = {
        let c = c.clone();
        tokio::spawn(async move { c.put("slow", Body::from_stream(body, Some(6))).await.map(drop) })
    };
    for n in 0..20 {
        c.put("quick", format!("{n}")).await?;
    }
    assert!(!slow.is_finished());
    let _ = finish.send(());
    slow.await??;
    assert_eq!(c.read("slow").await?, "123456");
    Ok(())
}
