use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{
    HeaderMap, HeaderName,
    header::{self, AsHeaderName},
};

use super::{content_range::ContentRange, encode, request::Headers};
use crate::{
    ByteRange, ContentHeaders, Encryption, GetOptions, ObjectInfo, PutOptions, S3Error,
    S3ErrorKind, WriteCondition,
};

const METADATA: &str = "x-amz-meta-";
const STORAGE_CLASS: HeaderName = HeaderName::from_static("x-amz-storage-class");
const VERSION_ID: HeaderName = HeaderName::from_static("x-amz-version-id");

/// Headers that describe an object to be written, and the condition to write it.
///
/// All of `PutOptions` but the checksum, which put and copy send differently.
pub(super) fn of_write(options: &PutOptions) -> Result<Headers, S3Error> {
    let mut headers = of_object(options)?;
    set_condition(&options.condition, &mut headers)?;
    Ok(headers)
}

/// The condition to write an object.
pub(super) fn set_condition(
    condition: &WriteCondition,
    headers: &mut Headers,
) -> Result<(), S3Error> {
    match condition {
        WriteCondition::Unconditional => Ok(()),
        WriteCondition::IfAbsent => headers.set("if-none-match", "*"),
        WriteCondition::IfMatch(etag) => headers.set("if-match", &encode::quoted(etag)),
    }
}

/// Headers that describe an object to be written.
pub(super) fn of_object(options: &PutOptions) -> Result<Headers, S3Error> {
    let mut headers = Headers::default();
    for (name, value) in options.content.iter() {
        headers.set(name, value)?;
    }
    for (name, value) in &options.metadata {
        headers.set(&format!("{METADATA}{name}"), value)?;
    }
    if !options.tags.is_empty() {
        let tags = options.tags.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        headers.set("x-amz-tagging", &encode::query(tags))?;
    }
    headers.set_some("x-amz-storage-class", options.storage_class.as_deref())?;
    headers.set_some("x-amz-acl", options.acl.as_deref())?;
    match &options.encryption {
        None => {}
        Some(Encryption::S3Managed) => headers.set("x-amz-server-side-encryption", "AES256")?,
        Some(Encryption::Kms(key)) => {
            headers.set("x-amz-server-side-encryption", "aws:kms")?;
            headers.set_some("x-amz-server-side-encryption-aws-kms-key-id", key.as_deref())?;
        }
    }
    Ok(headers)
}

/// Headers for the range and the conditions of a read.
pub(super) fn of_read(options: &GetOptions) -> Result<Headers, S3Error> {
    let mut headers = Headers::default();
    let range = options.range.map(|range| match range {
        ByteRange::Closed(first, last) => format!("bytes={first}-{last}"),
        ByteRange::From(first) => format!("bytes={first}-"),
        ByteRange::Last(length) => format!("bytes=-{length}"),
    });
    headers.set_some("range", range.as_deref())?;
    let if_match = options.if_match.as_deref().map(encode::quoted);
    headers.set_some("if-match", if_match.as_deref())?;
    let if_none_match = options.if_none_match.as_deref().map(encode::quoted);
    headers.set_some("if-none-match", if_none_match.as_deref())?;
    let date = |seconds: Option<u64>| seconds.map(http_date).transpose();
    headers.set_some("if-modified-since", date(options.if_modified_since)?.as_deref())?;
    headers.set_some("if-unmodified-since", date(options.if_unmodified_since)?.as_deref())?;
    Ok(headers)
}

/// The description that comes with an object.
pub(super) fn info(headers: &HeaderMap) -> Result<ObjectInfo, S3Error> {
    let size = size(headers)?;
    let mut metadata: Vec<(String, String)> = headers
        .iter()
        .filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(METADATA)?;
            Some((name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        })
        .collect();
    metadata.sort();
    Ok(ObjectInfo {
        size,
        last_modified: headers
            .get(header::LAST_MODIFIED)
            .and_then(|date| seconds(date.to_str().ok()?)),
        storage_class: text(headers, STORAGE_CLASS),
        content: ContentHeaders {
            content_type: text(headers, header::CONTENT_TYPE),
            content_encoding: text(headers, header::CONTENT_ENCODING),
            content_disposition: text(headers, header::CONTENT_DISPOSITION),
            content_language: text(headers, header::CONTENT_LANGUAGE),
            cache_control: text(headers, header::CACHE_CONTROL),
            expires: text(headers, header::EXPIRES),
        },
        metadata,
        ..written(headers)
    })
}

/// What the answer to a write says of the object: etag and version.
pub(super) fn written(headers: &HeaderMap) -> ObjectInfo {
    ObjectInfo {
        etag: headers
            .get(header::ETAG)
            .and_then(|etag| encode::unquoted(&String::from_utf8_lossy(etag.as_bytes()))),
        version_id: text(headers, VERSION_ID),
        ..ObjectInfo::default()
    }
}

/// What the caller said of an object that is written now.
pub(super) fn described(options: &PutOptions, size: u64, answer: &HeaderMap) -> ObjectInfo {
    let lower = |(name, value): &(String, String)| (name.to_ascii_lowercase(), value.clone());
    let mut metadata: Vec<(String, String)> = options.metadata.iter().map(lower).collect();
    metadata.sort();
    ObjectInfo {
        size,
        storage_class: options.storage_class.clone(),
        content: options.content.clone(),
        metadata,
        ..written(answer)
    }
}

fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<String> {
    let value = String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned();
    (!value.is_empty()).then_some(value)
}

/// Length of the whole object: behind the slash of `Content-Range`, where only a
/// range comes.
pub(super) fn size(headers: &HeaderMap) -> Result<u64, S3Error> {
    let size = match headers.get(header::CONTENT_RANGE) {
        Some(_) => ContentRange::of(headers).map(|range| range.total),
        None => headers
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok()),
    };
    size.ok_or_else(|| {
        S3Error::new(S3ErrorKind::Service, "the service did not say how long the object is")
    })
}

fn seconds(date: &str) -> Option<u64> {
    let time = httpdate::parse_http_date(date).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

fn http_date(seconds: u64) -> Result<String, S3Error> {
    // The year 9999 is where HTTP dates end.
    (seconds < 253_402_300_800)
        .then(|| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
        .flatten()
        .map(|time: SystemTime| httpdate::fmt_http_date(time))
        .ok_or_else(|| {
            S3Error::new(
                S3ErrorKind::InvalidRequest,
                format!("{seconds} seconds is past the year 9999, where HTTP dates end"),
            )
        })
}
