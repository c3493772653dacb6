use std::fmt;

/// The name of a bucket.
///
/// - 3 to 63 bytes;
/// - letters, digits, `.`, `-` and `_` (AWS allows only lower case and no `_`;
///   older buckets and other services do);
/// - first and last are a letter or a digit, and no two dots follow each other.
///
/// So a bucket's name can never be mistaken for a path or another host.
/// Source: [bucket naming rules][rules].
///
/// [rules]: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
///
/// ```
/// use artifact_s3::Bucket;
///
/// assert_eq!(Bucket::parse("my-artifacts").unwrap().as_str(), "my-artifacts");
/// assert!(Bucket::parse("../other").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bucket(String);

impl Bucket {
    /// Checks a name against the rules.
    pub fn parse(name: impl Into<String>) -> Result<Self, InvalidBucket> {
        let name = name.into();
        match broken_rule(&name) {
            None => Ok(Self(name)),
            Some(rule) => Err(InvalidBucket { name, rule }),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn broken_rule(name: &str) -> Option<&'static str> {
    let at_edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if !(3..=63).contains(&name.len()) {
        Some("must be 3 to 63 bytes long")
    } else if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')) {
        Some("may hold only letters, digits, `.`, `-` and `_`")
    } else if !at_edge(name.chars().next()) || !at_edge(name.chars().last()) {
        Some("must begin and end with a letter or a digit")
    } else if name.contains("..") {
        Some("must not hold two dots in a row")
    } else {
        None
    }
}

/// A name that no bucket can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid bucket name {name:?}: it {rule}")]
pub struct InvalidBucket {
    name: String,
    rule: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_buckets_have_are_accepted() {
        for name in ["abc", "my-artifacts", "a.b.c", "Old_Bucket", "123"] {
            assert!(Bucket::parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn names_that_could_be_a_path_or_a_host_are_refused() {
        for name in
            ["", "ab", "..", "a..b", ".abc", "abc.", "a/b", "a?b", "-abc", "a b", "ä-b", "a\0b"]
        {
            assert!(Bucket::parse(name).is_err(), "{name}");
        }
        assert!(Bucket::parse("x".repeat(64)).is_err());
    }
}
