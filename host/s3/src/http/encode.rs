use std::borrow::Cow;

use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode,
};

/// Everything but A-Z a-z 0-9 `-` `_` `.` `~`.
///
/// Source: `UriEncode` in [signing with headers][sigv4].
///
/// [sigv4]: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The same, and slashes stay.
const PATH: &AsciiSet = &QUERY.remove(b'/');

/// A key as it stands in a path, in pieces: every byte is kept, slashes stay slashes.
pub(super) fn path(key: &str) -> PercentEncode<'_> {
    utf8_percent_encode(key, PATH)
}

/// Names and values as `a=1&b=2`, for a query or for `x-amz-tagging`.
pub(super) fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = String::new();
    for (name, value) in pairs {
        if !query.is_empty() {
            query.push('&');
        }
        query.extend(utf8_percent_encode(name, QUERY));
        query.push('=');
        query.extend(utf8_percent_encode(value, QUERY));
    }
    query
}

/// What S3 encoded for `encoding-type=url`: percent-encoding, and `+` for a blank.
pub(super) fn decode_listed(text: &str) -> Option<String> {
    let blanks = text.replace('+', " ");
    percent_decode_str(&blanks).decode_utf8().ok().map(Cow::into_owned)
}

/// An etag as a condition wants it: in quotes. Given with or without them.
pub(super) fn quoted(etag: &str) -> Cow<'_, str> {
    if etag == "*" || etag.starts_with('"') || etag.starts_with("W/") {
        Cow::Borrowed(etag)
    } else {
        Cow::Owned(format!("\"{etag}\""))
    }
}

/// An etag without its quotes, however the service wrote them.
///
/// Some services escape them twice in XML, so that `&quot;` is left when the XML
/// is read.
pub(super) fn unquoted(etag: &str) -> Option<String> {
    let mut etag = Cow::Borrowed(etag.trim());
    if etag.contains('&') {
        etag = Cow::Owned(etag.replace("&quot;", "\"").replace("&#34;", "\""));
    }
    let etag = etag.trim_matches('"');
    (!etag.is_empty()).then(|| etag.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_keeps_slashes_and_encodes_the_rest() {
        let encoded = path("/a//b c+?#%2F&é~._-").to_string();
        assert_eq!(encoded, "/a//b%20c%2B%3F%23%252F%26%C3%A9~._-");
    }

    #[test]
    fn a_query_encodes_slashes_too() {
        assert_eq!(query([("a/b", "c d"), ("e", "")]), "a%2Fb=c%20d&e=");
    }

    #[test]
    fn a_listed_key_is_decoded() {
        assert_eq!(decode_listed("a+b%2Bc%2F%C3%A9").as_deref(), Some("a b+c/é"));
        assert_eq!(decode_listed("%FF"), None);
    }

    #[test]
    fn etags_are_quoted_once_and_unquoted_whole() {
        assert_eq!(quoted("abc"), "\"abc\"");
        assert_eq!(quoted("\"abc\""), "\"abc\"");
        assert_eq!(quoted("*"), "*");
        for etag in ["abc", "\"abc\"", "&quot;abc&quot;", "&#34;abc&#34;"] {
            assert_eq!(unquoted(etag).as_deref(), Some("abc"));
        }
        assert_eq!(unquoted("\"\""), None);
    }
}
