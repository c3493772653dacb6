use serde::Deserialize;

use super::{AccessKey, Trouble, source::parse_time};

/// A key as the container's endpoint, the instance metadata service and a
/// `credential_process` write it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct KeyJson {
    pub(super) version: Option<u32>,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    #[serde(alias = "SessionToken")]
    token: Option<String>,
    expiration: Option<String>,
}

impl KeyJson {
    /// `what` is said of it, such as `the answer of http://host`.
    pub(super) fn parse(json: &[u8], what: &str) -> Result<Self, Trouble> {
        serde_json::from_slice(json).map_err(|error| not_json(what, &error))
    }

    pub(super) fn into_key(self, what: &str) -> Result<AccessKey, Trouble> {
        let lacks = |name: &str| Trouble::new(format!("{what} has no {name}"));
        let id = self.access_key_id.ok_or_else(|| lacks("AccessKeyId"))?;
        let secret = self.secret_access_key.ok_or_else(|| lacks("SecretAccessKey"))?;
        let expires_at = self.expiration.filter(|time| !time.is_empty()).map(|time| {
            parse_time(&time).ok_or_else(|| {
                Trouble::new(format!("{what} has an Expiration that is no time (RFC 3339)"))
            })
        });
        let token = self.token.filter(|token| !token.is_empty());
        Ok(AccessKey::new(id, secret).with(token, expires_at.transpose()?))
    }
}

/// Says where the JSON goes wrong, and not, as `serde` does, what stands there.
pub(super) fn not_json(what: &str, error: &serde_json::Error) -> Trouble {
    let (line, column) = (error.line(), error.column());
    Trouble::new(format!("{what} is not the JSON that it should be (line {line}, column {column})"))
}
