use crate::{S3Error, S3ErrorKind};

/// The content headers of an object: stored with it, and given back as they were.
///
/// Source: `content-headers` in `wit/types.wit`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentHeaders {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Expires`: until when a cache may keep it, as an HTTP date (`Wed, 21 Oct 2026
    /// 07:28:00 GMT`).
    pub expires: Option<String>,
}

impl ContentHeaders {
    /// Header name and value of each that is set.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("content-type", &self.content_type),
            ("content-encoding", &self.content_encoding),
            ("content-disposition", &self.content_disposition),
            ("content-language", &self.content_language),
            ("cache-control", &self.cache_control),
            ("expires", &self.expires),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    /// Checks everything that S3 or HTTP could not carry, before anything is sent.
    pub fn check(&self) -> Result<(), S3Error> {
        self.iter().try_for_each(|(name, value)| check_value(name, value))?;
        match &self.expires {
            Some(date) if httpdate::parse_http_date(date).is_err() => refuse(format!(
                "expires: {date:?} is no HTTP date; write it as `Wed, 21 Oct 2026 07:28:00 GMT`"
            )),
            _ => Ok(()),
        }
    }
}

/// How an object is written.
///
/// Source: [PutObject](https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutOptions {
    /// Content headers.
    pub content: ContentHeaders,
    /// User metadata (`x-amz-meta-*`): names are HTTP tokens and come back in
    /// lower case; values are printable ASCII; 2 KB in all.
    pub metadata: Vec<(String, String)>,
    /// Tags: at most 10, names of 1 to 128 and values of 0 to 256 characters.
    pub tags: Vec<(String, String)>,
    /// When the write happens at all.
    pub condition: WriteCondition,
    /// The checksum that is sent along, checked by the service and kept with the object.
    pub checksum: Option<ChecksumAlgorithm>,
    /// `x-amz-storage-class`, such as `STANDARD_IA`.
    pub storage_class: Option<String>,
    /// Server-side encryption.
    pub encryption: Option<Encryption>,
    /// Canned ACL (`x-amz-acl`), such as `private`.
    pub acl: Option<String>,
}

/// When a write happens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WriteCondition {
    /// Always.
    #[default]
    Unconditional,
    /// Only if no object has this key (`If-None-Match: *`).
    IfAbsent,
    /// Only over the object that has this etag (`If-Match`).
    IfMatch(String),
}

/// The checksums that S3 keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the algorithms'")]
pub enum ChecksumAlgorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha256,
}

/// Server-side encryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// SSE-S3 (`AES256`).
    S3Managed,
    /// SSE-KMS, with the key's id where one is named.
    Kms(Option<String>),
}

/// What is read, and on which conditions. Also taken by `HeadObject`.
///
/// Source: [GetObject](https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetOptions {
    /// Which bytes; all, if none.
    pub range: Option<ByteRange>,
    /// Which version; the current one, if none.
    pub version_id: Option<String>,
    /// Only if the object has this etag.
    pub if_match: Option<String>,
    /// Only if the object has another etag.
    pub if_none_match: Option<String>,
    /// Only if it was modified since, in seconds since the Unix epoch.
    pub if_modified_since: Option<u64>,
    /// Only if it was not modified since, in seconds since the Unix epoch.
    pub if_unmodified_since: Option<u64>,
}

/// A range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// First and last byte, both included.
    Closed(u64, u64),
    /// From this byte to the end.
    From(u64),
    /// The last so many bytes.
    Last(u64),
}

/// What is deleted, and on which conditions.
///
/// Source: [DeleteObject](https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Which version; none lets S3 decide (a delete marker, where versions are kept).
    pub version_id: Option<String>,
    /// Only if the object has this etag.
    pub if_match: Option<String>,
}

/// What is listed.
///
/// Source: [ListObjectsV2](https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Only keys that begin so. At most 1,024 bytes.
    pub prefix: String,
    /// Keys that hold this after the prefix are gathered under `common_prefixes`.
    pub delimiter: Option<String>,
    /// Only keys after this one.
    pub start_after: Option<String>,
    /// Where the page before said to go on.
    pub continuation: Option<String>,
    /// At most so many keys and common prefixes: 1 to 1,000; 1,000, if none.
    pub limit: Option<u32>,
}

impl PutOptions {
    /// Whether a copy with these options replaces what describes the source.
    #[must_use]
    pub fn describes(&self) -> bool {
        self.content != ContentHeaders::default()
            || !self.metadata.is_empty()
            || !self.tags.is_empty()
    }

    /// Checks everything that S3 or HTTP could not carry, before anything is sent.
    pub fn check(&self) -> Result<(), S3Error> {
        self.content.check()?;
        let mut bytes = 0;
        for (name, value) in &self.metadata {
            if name.is_empty() || !name.bytes().all(is_token) {
                return refuse(format!(
                    "metadata name {name:?} is not an HTTP header name: use letters, digits and `-`"
                ));
            }
            check_value(&format!("metadata {name}"), value)?;
            bytes += name.len() + value.len();
        }
        if bytes > 2048 {
            return refuse(format!("metadata has {bytes} bytes, and S3 takes at most 2048"));
        }
        if self.tags.len() > 10 {
            return refuse(format!("{} tags, and S3 takes at most 10", self.tags.len()));
        }
        for (name, value) in &self.tags {
            if !(1..=128).contains(&name.chars().count()) || value.chars().count() > 256 {
                return refuse(format!(
                    "tag {name:?}: names have 1 to 128 characters, values at most 256"
                ));
            }
        }
        if let WriteCondition::IfMatch(etag) = &self.condition {
            check_value("if-match", etag)?;
        }
        for (name, value) in [
            ("storage-class", &self.storage_class),
            ("acl", &self.acl),
            (
                "kms key id",
                match &self.encryption {
                    Some(Encryption::Kms(id)) => id,
                    _ => &None,
                },
            ),
        ] {
            if let Some(value) = value {
                check_value(name, value)?;
            }
        }
        Ok(())
    }
}

impl GetOptions {
    /// Checks everything that S3 or HTTP could not carry, before anything is sent.
    pub fn check(&self) -> Result<(), S3Error> {
        match self.range {
            Some(ByteRange::Closed(first, last)) if first > last => {
                return refuse(format!("range {first}-{last} ends before it begins"));
            }
            Some(ByteRange::Last(0)) => return refuse("a range of the last 0 bytes".to_owned()),
            _ => {}
        }
        for (name, value) in [
            ("version-id", &self.version_id),
            ("if-match", &self.if_match),
            ("if-none-match", &self.if_none_match),
        ] {
            if let Some(value) = value {
                check_value(name, value)?;
            }
        }
        Ok(())
    }
}

impl DeleteOptions {
    /// Checks everything that S3 or HTTP could not carry, before anything is sent.
    pub fn check(&self) -> Result<(), S3Error> {
        for (name, value) in [("version-id", &self.version_id), ("if-match", &self.if_match)] {
            if let Some(value) = value {
                check_value(name, value)?;
            }
        }
        Ok(())
    }
}

impl ListOptions {
    /// Most entries that one page can hold; S3's own bound.
    pub const MAX_LIMIT: u32 = 1000;

    /// Checks everything that S3 or HTTP could not carry, before anything is sent.
    pub fn check(&self) -> Result<(), S3Error> {
        for (name, value) in [
            ("prefix", Some(&self.prefix)),
            ("delimiter", self.delimiter.as_ref()),
            ("start-after", self.start_after.as_ref()),
        ] {
            let value = value.map_or("", String::as_str);
            if value.len() > crate::ObjectKey::MAX_BYTES || value.chars().any(char::is_control) {
                return refuse(format!(
                    "list {name}: at most 1024 bytes, and no control characters"
                ));
            }
        }
        if self.delimiter.as_deref() == Some("") {
            return refuse("list delimiter: it is empty".to_owned());
        }
        if let Some(token) = &self.continuation
            && (token.is_empty() || token.len() > 8192)
        {
            return refuse("list continuation: 1 to 8192 bytes".to_owned());
        }
        match self.limit {
            Some(limit) if !(1..=Self::MAX_LIMIT).contains(&limit) => {
                refuse(format!("list limit {limit}: it must be 1 to 1000"))
            }
            _ => Ok(()),
        }
    }
}

/// Printable ASCII that HTTP gives back as it was: no blanks at either end.
fn check_value(name: &str, value: &str) -> Result<(), S3Error> {
    let printable = value.bytes().all(|b| (b' '..=b'~').contains(&b));
    if !printable || value.trim() != value || value.len() > 4096 {
        return refuse(format!(
            "{name}: the value must be printable ASCII without blanks at its ends, at most 4096 \
             bytes; encode anything else (percent or base64)"
        ));
    }
    Ok(())
}

/// `token` of RFC 9110, section 5.6.2.
fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

fn refuse(message: String) -> Result<(), S3Error> {
    Err(S3Error::new(S3ErrorKind::InvalidRequest, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_metadata(name: &str, value: &str) -> PutOptions {
        PutOptions { metadata: vec![(name.to_owned(), value.to_owned())], ..Default::default() }
    }

    #[test]
    fn what_http_would_alter_is_refused() {
        assert!(with_metadata("owner", "team a").check().is_ok());
        assert!(with_metadata("a b", "x").check().is_err());
        assert!(with_metadata("", "x").check().is_err());
        assert!(with_metadata("a", "x\r\ny: z").check().is_err());
        assert!(with_metadata("a", " x").check().is_err());
        assert!(with_metadata("a", "ü").check().is_err());
        assert!(with_metadata("a", &"x".repeat(2048)).check().is_err());
    }

    #[test]
    fn expires_is_an_http_date() {
        let expires = |date: &str| {
            ContentHeaders { expires: Some(date.to_owned()), ..Default::default() }.check()
        };
        assert!(expires("Wed, 21 Oct 2026 07:28:00 GMT").is_ok());
        for date in ["", "0", "2026-10-21T07:28:00Z", "Wed, 21 Oct 2026 07:28:00 CEST"] {
            assert!(expires(date).is_err(), "{date}");
        }
    }

    #[test]
    fn ranges_and_limits_that_mean_nothing_are_refused() {
        let range = |range| GetOptions { range: Some(range), ..Default::default() }.check();
        assert!(range(ByteRange::Closed(0, 0)).is_ok());
        assert!(range(ByteRange::Closed(2, 1)).is_err());
        assert!(range(ByteRange::Last(0)).is_err());
        let limit = |limit| ListOptions { limit: Some(limit), ..Default::default() }.check();
        assert!(limit(1).is_ok() && limit(1000).is_ok());
        assert!(limit(0).is_err() && limit(1001).is_err());
    }
}
