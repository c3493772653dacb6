/// Whose part it is to put the digest into the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The caller's: any other key is refused.
    #[default]
    Require,
    /// The policy's, where the key has a placeholder; else the caller's.
    Assign,
}

impl Mode {
    /// The mode of the settings, which come as name and value.
    pub fn parse(settings: &[(String, String)]) -> Result<Self, InvalidSetting> {
        let mut mode = Self::default();
        for (name, value) in settings {
            mode = match (name.as_str(), value.as_str()) {
                ("mode", "require") => Self::Require,
                ("mode", "assign") => Self::Assign,
                ("mode", _) => return Err(InvalidSetting::mode(value)),
                _ => return Err(InvalidSetting::unknown(name)),
            };
        }
        Ok(mode)
    }
}

/// A setting that cannot be understood: no call is let through by guesswork.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSetting(String);

impl InvalidSetting {
    fn mode(value: &str) -> Self {
        Self(
            ["the setting `mode` is wrong: `", value, "` is neither `require` nor `assign`"]
                .concat(),
        )
    }

    fn unknown(name: &str) -> Self {
        Self(["there is no setting `", name, "`: there is `mode`"].concat())
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

    fn parse(name: &str, value: &str) -> Result<Mode, String> {
        Mode::parse(&[(name.to_owned(), value.to_owned())]).map_err(|bad| bad.message().to_owned())
    }

    #[test]
    fn the_caller_names_the_digest_unless_the_setting_says_otherwise() {
        assert_eq!(Mode::parse(&[]), Ok(Mode::Require));
        assert_eq!(parse("mode", "require"), Ok(Mode::Require));
        assert_eq!(parse("mode", "assign"), Ok(Mode::Assign));
    }

    #[test]
    fn a_setting_that_is_wrong_or_unknown_is_named() {
        for value in ["", "Assign", "assign "] {
            assert_eq!(
                parse("mode", value).unwrap_err(),
                format!("the setting `mode` is wrong: `{value}` is neither `require` nor `assign`")
            );
        }
        assert_eq!(
            parse("modus", "x").unwrap_err(),
            "there is no setting `modus`: there is `mode`"
        );
    }
}
