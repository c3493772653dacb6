use std::{
    fmt,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;

pub(super) const ENVIRONMENT: &str = "environment";
pub(super) const GIVEN: &str = "a key that was given";

/// Who signs, without a secret: where the key came from and until when it works.
///
/// `Display` is one phrase, such as
/// `profile "work", role arn:aws:iam::123456789012:role/ci, until 2026-11-25T20:15:00Z`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CredentialsSource {
    /// The provider: `environment`, `web identity`, `profile`, `container`, `instance
    /// metadata`, or what a provider of one's own is called.
    pub provider: String,
    /// The profile that was read.
    pub profile: Option<String>,
    /// How the profile gives the key, where it does not hold it: `sso`,
    /// `credential_process`, or the provider that stands behind its role.
    pub by: Option<String>,
    /// The role that was assumed, the last where one led to the other.
    pub role: Option<String>,
    /// When the key stops working; none, where it does not say.
    pub expires_at: Option<SystemTime>,
}

impl CredentialsSource {
    pub(super) fn new(provider: impl Into<String>) -> Self {
        Self { provider: provider.into(), ..Self::default() }
    }

    pub(in crate::http) fn nobody() -> Self {
        Self::new("nobody: requests are not signed")
    }

    /// What to do where the service says that the session token has expired, and this
    /// source still gives the same.
    pub(super) fn what_to_renew(&self) -> String {
        match self.provider.as_str() {
            ENVIRONMENT => "get new credentials, and set AWS_ACCESS_KEY_ID, \
                AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN to them"
                .to_owned(),
            GIVEN => "get new credentials, and make a client with them; or give it a provider, \
                which is asked for new ones"
                .to_owned(),
            _ => format!("the credentials' source ({self}) still gives the same; renew them there"),
        }
    }
}

impl fmt::Display for CredentialsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.provider)?;
        if let Some(profile) = &self.profile {
            write!(f, " {profile:?}")?;
        }
        if let Some(by) = &self.by {
            write!(f, " by {by}")?;
        }
        if let Some(role) = &self.role {
            write!(f, ", role {role}")?;
        }
        if let Some(expiry) = self.expires_at {
            write!(f, ", until {}", in_words(expiry))?;
        }
        Ok(())
    }
}

/// A time as people and AWS write it, to the second: `2026-11-25T20:15:00Z`.
pub(super) fn in_words(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map_or_else(|| "a time that no calendar has".to_owned(), |time| time.to_string())
}

/// A time as AWS's services write it (RFC 3339).
pub(super) fn parse_time(text: &str) -> Option<SystemTime> {
    after_epoch(text.trim().parse::<Timestamp>().ok()?.as_millisecond())
}

/// A time as milliseconds since 1970; those before are no expiry.
pub(super) fn after_epoch(milliseconds: i64) -> Option<SystemTime> {
    let since = Duration::from_millis(u64::try_from(milliseconds).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_told_in_one_phrase() {
        let mut source = CredentialsSource::new("environment");
        assert_eq!(source.to_string(), "environment");
        source = CredentialsSource {
            profile: Some("work".into()),
            by: Some("sso".into()),
            role: Some("arn:aws:iam::1:role/r".into()),
            expires_at: parse_time("2026-11-25T20:15:00Z"),
            ..CredentialsSource::new("profile")
        };
        assert_eq!(
            source.to_string(),
            "profile \"work\" by sso, role arn:aws:iam::1:role/r, until 2026-11-25T20:15:00Z"
        );
    }
}
