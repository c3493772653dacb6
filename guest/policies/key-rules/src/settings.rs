use crate::{Glob, MediaRange, Rules};

/// What the policy understands; anything else is a mistake in writing, which would
/// silently allow what it was to forbid.
const NAMES: &str = "`allow`, `deny`, `max-bytes`, `require-metadata`, `content-types`";

impl Rules {
    /// The rules of the settings, which come as name and value.
    pub fn parse(settings: &[(String, String)]) -> Result<Self, InvalidSetting> {
        let mut rules = Self::default();
        for (name, value) in settings {
            match name.as_str() {
                "allow" => rules.allow = Some(patterns(name, value)?),
                "deny" => rules.deny = patterns(name, value)?,
                "max-bytes" => rules.max_bytes = Some(bytes(name, value)?),
                "require-metadata" => {
                    let names = entries(name, value, &[','])?;
                    rules.metadata = names.map(str::to_ascii_lowercase).collect();
                }
                "content-types" => rules.content_types = Some(media_ranges(name, value)?),
                _ => return Err(InvalidSetting::unknown(name)),
            }
        }
        Ok(rules)
    }
}

fn patterns(name: &str, value: &str) -> Result<Vec<Glob>, InvalidSetting> {
    let pattern = |entry| {
        Glob::new(entry)
            .ok_or_else(|| InvalidSetting::because(name, entry, "has more than 127 characters"))
    };
    entries(name, value, &[',', '\n'])?.map(pattern).collect()
}

fn bytes(name: &str, value: &str) -> Result<u64, InvalidSetting> {
    value
        .trim()
        .parse()
        .map_err(|_| InvalidSetting::because(name, value, "is no number of bytes, such as 1048576"))
}

fn media_ranges(name: &str, value: &str) -> Result<Vec<MediaRange>, InvalidSetting> {
    let range = |entry| {
        MediaRange::parse(entry).ok_or_else(|| {
            InvalidSetting::because(
                name,
                entry,
                "is no media type, such as `text/plain` or `image/*`",
            )
        })
    };
    entries(name, value, &[','])?.map(range).collect()
}

/// What stands between the separators, without blanks around it: at least one entry.
fn entries<'a>(
    name: &str,
    value: &'a str,
    separators: &'static [char],
) -> Result<impl Iterator<Item = &'a str>, InvalidSetting> {
    let mut entries =
        value.split(separators).map(str::trim).filter(|entry| !entry.is_empty()).peekable();
    if entries.peek().is_none() {
        return Err(InvalidSetting(
            ["the setting `", name, "` is empty: fill it in, or leave it out"].concat(),
        ));
    }
    Ok(entries)
}

/// A setting that cannot be understood: no call is let through by guesswork.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSetting(String);

impl InvalidSetting {
    fn because(name: &str, value: &str, problem: &str) -> Self {
        Self(["the setting `", name, "` is wrong: `", value, "` ", problem].concat())
    }

    fn unknown(name: &str) -> Self {
        Self(["there is no setting `", name, "`: there are ", NAMES].concat())
    }

    /// What is wrong, and with which setting.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_PATTERN_CHARS;

    fn parse(name: &str, value: &str) -> Result<Rules, String> {
        Rules::parse(&[(name.to_owned(), value.to_owned())]).map_err(|bad| bad.message().to_owned())
    }

    #[test]
    fn no_settings_are_no_rules() {
        assert_eq!(Rules::parse(&[]).unwrap(), Rules::default());
    }

    #[test]
    fn lists_are_cut_at_commas_and_patterns_at_newlines_too() {
        let globs = ["a/*", "b c", "d"].map(|text| Glob::new(text).unwrap()).to_vec();
        assert_eq!(parse("allow", " a/* ,b c,\n\r\n d\n").unwrap().allow, Some(globs.clone()));
        assert_eq!(parse("deny", "a/*\nb c\nd").unwrap().deny, globs);
        assert_eq!(parse("require-metadata", "Owner, run").unwrap().metadata, ["owner", "run"]);
        let ranges = ["text/plain", "image/*"].map(|range| MediaRange::parse(range).unwrap());
        assert_eq!(
            parse("content-types", "text/plain,image/*").unwrap().content_types,
            Some(ranges.to_vec())
        );
    }

    #[test]
    fn a_size_is_a_number_of_bytes() {
        assert_eq!(parse("max-bytes", "0").unwrap().max_bytes, Some(0));
        assert_eq!(parse("max-bytes", " 1048576\n").unwrap().max_bytes, Some(1 << 20));
        for value in ["abc", "", "-1", "1.5", "10MiB", "99999999999999999999"] {
            assert_eq!(
                parse("max-bytes", value).unwrap_err(),
                format!(
                    "the setting `max-bytes` is wrong: `{value}` is no number of bytes, such as \
                     1048576"
                )
            );
        }
    }

    #[test]
    fn an_empty_list_is_refused_and_not_taken_for_no_list() {
        for name in ["allow", "deny", "require-metadata", "content-types"] {
            for value in ["", " ", ",", " , ,"] {
                assert_eq!(
                    parse(name, value).unwrap_err(),
                    format!("the setting `{name}` is empty: fill it in, or leave it out")
                );
            }
        }
    }

    #[test]
    fn a_pattern_that_is_too_long_is_named() {
        let long = "x".repeat(MAX_PATTERN_CHARS + 1);
        assert_eq!(
            parse("deny", &format!("a,{long}")).unwrap_err(),
            format!(
                "the setting `deny` is wrong: `{long}` has more than {MAX_PATTERN_CHARS} characters"
            )
        );
    }

    #[test]
    fn a_media_type_that_is_none_is_named() {
        assert_eq!(
            parse("content-types", "image/*, text").unwrap_err(),
            "the setting `content-types` is wrong: `text` is no media type, such as `text/plain` \
             or `image/*`"
        );
    }

    #[test]
    fn a_setting_that_there_is_not_is_refused() {
        let message = parse("max_bytes", "1").unwrap_err();
        assert!(message.starts_with("there is no setting `max_bytes`: there are `allow`, "));
        assert!(message.contains("`max-bytes`"));
    }
}
