/// The longest name of a tenant, in bytes.
pub const MAX_NAME_BYTES: usize = 64;

/// One tenant, and the place that its artifacts have.
///
/// - The name has 1 to [`MAX_NAME_BYTES`] ASCII letters, digits, `-` and `_`, so
///   it holds no `/` and is neither `.` nor `..`: no tenant's place lies in
///   another's, and no two are told apart by anything but plain letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The name, and a slash.
    prefix: String,
}

impl Tenant {
    /// The tenant of the setting `tenant`, as it was read.
    pub fn parse(setting: Option<&str>) -> Result<Self, InvalidTenant> {
        let name = setting.ok_or(InvalidTenant::Missing)?;
        if name.is_empty() {
            return Err(InvalidTenant::Missing);
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(InvalidTenant::TooLong);
        }
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return Err(InvalidTenant::Character);
        }
        Ok(Self { prefix: [name, "/"].concat() })
    }

    /// The key that the next store knows the tenant's artifact by.
    ///
    /// Refuses what could lead out of the tenant's place, or name the place itself.
    /// Every other rule of keys (length, control characters) is the next store's
    /// to apply: it alone knows what else it puts before the key.
    pub fn key(&self, key: &str) -> Result<String, InvalidKey> {
        if key.is_empty() {
            return Err(InvalidKey::Empty);
        }
        let joined = self.joined(key);
        if joined.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(InvalidKey::DotSegment);
        }
        Ok(joined)
    }

    /// A listing's prefix, or the key that it starts after, for the next store.
    ///
    /// Stores compare these as plain text and not as paths: with the tenant's place
    /// in front none of them can reach beyond it, whatever segments they hold.
    #[must_use]
    pub fn joined(&self, text: &str) -> String {
        [&self.prefix, text].concat()
    }

    /// The key, or the common prefix, as the tenant knows it.
    ///
    /// None for what is not the tenant's to see: what lies outside its place, and an
    /// object that is called exactly as the place, which no key leads to.
    #[must_use]
    pub fn own(&self, mut key: String) -> Option<String> {
        if !key.starts_with(&self.prefix) || key.len() == self.prefix.len() {
            return None;
        }
        key.drain(..self.prefix.len());
        Some(key)
    }
}

/// Why the setting `tenant` names no tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidTenant {
    /// It is not there, or empty.
    Missing,
    /// It is longer than [`MAX_NAME_BYTES`].
    TooLong,
    /// It holds something other than ASCII letters, digits, `-` and `_`.
    Character,
}

impl InvalidTenant {
    /// The rule in words, without the name: a broken one may not be fit to print.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Missing => "the setting `tenant` is missing: give the policy its tenant's name",
            Self::TooLong => {
                "the setting `tenant` is longer than 64 bytes: give a shorter name of letters, \
                 digits, `-` and `_`"
            }
            Self::Character => {
                "the setting `tenant` may hold letters, digits, `-` and `_` only: give a name of \
                 these"
            }
        }
    }
}

/// The rule that a key breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidKey {
    /// The key has no bytes.
    Empty,
    /// A segment between slashes is `.` or `..`.
    DotSegment,
}

impl InvalidKey {
    /// The rule in words, without the key.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Empty => "invalid key: the key is empty",
            Self::DotSegment => {
                "invalid key: a segment of the key is `.` or `..`, which would lead out of its \
                 tenant's place"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acme() -> Tenant {
        Tenant::parse(Some("acme")).unwrap()
    }

    #[test]
    fn a_name_has_letters_digits_dashes_and_underscores() {
        for name in ["a", "Acme-2_b", "0", "-", "_", &"x".repeat(64)] {
            assert_eq!(Tenant::parse(Some(name)).unwrap().key("k").unwrap(), format!("{name}/k"));
        }
        assert_eq!(Tenant::parse(None), Err(InvalidTenant::Missing));
        assert_eq!(Tenant::parse(Some("")), Err(InvalidTenant::Missing));
        assert_eq!(Tenant::parse(Some(&"x".repeat(65))), Err(InvalidTenant::TooLong));
        for name in ["a/b", ".", "..", "a.b", "a b", " a", "a\n", "a\0", "é", "a*", "а"] {
            assert_eq!(Tenant::parse(Some(name)), Err(InvalidTenant::Character), "{name:?}");
        }
    }

    #[test]
    fn keys_get_the_tenant_in_front_and_nothing_else() {
        for key in ["k", "a//b", "/x", "k?acl", "%2e%2e/x", "...", "a/..b", "a/", "other/x", " "] {
            assert_eq!(acme().key(key).unwrap(), format!("acme/{key}"));
        }
    }

    #[test]
    fn no_key_leaves_the_tenants_place() {
        for key in ["..", ".", "../other/x", "a/../../other/x", "a/./b", "x/..", "/..", "a/."] {
            assert_eq!(acme().key(key), Err(InvalidKey::DotSegment), "{key:?}");
        }
        assert_eq!(acme().key(""), Err(InvalidKey::Empty));
    }

    #[test]
    fn what_a_listing_asks_for_begins_with_the_tenant() {
        for text in ["", "runs/", "../other/"] {
            assert_eq!(acme().joined(text), format!("acme/{text}"));
        }
    }

    #[test]
    fn what_is_shown_is_the_tenants_own() {
        let own = |key: &str| acme().own(key.to_owned());
        assert_eq!(own("acme/a/b").as_deref(), Some("a/b"));
        assert_eq!(own("acme/acme/a").as_deref(), Some("acme/a"));
        assert_eq!(own("acme/é").as_deref(), Some("é"));
        for other in ["acme/", "acme", "", "acme2/a", "other/acme/a", "ACME/a", "/acme/a"] {
            assert_eq!(own(other), None, "{other:?}");
        }
    }

    #[test]
    fn each_message_names_its_rule() {
        for rule in [InvalidTenant::Missing, InvalidTenant::TooLong, InvalidTenant::Character] {
            assert!(rule.message().starts_with("the setting `tenant` "), "{rule:?}");
        }
        assert!(InvalidTenant::TooLong.message().contains(&MAX_NAME_BYTES.to_string()));
        assert!(InvalidKey::Empty.message().contains("empty"));
        assert!(InvalidKey::DotSegment.message().contains("`..`"));
    }
}
