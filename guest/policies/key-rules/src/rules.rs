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

/// The longest page of a listing, in keys, that S3 gives.
const LONGEST_PAGE: u32 = 1000;

/// How often a listing may hold a key against a pattern: about half of what the fuel of one
/// call is enough for, by default, with keys of 1,024 bytes. More, and somebody who
/// puts such keys could keep everybody from listing.
const MOST_MATCHES: u32 = 4000;

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

    /// The limit for a page of a listing, where `asked` is the caller's: with many
    /// patterns, pages are shorter and there are more of them.
    #[must_use]
    pub fn page_limit(&self, asked: Option<u32>) -> Option<u32> {
        let patterns = self.deny.len() + self.allow.as_ref().map_or(0, Vec::len);
        let patterns = u32::try_from(patterns).unwrap_or(u32::MAX);
        let most = MOST_MATCHES.checked_div(patterns).unwrap_or(LONGEST_PAGE).max(1);
        if most >= LONGEST_PAGE {
            return asked;
        }
        Some(asked.unwrap_or(LONGEST_PAGE).min(most))
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
    fn many_patterns_make_pages_short() {
        let limits = |patterns| {
            let rules = rules([("deny", vec!["x"; patterns].join(",").as_str())]);
            [None, Some(0), Some(10), Some(1000)].map(|asked| rules.page_limit(asked))
        };
        let as_asked = [None, Some(0), Some(10), Some(1000)];
        assert_eq!(Rules::default().page_limit(None), None);
        assert_eq!(limits(1), as_asked);
        assert_eq!(limits(4), as_asked);
        assert_eq!(limits(5), [Some(800), Some(0), Some(10), Some(800)]);
        assert_eq!(limits(5000), [Some(1), Some(0), Some(1), Some(1)]);
        let both = rules([("deny", "a,b,c,d"), ("allow", "a,b,c,d")]);
        assert_eq!(both.page_limit(None), Some(500));
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
