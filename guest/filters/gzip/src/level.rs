use std::fmt;

use flate2::Compression;

/// How hard the encoder tries: the setting `level`, 0 to 9.
///
/// 0 stores the bytes as they are, 1 is the fastest, 9 the smallest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(u32);

impl Default for Level {
    /// 6, as that of `gzip`.
    fn default() -> Self {
        Self(6)
    }
}

impl Level {
    /// The level of the settings, which come as name and value.
    pub fn parse(settings: &[(String, String)]) -> Result<Self, InvalidSetting> {
        let mut level = Self::default();
        for (name, value) in settings {
            if name != "level" {
                return Err(InvalidSetting::Unknown(name.clone()));
            }
            level = match value.trim().parse() {
                Ok(number @ 0..=9) => Self(number),
                _ => return Err(InvalidSetting::Level(value.clone())),
            };
        }
        Ok(level)
    }

    pub(crate) fn compression(self) -> Compression {
        Compression::new(self.0)
    }
}

/// A setting that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidSetting {
    /// The value of `level` is no number from 0 to 9.
    Level(String),
    /// There is no setting of this name.
    Unknown(String),
}

impl fmt::Display for InvalidSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(value) => {
                write!(f, "the setting `level` is wrong: `{value}` is no number from 0 to 9")
            }
            Self::Unknown(name) => write!(f, "there is no setting `{name}`: there is `level`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, value: &str) -> Result<Level, String> {
        Level::parse(&[(name.to_owned(), value.to_owned())]).map_err(|bad| bad.to_string())
    }

    #[test]
    fn the_level_is_a_number_from_0_to_9_and_else_6() {
        assert_eq!(Level::parse(&[]), Ok(Level(6)));
        assert_eq!(parse("level", "0"), Ok(Level(0)));
        assert_eq!(parse("level", " 9\n"), Ok(Level(9)));
        for value in ["10", "-1", "", "fast", "6.5", "4294967296"] {
            assert_eq!(
                parse("level", value).unwrap_err(),
                format!("the setting `level` is wrong: `{value}` is no number from 0 to 9")
            );
        }
    }

    #[test]
    fn a_setting_that_there_is_not_is_refused() {
        assert_eq!(
            parse("levle", "9").unwrap_err(),
            "there is no setting `levle`: there is `level`"
        );
    }
}
