use artifact_s3::{
    ByteRange, ChecksumAlgorithm, ContentHeaders, Encryption, GetOptions, PutOptions,
    WriteCondition,
};
use http::HeaderMap;
use s3s::{
    S3Result,
    dto::{
        CopyObjectInput, ETag, ETagCondition, GetObjectInput, HeadObjectInput, PutObjectInput,
        Range, Timestamp, TimestampFormat,
    },
    s3_error,
};

use super::refuse;

pub(super) fn of_get(input: &GetObjectInput) -> S3Result<GetOptions> {
    refuse!(
        input,
        expected_bucket_owner,
        part_number,
        sse_customer_algorithm,
        sse_customer_key,
        sse_customer_key_md5,
    );
    Ok(GetOptions {
        range: input.range.as_ref().map(range).transpose()?,
        version_id: input.version_id.clone(),
        if_match: input.if_match.as_ref().map(etag_condition),
        if_none_match: input.if_none_match.as_ref().map(etag_condition),
        if_modified_since: input.if_modified_since.as_ref().and_then(seconds),
        if_unmodified_since: input.if_unmodified_since.as_ref().and_then(seconds),
    })
}

pub(super) fn of_head(input: &HeadObjectInput) -> S3Result<GetOptions> {
    refuse!(
        input,
        expected_bucket_owner,
        part_number,
        sse_customer_algorithm,
        sse_customer_key,
        sse_customer_key_md5,
    );
    Ok(GetOptions {
        range: input.range.as_ref().map(range).transpose()?,
        version_id: input.version_id.clone(),
        if_match: input.if_match.as_ref().map(etag_condition),
        if_none_match: input.if_none_match.as_ref().map(etag_condition),
        if_modified_since: input.if_modified_since.as_ref().and_then(seconds),
        if_unmodified_since: input.if_unmodified_since.as_ref().and_then(seconds),
    })
}

/// What a put and a copy call by the same names.
macro_rules! write_options {
    ($input:expr, $condition:expr, $checksum:expr) => {{
        let input = $input;
        refuse!(
            input,
            bucket_key_enabled,
            expected_bucket_owner,
            grant_full_control,
            grant_read,
            grant_read_acp,
            grant_write_acp,
            object_lock_legal_hold_status,
            object_lock_mode,
            object_lock_retain_until_date,
            sse_customer_algorithm,
            sse_customer_key,
            sse_customer_key_md5,
            ssekms_encryption_context,
            website_redirect_location,
        );
        PutOptions {
            content: ContentHeaders {
                content_type: input.content_type.clone(),
                content_encoding: input.content_encoding.clone(),
                content_disposition: input.content_disposition.clone(),
                content_language: input.content_language.clone(),
                cache_control: input.cache_control.clone(),
                expires: input.expires.as_ref().and_then(http_date),
            },
            metadata: input.metadata.clone().unwrap_or_default().into_iter().collect(),
            tags: tags(input.tagging.as_deref()),
            condition: $condition,
            checksum: $checksum,
            storage_class: input.storage_class.as_ref().map(|class| class.as_str().to_owned()),
            encryption: encryption(
                input.server_side_encryption.as_ref().map(|sse| sse.as_str()),
                input.ssekms_key_id.clone(),
            )?,
            acl: input.acl.as_ref().map(|acl| acl.as_str().to_owned()),
        }
    }};
}

pub(super) fn of_put(
    input: &PutObjectInput,
    checksum: Option<ChecksumAlgorithm>,
) -> S3Result<PutOptions> {
    refuse!(input, write_offset_bytes);
    let condition = write_condition(input.if_match.as_ref(), input.if_none_match.as_ref())?;
    Ok(write_options!(input, condition, checksum))
}

pub(super) fn of_copy(input: &CopyObjectInput, headers: &HeaderMap) -> S3Result<PutOptions> {
    refuse!(
        input,
        copy_source_sse_customer_algorithm,
        copy_source_sse_customer_key,
        copy_source_sse_customer_key_md5,
        expected_source_bucket_owner,
    );
    let checksum = match input.checksum_algorithm.as_ref().map(s3s::dto::ChecksumAlgorithm::as_str)
    {
        None => None,
        Some("CRC32") => Some(ChecksumAlgorithm::Crc32),
        Some("CRC32C") => Some(ChecksumAlgorithm::Crc32c),
        Some("CRC64NVME") => Some(ChecksumAlgorithm::Crc64Nvme),
        Some("SHA256") => Some(ChecksumAlgorithm::Sha256),
        Some(other) => return Err(s3_error!(NotImplemented, "no {other} checksums here")),
    };
    // s3s does not know conditions on a copy's destination, so they are read here.
    let condition = |name: &str| -> S3Result<Option<ETagCondition>> {
        let Some(value) = headers.get(name) else {
            return Ok(None);
        };
        ETagCondition::parse_http_header(value.as_bytes())
            .map(Some)
            .map_err(|e| s3_error!(e, InvalidArgument, "invalid {name}"))
    };
    let condition =
        write_condition(condition("if-match")?.as_ref(), condition("if-none-match")?.as_ref())?;
    let mut options = write_options!(input, condition, checksum);
    let replaces = |directive: Option<&str>| directive == Some("REPLACE");
    let metadata =
        replaces(input.metadata_directive.as_ref().map(s3s::dto::MetadataDirective::as_str));
    let tagging =
        replaces(input.tagging_directive.as_ref().map(s3s::dto::TaggingDirective::as_str));
    if !metadata {
        // Without the directive S3 takes the source's, whatever the request says besides.
        options.content = ContentHeaders::default();
        options.metadata = Vec::new();
        options.tags = Vec::new();
    }
    // An `S3Client` replaces both or neither, and cannot be told to replace by nothing.
    if metadata != tagging || metadata != options.describes() {
        return Err(s3_error!(
            NotImplemented,
            "this server replaces metadata and tags together, and by at least one value"
        ));
    }
    Ok(options)
}

/// The conditions on a copy's source; none where there are none.
pub(super) fn of_copy_source(input: &CopyObjectInput) -> Option<GetOptions> {
    let options = GetOptions {
        if_match: input.copy_source_if_match.as_ref().map(etag_condition),
        if_none_match: input.copy_source_if_none_match.as_ref().map(etag_condition),
        if_modified_since: input.copy_source_if_modified_since.as_ref().and_then(seconds),
        if_unmodified_since: input.copy_source_if_unmodified_since.as_ref().and_then(seconds),
        ..GetOptions::default()
    };
    (options != GetOptions::default()).then_some(options)
}

pub(super) fn etag_condition(condition: &ETagCondition) -> String {
    match condition {
        ETagCondition::Any => "*".to_owned(),
        ETagCondition::ETag(ETag::Strong(etag)) => etag.clone(),
        ETagCondition::ETag(ETag::Weak(etag)) => format!("W/\"{etag}\""),
    }
}

fn write_condition(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<WriteCondition> {
    match (if_match, if_none_match) {
        (None, None) => Ok(WriteCondition::Unconditional),
        (None, Some(ETagCondition::Any)) => Ok(WriteCondition::IfAbsent),
        (Some(condition), None) => Ok(WriteCondition::IfMatch(etag_condition(condition))),
        // S3 says the same of an If-None-Match with an etag, and of both together.
        _ => Err(s3_error!(
            NotImplemented,
            "A header you provided implies functionality that is not implemented"
        )),
    }
}

fn range(range: &Range) -> S3Result<ByteRange> {
    match *range {
        Range::Int { first, last: Some(last) } => Ok(ByteRange::Closed(first, last)),
        Range::Int { first, last: None } => Ok(ByteRange::From(first)),
        Range::Suffix { length: 0 } => Err(s3_error!(InvalidRange)),
        Range::Suffix { length } => Ok(ByteRange::Last(length)),
    }
}

fn tags(header: Option<&str>) -> Vec<(String, String)> {
    let header = header.unwrap_or_default();
    url::form_urlencoded::parse(header.as_bytes()).into_owned().collect()
}

fn encryption(name: Option<&str>, key: Option<String>) -> S3Result<Option<Encryption>> {
    match (name, key) {
        (None, None) => Ok(None),
        (Some("AES256"), None) => Ok(Some(Encryption::S3Managed)),
        (Some("aws:kms"), key) => Ok(Some(Encryption::Kms(key))),
        _ => Err(s3_error!(NotImplemented, "this server knows AES256 and aws:kms")),
    }
}

/// As a header has it.
fn http_date(timestamp: &Timestamp) -> Option<String> {
    let mut text = Vec::new();
    timestamp.format(TimestampFormat::HttpDate, &mut text).ok()?;
    String::from_utf8(text).ok()
}

/// Whole seconds since the Unix epoch; a date before it is no condition that any
/// object could tell from the epoch itself.
fn seconds(timestamp: &Timestamp) -> Option<u64> {
    let mut text = Vec::new();
    timestamp.format(TimestampFormat::EpochSeconds, &mut text).ok()?;
    let text = String::from_utf8(text).ok()?;
    let whole = text.split('.').next()?;
    if whole.starts_with('-') { Some(0) } else { whole.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_become_seconds() {
        let seconds = |date: &str| {
            seconds(&Timestamp::parse(TimestampFormat::HttpDate, date).unwrap()).unwrap()
        };
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), 784_111_777);
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
        assert_eq!(seconds("Wed, 31 Dec 1969 23:59:59 GMT"), 0);
    }

    #[test]
    fn tags_are_decoded() {
        assert_eq!(
            tags(Some("a=1&b%20c=%C3%BC+x&d=")),
            [("a", "1"), ("b c", "ü x"), ("d", "")].map(|(k, v)| (k.to_owned(), v.to_owned()))
        );
        assert!(tags(None).is_empty());
    }
}
