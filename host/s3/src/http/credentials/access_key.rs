use std::{
    fmt,
    time::{Duration, SystemTime},
};

use crate::http::signing_key::DerivedKeys;

/// What signs a request: an access key, for good or for a while.
///
/// `Debug` shows the first letters of the id, and no secret.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use artifact_s3::AccessKey;
///
/// let key = AccessKey::new("AKIAEXAMPLE", "secret")
///     .session_token("token")
///     .expires_at(SystemTime::now() + Duration::from_secs(3600));
/// assert!(!format!("{key:?}").contains("secret\""));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    pub(in crate::http) id: String,
    pub(in crate::http) secret: String,
    pub(in crate::http) session_token: Option<String>,
    pub(super) expires_at: Option<SystemTime>,
    /// What signs, day by day. Copies share it.
    pub(in crate::http) derived: DerivedKeys,
}

impl AccessKey {
    /// A key that does not expire.
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: secret.into(),
            session_token: None,
            expires_at: None,
            derived: DerivedKeys::default(),
        }
    }

    /// The session token, which temporary keys have.
    #[must_use]
    pub fn session_token(mut self, token: impl Into<String>) -> Self {
        self.session_token = Some(token.into());
        self
    }

    /// When the key stops working. It is fetched anew some minutes before.
    #[must_use]
    pub fn expires_at(mut self, time: SystemTime) -> Self {
        self.expires_at = Some(time);
        self
    }

    pub(super) fn with(self, token: Option<String>, expires_at: Option<SystemTime>) -> Self {
        Self { session_token: token, expires_at, ..self }
    }

    pub(super) fn is_complete(&self) -> bool {
        !self.id.trim().is_empty() && !self.secret.trim().is_empty()
    }

    /// How long it still works; for ever, where it does not expire.
    pub(in crate::http) fn left(&self, now: SystemTime) -> Duration {
        self.expires_at
            .map_or(Duration::MAX, |expiry| expiry.duration_since(now).unwrap_or_default())
    }
}

#[expect(clippy::missing_fields_in_debug, reason = "what is derived follows from the rest")]
impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id: String = self.id.chars().take(4).collect();
        f.debug_struct("AccessKey")
            .field("id", &format_args!("{id}…"))
            .field("secret", &format_args!("…"))
            .field("session_token", &self.session_token.as_ref().map(|_| format_args!("…")))
            .field("expires_at", &self.expires_at)
            .finish()
    }
}
