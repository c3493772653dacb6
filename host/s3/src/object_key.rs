use std::fmt;

/// The full key of an object, prefix and all.
///
/// - 1 to 1,024 bytes of UTF-8 ([S3's limit][limit]);
/// - no segment between slashes is `.` or `..`: HTTP libraries and proxies remove
///   such segments, percent-encoded or not, and the request would go elsewhere;
/// - no control characters (U+0000 to U+001F, U+007F, U+0080 to U+009F): XML,
///   headers and terminals cannot carry them.
///
/// Everything else is kept to the byte: `a//b`, spaces, `+`, `?`, `#`, `%2F`.
///
/// [limit]: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
///
/// ```
/// use artifact_s3::ObjectKey;
///
/// assert_eq!(ObjectKey::parse("asm/a//b?c").unwrap().as_str(), "asm/a//b?c");
/// assert!(ObjectKey::parse("asm/../secret").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// The longest key that S3 takes, in bytes.
    pub const MAX_BYTES: usize = 1024;

    /// Checks a key against the rules.
    pub fn parse(key: impl Into<String>) -> Result<Self, InvalidKey> {
        let key = key.into();
        if key.is_empty() {
            return Err(InvalidKey::Empty);
        }
        if key.len() > Self::MAX_BYTES {
            return Err(InvalidKey::TooLong { bytes: key.len() });
        }
        if key.chars().any(char::is_control) {
            return Err(InvalidKey::ControlCharacter);
        }
        if key.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(InvalidKey::DotSegment);
        }
        Ok(Self(key))
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The rule that a key breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// The key has no bytes.
    #[error("the key is empty")]
    Empty,
    /// Prefix and key together are longer than [`ObjectKey::MAX_BYTES`].
    #[error("the key has {bytes} bytes with its prefix, and S3 takes at most 1024")]
    TooLong {
        /// Length of prefix and key in bytes.
        bytes: usize,
    },
    /// A segment is `.` or `..`.
    #[error("a segment of the key is `.` or `..`, which would lead out of its place")]
    DotSegment,
    /// The key holds NUL or another control character.
    #[error("the key holds a control character")]
    ControlCharacter,
    /// The key begins with `/` and no prefix stands before it.
    #[error("the key begins with `/` and there is no prefix before it")]
    LeadingSlash,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_keys_are_kept_to_the_byte() {
        for key in [
            "a//b",
            "a b",
            "a+b",
            "k?acl",
            "k#frag",
            "%2F",
            "%2e%2e/x",
            "a&b=c",
            "ключ/键",
            "...",
            "a/.hidden",
            "a/..b",
            "/a",
            "a/",
            "~",
            "*",
        ] {
            assert_eq!(ObjectKey::parse(key).unwrap().as_str(), key);
        }
    }

    #[test]
    fn each_broken_rule_is_named() {
        assert_eq!(ObjectKey::parse(""), Err(InvalidKey::Empty));
        assert!(ObjectKey::parse("x".repeat(1024)).is_ok());
        assert_eq!(ObjectKey::parse("x".repeat(1025)), Err(InvalidKey::TooLong { bytes: 1025 }));
        for key in [".", "..", "x/..", "../x", "a/./b", "a/../b"] {
            assert_eq!(ObjectKey::parse(key), Err(InvalidKey::DotSegment), "{key}");
        }
        for key in ["a\0", "a\nb", "\u{7f}", "\u{85}"] {
            assert_eq!(ObjectKey::parse(key), Err(InvalidKey::ControlCharacter), "{key:?}");
        }
    }
}
