use crate::MAX_KEY_BYTES;

/// The prefix, or the key to start after, as S3 is asked for it.
///
/// S3 compares these as plain text and not as paths, so with the store's prefix
/// in front none of them can reach beyond it, whatever segments they hold.
pub fn object_prefix(prefix: &str, asked: &str) -> Result<String, InvalidListing> {
    let joined = [prefix, asked].concat();
    if joined.len() > MAX_KEY_BYTES {
        return Err(InvalidListing::TooLong);
    }
    if joined.chars().any(char::is_control) {
        return Err(InvalidListing::ControlCharacter);
    }
    Ok(joined)
}

/// The key that the caller knows an object by.
///
/// None for what is not the store's to show: an object outside the prefix, and
/// one that is called exactly as the prefix (the "folders" that some consoles
/// make), which no key leads to.
#[must_use]
pub fn artifact_key(prefix: &str, mut object_key: String) -> Option<String> {
    if !object_key.starts_with(prefix) || object_key.len() == prefix.len() {
        return None;
    }
    object_key.drain(..prefix.len());
    Some(object_key)
}

/// Why S3 cannot be asked for a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidListing {
    /// With the store's prefix it is longer than [`MAX_KEY_BYTES`].
    TooLong,
    /// It holds NUL or another control character.
    ControlCharacter,
}

impl InvalidListing {
    /// The rule in words.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::TooLong => {
                "invalid listing: with the store's prefix the prefix or start is longer than 1024 \
                 bytes"
            }
            Self::ControlCharacter => {
                "invalid listing: the prefix or start holds a control character"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stores_prefix_is_always_in_front() {
        assert_eq!(object_prefix("asm/", "").unwrap(), "asm/");
        assert_eq!(object_prefix("asm/", "patch-").unwrap(), "asm/patch-");
        assert_eq!(object_prefix("asm/", "../x").unwrap(), "asm/../x");
        assert_eq!(object_prefix("", "").unwrap(), "");
    }

    #[test]
    fn what_s3_cannot_be_asked_is_refused() {
        assert!(object_prefix("asm/", &"x".repeat(1020)).is_ok());
        assert_eq!(object_prefix("asm/", &"x".repeat(1021)), Err(InvalidListing::TooLong));
        assert_eq!(object_prefix("asm/", "a\0"), Err(InvalidListing::ControlCharacter));
    }

    #[test]
    fn keys_come_back_without_the_prefix() {
        let key = |prefix, object: &str| artifact_key(prefix, object.to_owned());
        assert_eq!(key("asm/", "asm/a/b").as_deref(), Some("a/b"));
        assert_eq!(key("asm/", "asm/asm/a").as_deref(), Some("asm/a"));
        assert_eq!(key("", "a").as_deref(), Some("a"));
        assert_eq!(key("é/", "é/ü").as_deref(), Some("ü"));
    }

    #[test]
    fn nothing_outside_the_prefix_is_shown() {
        for object in ["other/x", "as", "", "ASM/x", "/asm/x"] {
            assert_eq!(artifact_key("asm/", object.to_owned()), None, "{object}");
        }
    }

    #[test]
    fn an_object_called_as_the_prefix_is_not_shown() {
        assert_eq!(artifact_key("asm/", "asm/".to_owned()), None);
    }
}
