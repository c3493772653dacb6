/// The longest object key that S3 takes, in bytes of UTF-8.
///
/// Source: [object keys](https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html).
pub const MAX_KEY_BYTES: usize = 1024;

/// Where the artifact is kept: the prefix and the key, one after the other.
///
/// Nothing is added, removed or escaped, so `a//b`, blanks, `+`, `?`, `#` and
/// `%2F` stay what they are. The rules look at the joined key, because a prefix
/// that ends in `.` and a key that begins with one make a segment together.
pub fn object_key(prefix: &str, key: &str) -> Result<String, InvalidKey> {
    if key.is_empty() {
        return Err(InvalidKey::Empty);
    }
    if prefix.is_empty() && key.starts_with('/') {
        return Err(InvalidKey::LeadingSlash);
    }
    let joined = [prefix, key].concat();
    if joined.len() > MAX_KEY_BYTES {
        return Err(InvalidKey::TooLong);
    }
    if joined.chars().any(char::is_control) {
        return Err(InvalidKey::ControlCharacter);
    }
    if joined.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(InvalidKey::DotSegment);
    }
    Ok(joined)
}

/// The rule that a key breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidKey {
    /// The key has no bytes.
    Empty,
    /// Prefix and key together are longer than [`MAX_KEY_BYTES`].
    TooLong,
    /// A segment between slashes is `.` or `..`: HTTP libraries and proxies
    /// resolve such segments, and the request would go elsewhere.
    DotSegment,
    /// The key begins with `/` and no prefix stands before it.
    LeadingSlash,
    /// The key holds NUL or another control character (U+0000 to U+001F, U+007F
    /// to U+009F), which XML and headers cannot carry.
    ControlCharacter,
}

impl InvalidKey {
    /// The rule in words, without the key: a broken key may not be fit to print.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Empty => "invalid key: the key is empty",
            Self::TooLong => {
                "invalid key: with its prefix the key is longer than 1024 bytes, and S3 takes no \
                 more"
            }
            Self::DotSegment => {
                "invalid key: a segment of the key is `.` or `..`, which would lead out of its \
                 place"
            }
            Self::LeadingSlash => {
                "invalid key: the key begins with `/` and there is no prefix before it"
            }
            Self::ControlCharacter => "invalid key: the key holds a control character",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_and_key_are_joined_and_nothing_else() {
        assert_eq!(object_key("asm/", "patch-abc123").unwrap(), "asm/patch-abc123");
        assert_eq!(object_key("", "patch").unwrap(), "patch");
        assert_eq!(object_key("asm", "patch").unwrap(), "asmpatch");
    }

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
            "a/",
            "~",
            "*",
            "a/…/b",
            " ",
        ] {
            assert_eq!(object_key("", key).unwrap(), key);
            assert_eq!(object_key("asm/", key).unwrap(), format!("asm/{key}"));
        }
    }

    #[test]
    fn an_empty_key_is_refused_whatever_the_prefix() {
        assert_eq!(object_key("", ""), Err(InvalidKey::Empty));
        assert_eq!(object_key("asm/", ""), Err(InvalidKey::Empty));
    }

    #[test]
    fn the_limit_counts_bytes_with_the_prefix_on() {
        assert!(object_key("", &"x".repeat(1024)).is_ok());
        assert!(object_key("asm/", &"x".repeat(1020)).is_ok());
        assert_eq!(object_key("asm/", &"x".repeat(1021)), Err(InvalidKey::TooLong));
        assert!(object_key("", &"é".repeat(512)).is_ok());
        assert_eq!(object_key("", &"é".repeat(513)), Err(InvalidKey::TooLong));
    }

    #[test]
    fn no_key_leaves_its_prefix() {
        for key in [".", "..", "x/..", "../x", "a/./b", "a/../b", "../../other/secret", "/.."] {
            assert_eq!(object_key("asm/", key), Err(InvalidKey::DotSegment), "{key}");
        }
    }

    #[test]
    fn prefix_and_key_cannot_make_a_dot_segment_together() {
        assert_eq!(object_key("asm/.", "."), Err(InvalidKey::DotSegment));
        assert_eq!(object_key(".", "./x"), Err(InvalidKey::DotSegment));
        assert_eq!(object_key("asm/.", "/x"), Err(InvalidKey::DotSegment));
        assert_eq!(object_key("asm/.", "hidden").unwrap(), "asm/.hidden");
    }

    #[test]
    fn a_leading_slash_needs_a_prefix_before_it() {
        assert_eq!(object_key("", "/x"), Err(InvalidKey::LeadingSlash));
        assert_eq!(object_key("asm", "/x").unwrap(), "asm/x");
    }

    #[test]
    fn control_characters_are_refused() {
        for key in ["a\0", "a\nb", "\r", "\u{7f}", "\u{85}"] {
            assert_eq!(object_key("asm/", key), Err(InvalidKey::ControlCharacter), "{key:?}");
        }
    }

    #[test]
    fn each_message_names_its_rule() {
        let messages = [
            (InvalidKey::Empty, "empty"),
            (InvalidKey::TooLong, "1024"),
            (InvalidKey::DotSegment, "`..`"),
            (InvalidKey::LeadingSlash, "begins with `/`"),
            (InvalidKey::ControlCharacter, "control character"),
        ];
        for (rule, word) in messages {
            assert!(rule.message().starts_with("invalid key: "), "{rule:?}");
            assert!(rule.message().contains(word), "{rule:?}");
        }
    }
}
