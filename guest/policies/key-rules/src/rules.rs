use crate::{Glob, MediaRange};

/// Which keys may be named, and what an artifact must be like to be put.
///
/// [`Rules::parse`] reads them from the settings; without any, everything is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Setting `allow`: a key must be like one of these. None allows every key.
    pub(crate) allow: Option<Vec<Glob>>,
    /// Setting `deny`: a key must be like none of these, allowed or not.
    pub(crate) deny: Vec<Glob>,
    /// Setting `max-bytes`.
    pub(crate) max_bytes: Option<u64>,
    /// Setting `require-metadata`: names in lower case.
    pub(crate) metadata: Vec<String>,
    /// Setting `content-types`: the content type must be one of these.
    pub(crate) content_types: Option<Vec<MediaRange>>,
}

/// What the rules look at in an artifact that is to be put.
#[derive(Clone, Copy, Debug)]
pub struct Put<'a> {
    /// Its length in bytes, where it is known.
    pub length: Option<u64>,
    /// The names and values of its metadata.
    pub metadata: &'a [(String, String)],
    /// Its content type.
    pub content_type: Option<&'a str>,
}

/// Longest content type that a refusal repeats, in characters.
const SHOWN: usize = 100;

impl Rules {
    /// Whether the key may be named at all; if not, why.
    pub fn check_key(&self, key: &str) -> Result<(), String> {
        if let Some(pattern) = self.deny.iter().find(|pattern| pattern.matches(key)) {
            return Err(["the setting `deny` refuses keys like `", pattern.text(), "`"].concat());
        }
        match &self.allow {
            Some(allow) if !allow.iter().any(|pattern| pattern.matches(key)) => {
                Err("the setting `allow` has no pattern for this key".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Whether the artifact may be put under the key; if not, why.
    pub fn check_put(&self, key: &str, put: Put<'_>) -> Result<(), String> {
        self.check_key(key)?;
        self.check_length(put.length)?;
        self.check_metadata(put.metadata)?;
        self.check_content_type(put.content_type)
    }

    /// Whether a listing shows what its delimiter gathered: not where the rules allow
    /// no key that begins so, which would give away that there are such keys.
    #[must_use]
    pub fn shows_beneath(&self, common_prefix: &str) -> bool {
        let denied = self.deny.iter().any(|pattern| pattern.matches_all_beneath(common_prefix));
        let allowed = self.allow.as_ref().is_none_or(|allow| {
            allow.iter().any(|pattern| pattern.may_match_beneath(common_prefix))
        });
        allowed && !denied
    }

    fn check_length(&self, length: Option<u64>) -> Result<(), String> {
        let Some(most) = self.max_bytes else { return Ok(()) };
        let found = match length {
            Some(length) if length <= most => return Ok(()),
            Some(length) => ["the body has ", &length.to_string()].concat(),
            // The host holds a body to the length that it says, so it must say one.
            None => "the body does not say how many it has".to_owned(),
        };
        Err(["the setting `max-bytes` allows ", &most.to_string(), " bytes, and ", &found].concat())
    }

    fn check_metadata(&self, metadata: &[(String, String)]) -> Result<(), String> {
        let missing = self
            .metadata
            .iter()
            .find(|name| !metadata.iter().any(|(given, _)| given.eq_ignore_ascii_case(name)));
        match missing {
            Some(name) => Err(["the setting `require-metadata` asks for `", name, "`"].concat()),
            None => Ok(()),
        }
    }

    fn check_content_type(&self, content_type: Option<&str>) -> Result<(), String> {
        let Some(allowed) = &self.content_types else { return Ok(()) };
        let Some(given) = content_type else {
            return Err("the setting `content-types` asks for a content type".to_owned());
        };
        if allowed.iter().any(|range| range.allows(given)) {
            return Ok(());
        }
        let shown: String = given.chars().take(SHOWN).collect();
        Err(["the setting `content-types` does not allow `", &shown, "`"].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules<const N: usize>(settings: [(&str, &str); N]) -> Rules {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Rules::parse(&settings.map(own)).unwrap()
    }

    const PUT: Put<'static> = Put { length: None, metadata: &[], content_type: None };

    #[test]
    fn without_rules_everything_is_allowed() {
        let rules = Rules::default();
        assert_eq!(rules.check_put("any/key", PUT), Ok(()));
        assert!(rules.shows_beneath("any/"));
    }

    #[test]
    fn a_key_must_be_allowed_and_not_denied() {
        let rules = rules([("allow", "runs/**,*.txt"), ("deny", "**/secret*")]);
        for key in ["runs/1/log", "runs/", "a.txt"] {
            assert_eq!(rules.check_key(key), Ok(()), "{key}");
        }
        for key in ["other", "a/b.txt", "runs", "Runs/1", ""] {
            let reason = "the setting `allow` has no pattern for this key";
            assert_eq!(rules.check_key(key), Err(reason.to_owned()), "{key}");
        }
        let reason = "the setting `deny` refuses keys like `**/secret*`";
        assert_eq!(rules.check_key("runs/secret-1"), Err(reason.to_owned()));
        assert_eq!(rules.check_put("runs/secret-1", PUT), Err(reason.to_owned()));
    }

    #[test]
    fn a_body_must_say_its_length_and_keep_to_it() {
        let rules = rules([("max-bytes", "10")]);
        let check = |length| rules.check_put("k", Put { length, ..PUT });
        assert_eq!(check(Some(0)), Ok(()));
        assert_eq!(check(Some(10)), Ok(()));
        assert_eq!(
            check(Some(11)).unwrap_err(),
            "the setting `max-bytes` allows 10 bytes, and the body has 11"
        );
        assert_eq!(
            check(None).unwrap_err(),
            "the setting `max-bytes` allows 10 bytes, and the body does not say how many it has"
        );
    }

    #[test]
    fn metadata_that_is_asked_for_must_be_there() {
        let rules = rules([("require-metadata", "owner,Run")]);
        let check = |names: &[&str]| {
            let metadata: Vec<_> =
                names.iter().map(|name| ((*name).to_owned(), "v".to_owned())).collect();
            rules.check_put("k", Put { metadata: &metadata, ..PUT })
        };
        assert_eq!(check(&["run", "other", "OWNER"]), Ok(()));
        let missing = |name| Err(format!("the setting `require-metadata` asks for `{name}`"));
        assert_eq!(check(&[]), missing("owner"));
        assert_eq!(check(&["owner"]), missing("run"));
    }

    #[test]
    fn the_content_type_must_be_one_of_the_list() {
        let rules = rules([("content-types", "text/x-diff,image/*")]);
        let check = |content_type| rules.check_put("k", Put { content_type, ..PUT });
        assert_eq!(check(Some("text/x-diff")), Ok(()));
        assert_eq!(check(Some("image/png")), Ok(()));
        assert_eq!(
            check(Some("text/html")).unwrap_err(),
            "the setting `content-types` does not allow `text/html`"
        );
        assert_eq!(check(None).unwrap_err(), "the setting `content-types` asks for a content type");
        assert!(check(Some(&"x".repeat(4096))).unwrap_err().len() < 200);
    }

    #[test]
    fn what_holds_no_allowed_key_is_not_shown() {
        let denying = rules([("deny", "secret/**,half/*")]);
        assert!(!denying.shows_beneath("secret/"));
        assert!(!denying.shows_beneath("secret/deep/"));
        assert!(denying.shows_beneath("half/"));
        assert!(denying.shows_beneath("other/"));
        let allowing = rules([("allow", "runs/*/log")]);
        assert!(allowing.shows_beneath("runs/"));
        assert!(allowing.shows_beneath("runs/1/"));
        assert!(!allowing.shows_beneath("runs/1/logs/"));
        assert!(!allowing.shows_beneath("other/"));
    }
}
