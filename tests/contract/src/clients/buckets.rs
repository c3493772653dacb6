//! A bucket that is not there.

use artifact_s3::{Body, Bucket, GetOptions, ListOptions, PutOptions, S3ErrorKind};

use super::{
    CaseResult, Context,
    context::{noise, refused},
};

fn elsewhere(mut c: Context) -> Result<Context, libtest_mimic::Failed> {
    c.bucket = Bucket::parse("no-such-bucket-anywhere")?;
    Ok(c)
}

/// A get says that the bucket is missing, and not the key.
pub async fn get(c: Context) -> CaseResult {
    let c = elsewhere(c)?;
    assert_eq!(refused(c.get("k", &GetOptions::default()).await)?, S3ErrorKind::NoSuchBucket);
    Ok(())
}

/// A put makes no bucket.
pub async fn put(c: Context) -> CaseResult {
    let c = elsewhere(c)?;
    let put = c.put_with("k", "x", &PutOptions::default()).await;
    assert_eq!(refused(put)?, S3ErrorKind::NoSuchBucket);
    Ok(())
}

/// The answer is heard although it comes while the body is still sent.
pub async fn put_of_a_large_body(c: Context) -> CaseResult {
    let c = elsewhere(c)?;
    for stream in [false, true] {
        let bytes = noise(5, 20_000_000);
        let body = if stream {
            Body::from_reader(std::io::Cursor::new(bytes), Some(20_000_000))
        } else {
            Body::from(bytes)
        };
        let put = c.put_with("k", body, &PutOptions::default()).await;
        assert_eq!(refused(put)?, S3ErrorKind::NoSuchBucket);
    }
    Ok(())
}

/// A list is not empty, it fails.
pub async fn list(c: Context) -> CaseResult {
    let c = elsewhere(c)?;
    assert_eq!(refused(c.list(ListOptions::default()).await)?, S3ErrorKind::NoSuchBucket);
    Ok(())
}
