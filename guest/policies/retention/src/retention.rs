use crate::time::{format_date, parse_date, parse_duration};

const NAMES: &str = "`keep-for` and `keep-until`";

/// Until when artifacts are kept: neither overwritten nor deleted.
///
/// Where both settings are given, the later date counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Setting `keep-for`: seconds after an artifact was last written.
    keep_for: Option<u64>,
    /// Setting `keep-until`: the same date for all, in seconds since the Unix epoch.
    keep_until: Option<u64>,
}

impl Retention {
    /// What the settings say, which come as name and value.
    pub fn parse(settings: &[(String, String)]) -> Result<Self, InvalidSetting> {
        let mut retention = Self::default();
        for (name, value) in settings {
            match name.as_str() {
                "keep-for" => {
                    let duration = parse_duration(value).ok_or_else(|| {
                        let form = "duration, such as `30d`, `12h`, `90m` or `45s`";
                        InvalidSetting::no(name, value, form)
                    })?;
                    retention.keep_for = Some(duration);
                }
                "keep-until" => {
                    let date = parse_date(value).ok_or_else(|| {
                        let form = "date in UTC, such as `2030-01-31` or `2030-01-31T12:00:00Z`";
                        InvalidSetting::no(name, value, form)
                    })?;
                    retention.keep_until = Some(date);
                }
                _ => return Err(InvalidSetting::unknown(name)),
            }
        }
        if retention == Self::default() {
            return Err(InvalidSetting::missing());
        }
        Ok(retention)
    }

    /// Whether an artifact may be overwritten or deleted that was last written then,
    /// in seconds since the Unix epoch, as is `now`; if not, why.
    pub fn check(&self, last_modified: Option<u64>, now: u64) -> Result<(), String> {
        let by_age = match (self.keep_for, last_modified) {
            (Some(seconds), Some(written)) => Some(("keep-for", written.saturating_add(seconds))),
            (Some(_), None) => {
                return Err(
                    "the setting `keep-for` keeps it, because the storage does not say when \
                            it was written"
                        .to_owned(),
                );
            }
            (None, _) => None,
        };
        let by_date = self.keep_until.map(|date| ("keep-until", date));
        let latest = [by_age, by_date].into_iter().flatten().max_by_key(|(_, until)| *until);
        match latest {
            Some((setting, until)) if now < until => {
                Err(["the setting `", setting, "` keeps it until ", &format_date(until)].concat())
            }
            _ => Ok(()),
        }
    }
}

/// A setting that cannot be understood: no call is let through by guesswork.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSetting(String);

impl InvalidSetting {
    fn no(name: &str, value: &str, form: &str) -> Self {
        Self(["the setting `", name, "` is wrong: `", value, "` is no ", form].concat())
    }

    fn unknown(name: &str) -> Self {
        Self(["there is no setting `", name, "`: there are ", NAMES].concat())
    }

    fn missing() -> Self {
        Self(["nothing says how long artifacts are kept: there are the settings ", NAMES].concat())
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

    fn parse<const N: usize>(settings: [(&str, &str); N]) -> Result<Retention, String> {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Retention::parse(&settings.map(own)).map_err(|bad| bad.message().to_owned())
    }

    #[test]
    fn an_artifact_is_kept_for_so_long_after_it_was_written() {
        let retention = parse([("keep-for", "1h")]).unwrap();
        assert_eq!(retention.check(Some(1000), 4600), Ok(()));
        assert_eq!(
            retention.check(Some(1000), 4599).unwrap_err(),
            "the setting `keep-for` keeps it until 1970-01-01T01:16:40Z"
        );
        assert!(retention.check(Some(u64::MAX), u64::MAX - 1).is_err());
        assert_eq!(parse([("keep-for", "0s")]).unwrap().check(Some(1000), 1000), Ok(()));
    }

    #[test]
    fn an_artifact_of_unknown_age_is_kept() {
        let unknown = "the setting `keep-for` keeps it, because the storage does not say when it \
                       was written";
        for settings in [
            [("keep-for", "0s"), ("keep-for", "0s")],
            [("keep-for", "0s"), ("keep-until", "1970-01-01")],
        ] {
            assert_eq!(parse(settings).unwrap().check(None, u64::MAX).unwrap_err(), unknown);
        }
    }

    #[test]
    fn a_date_keeps_all_alike() {
        let retention = parse([("keep-until", "2030-01-31")]).unwrap();
        let date = parse_date("2030-01-31").unwrap();
        for written in [None, Some(0), Some(date - 1), Some(date + 9)] {
            assert_eq!(retention.check(written, date), Ok(()));
            assert_eq!(
                retention.check(written, date - 1).unwrap_err(),
                "the setting `keep-until` keeps it until 2030-01-31T00:00:00Z"
            );
        }
    }

    #[test]
    fn the_later_of_both_counts() {
        let both = [("keep-for", "10s"), ("keep-until", "1970-01-01T00:01:40Z")];
        let retention = parse(both).unwrap();
        assert!(retention.check(Some(0), 99).unwrap_err().starts_with("the setting `keep-until` "));
        assert_eq!(retention.check(Some(0), 100), Ok(()));
        assert!(retention.check(Some(95), 104).unwrap_err().starts_with("the setting `keep-for` "));
        assert_eq!(retention.check(Some(95), 105), Ok(()));
    }

    #[test]
    fn a_setting_that_is_wrong_unknown_or_missing_is_told() {
        assert_eq!(
            parse([("keep-for", "30 days")]).unwrap_err(),
            "the setting `keep-for` is wrong: `30 days` is no duration, such as `30d`, `12h`, `90m` \
             or `45s`"
        );
        assert_eq!(
            parse([("keep-until", "31.1.2030")]).unwrap_err(),
            "the setting `keep-until` is wrong: `31.1.2030` is no date in UTC, such as \
             `2030-01-31` or `2030-01-31T12:00:00Z`"
        );
        assert_eq!(
            parse([("keep", "30d")]).unwrap_err(),
            "there is no setting `keep`: there are `keep-for` and `keep-until`"
        );
        assert_eq!(
            parse([]).unwrap_err(),
            "nothing says how long artifacts are kept: there are the settings `keep-for` and \
             `keep-until`"
        );
    }
}
