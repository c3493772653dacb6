/// The media types that one entry of the setting `content-types` allows:
/// `text/x-diff`, `image/*`, `*/*`.
///
/// Upper and lower case are the same, and parameters (`; charset=utf-8`) do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaRange {
    kind: String,
    subtype: String,
}

impl MediaRange {
    /// None where the text is no `type/subtype`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, subtype) = parts(text)?;
        Some(Self { kind: kind.to_ascii_lowercase(), subtype: subtype.to_ascii_lowercase() })
    }

    /// Whether an artifact of this content type is allowed.
    ///
    /// A value with a comma never is: browsers take it for several, and may believe
    /// another one than the one that was looked at.
    #[must_use]
    pub fn allows(&self, content_type: &str) -> bool {
        if content_type.contains(',') {
            return false;
        }
        let without_parameters = content_type.split(';').next().unwrap_or_default();
        let fits = |own: &str, given: &str| own == "*" || own.eq_ignore_ascii_case(given);
        parts(without_parameters.trim())
            .is_some_and(|(kind, subtype)| fits(&self.kind, kind) && fits(&self.subtype, subtype))
    }
}

/// Type and subtype, each of them an HTTP token.
fn parts(text: &str) -> Option<(&str, &str)> {
    let (kind, subtype) = text.split_once('/')?;
    let token = |text: &str| !text.is_empty() && text.bytes().all(is_token);
    (token(kind) && token(subtype)).then_some((kind, subtype))
}

/// Source: RFC 9110, 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(range: &str, content_type: &str) -> bool {
        MediaRange::parse(range).unwrap().allows(content_type)
    }

    #[test]
    fn a_type_allows_itself() {
        assert!(allows("text/x-diff", "text/x-diff"));
        assert!(allows("Text/X-Diff", "text/x-DIFF"));
        assert!(allows("text/plain", "text/plain; charset=utf-8"));
        assert!(allows("text/plain", " text/plain ;charset=utf-8"));
        assert!(allows("image/svg+xml", "image/svg+xml"));
        assert!(!allows("text/plain", "text/plainer"));
        assert!(!allows("text/plain", "text/html"));
        assert!(!allows("text/plain", "xtext/plain"));
    }

    #[test]
    fn a_star_allows_every_subtype() {
        assert!(allows("image/*", "image/png"));
        assert!(allows("*/*", "text/html"));
        assert!(!allows("image/*", "text/html"));
        assert!(!allows("image/*", "imagery/png"));
    }

    #[test]
    fn what_is_no_media_type_is_not_allowed_by_any() {
        for content_type in [
            "",
            "image",
            "image/",
            "/png",
            "image/a/b",
            "image/p ng",
            "; image/png",
            "image/png, text/html",
            "image/png;x=1, text/html",
        ] {
            assert!(!allows("image/*", content_type), "{content_type:?}");
            assert!(!allows("*/*", content_type), "{content_type:?}");
        }
    }

    #[test]
    fn a_range_is_a_type_and_a_subtype() {
        for text in ["", "image", "image/", "/*", "a/b/c", "text/plain; charset=utf-8", "a b/c"] {
            assert_eq!(MediaRange::parse(text), None, "{text:?}");
        }
    }
}
