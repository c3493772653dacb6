//! Reading a part of an object.

use std::io::Read;

use artifact_s3::{Body, ByteRange, GetOptions, ParallelDownload, S3ErrorKind};

use super::{
    CaseResult, Context,
    context::{noise, refused},
};

async fn check(c: &Context, range: ByteRange, expected: &'static str) -> CaseResult {
    c.put("digits", "0123456789").await?;
    let options = GetOptions { range: Some(range), ..Default::default() };
    let object = c.get("digits", &options).await?;
    assert_eq!(object.info.size, 10, "the size is that of the whole object");
    assert_eq!(object.body.bytes().await?, expected);
    Ok(())
}

/// First and last byte are included.
pub async fn closed(c: Context) -> CaseResult {
    check(&c, ByteRange::Closed(2, 4), "234").await
}

/// A single byte.
pub async fn one_byte(c: Context) -> CaseResult {
    check(&c, ByteRange::Closed(0, 0), "0").await
}

/// The end is that of the object.
pub async fn closed_past_the_end(c: Context) -> CaseResult {
    check(&c, ByteRange::Closed(8, 1_000_000), "89").await
}

/// To the end.
pub async fn from(c: Context) -> CaseResult {
    check(&c, ByteRange::From(7), "789").await
}

/// The last bytes.
pub async fn last(c: Context) -> CaseResult {
    check(&c, ByteRange::Last(3), "789").await
}

/// More than there are is all there are.
pub async fn last_of_more_than_all(c: Context) -> CaseResult {
    check(&c, ByteRange::Last(1000), "0123456789").await
}

/// A range that begins past the end names no byte.
pub async fn past_the_end(c: Context) -> CaseResult {
    c.put("digits", "0123456789").await?;
    for range in [ByteRange::From(10), ByteRange::Closed(10, 20)] {
        let options = GetOptions { range: Some(range), ..Default::default() };
        assert_eq!(refused(c.get("digits", &options).await)?, S3ErrorKind::InvalidRange);
    }
    Ok(())
}

/// An empty object has no byte that a range could name.
pub async fn of_an_empty_object(c: Context) -> CaseResult {
    c.put("empty", Body::empty()).await?;
    let options = GetOptions { range: Some(ByteRange::From(0)), ..Default::default() };
    assert_eq!(refused(c.get("empty", &options).await)?, S3ErrorKind::InvalidRange);
    Ok(())
}

/// A file that is filled by several requests holds the object, whatever its size.
pub async fn parts_side_by_side(c: Context) -> CaseResult {
    const PART: usize = 20_000;
    for length in [0, 1, PART - 1, PART, PART + 1, 10 * PART, 10 * PART + 7] {
        let bytes = noise(length as u64, length);
        c.put("parts", bytes.clone()).await?;
        let file = tempfile::NamedTempFile::new()?;
        let get = |options: GetOptions| {
            let c = &c;
            async move { c.get("parts", &options).await }
        };
        let download = ParallelDownload::default().part_size(PART as u64);
        let info = download.to_file(get, &GetOptions::default(), file.as_file()).await?;
        assert_eq!(info.size, length as u64);
        let mut read = Vec::new();
        file.reopen()?.read_to_end(&mut read)?;
        assert!(read == bytes, "{length} bytes");
    }
    Ok(())
}
