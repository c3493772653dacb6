use std::{env, ffi::OsString, fmt};

/// Where a SeaweedFS listens that was started for the tests.
///
/// `Debug` does not show the secret key.
#[derive(Clone, PartialEq, Eq)]
pub struct SeaweedFs {
    /// The S3 endpoint's URL.
    pub endpoint: String,
    /// A bucket that is there.
    pub bucket: String,
    /// The access key.
    pub access_key: String,
    secret_key: String,
}

impl SeaweedFs {
    /// The variable that names it: `endpoint bucket access-key secret-key`.
    pub const VARIABLE: &str = "ARTIFACT_TEST_SEAWEEDFS";

    /// The server that the environment names; none if it names none.
    pub fn from_env() -> Result<Option<Self>, InvalidSetting> {
        env::var_os(Self::VARIABLE).map(Self::parse).transpose()
    }

    fn parse(setting: OsString) -> Result<Self, InvalidSetting> {
        let setting = setting.into_string().map_err(|_| InvalidSetting)?;
        let parts: Vec<&str> = setting.split_whitespace().collect();
        let [endpoint, bucket, access_key, secret_key] = parts[..] else {
            return Err(InvalidSetting);
        };
        Ok(Self {
            endpoint: endpoint.to_owned(),
            bucket: bucket.to_owned(),
            access_key: access_key.to_owned(),
            secret_key: secret_key.to_owned(),
        })
    }

    /// The secret key.
    #[must_use]
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }
}

impl fmt::Debug for SeaweedFs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeaweedFs")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}

/// The variable is set, and does not name a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSetting;

impl fmt::Display for InvalidSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be `endpoint bucket access-key secret-key`", SeaweedFs::VARIABLE)
    }
}

impl std::error::Error for InvalidSetting {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_words_are_a_setting() {
        let server = SeaweedFs::parse("http://127.0.0.1:1 bucket id secret".into()).unwrap();
        assert_eq!(server.endpoint, "http://127.0.0.1:1");
        assert_eq!(server.secret_key(), "secret");
        assert!(!format!("{server:?}").contains("secret"));
    }

    #[test]
    fn anything_else_is_told() {
        for setting in ["", "http://127.0.0.1:1 bucket id", "a b c d e"] {
            assert_eq!(SeaweedFs::parse(setting.into()), Err(InvalidSetting), "{setting:?}");
        }
    }
}
