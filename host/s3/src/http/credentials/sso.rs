use std::time::{Duration, SystemTime};

use http::Method;
use serde::Deserialize;
use sha1::{Digest, Sha1};

use super::{
    AccessKey, Trouble,
    ask::{SERVICE_TIMEOUT, ask, authority, request, secret_header},
    key_json::not_json,
    source::{after_epoch, in_words, parse_time},
    sts::service_url,
    transport_trouble,
};
use crate::http::{environment::Environment, profile, transport::Transport};

/// A token file has some 2 KiB.
const MAX_TOKEN_FILE: u64 = 64 * 1024;

/// A role that IAM Identity Center gives to who has logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sso {
    /// The profile that says so, as `aws sso login` is to be told.
    pub(super) profile: String,
    /// What the token is kept under: the `sso_session`, or the start URL without one.
    pub(super) session: String,
    pub(super) region: String,
    pub(super) account_id: String,
    pub(super) role_name: String,
}

/// What `aws sso login` keeps of a session.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    access_token: String,
    expires_at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    role_credentials: RoleCredentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleCredentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    /// Milliseconds since 1970.
    expiration: i64,
}

impl Sso {
    /// The role's key, for the token that `aws sso login` left.
    ///
    /// Source: [SSO credential provider][page], [GetRoleCredentials][call].
    ///
    /// [page]: https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html
    /// [call]: https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
    pub(super) async fn access_key(&self, environment: &Environment) -> Result<AccessKey, Trouble> {
        let token = self.token(environment).await?;
        let endpoint = match environment.get("AWS_ENDPOINT_URL_SSO") {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => service_url("portal.sso", &self.region)?,
        };
        let mut request = request(Method::GET, &format!("{endpoint}/federation/credentials"))?;
        let query = [("role_name", &self.role_name), ("account_id", &self.account_id)];
        request.url.query_pairs_mut().extend_pairs(query);
        secret_header(&mut request, "x-amz-sso_bearer_token", &token)?;
        request.timeout = SERVICE_TIMEOUT;
        let who = format!("SSO at {}", authority(&request.url));
        let plain = request.url.scheme() == "http";
        let http = Transport::default()
            .client(environment, plain, SERVICE_TIMEOUT)
            .await
            .map_err(|error| transport_trouble(&error))?;
        let answer = ask(&http, request).await?;
        let mut trouble = answer.trouble(&who);
        match answer.status.as_u16() {
            200 => {}
            401 => return Err(self.login("is no longer valid")),
            403 => {
                trouble.message = format!(
                    "{}: who is logged in may not have role {:?} in account {}",
                    trouble.message, self.role_name, self.account_id
                );
                return Err(trouble);
            }
            _ => return Err(trouble),
        }
        let what = format!("the answer of {who}");
        let given: Given =
            serde_json::from_slice(&answer.body).map_err(|error| not_json(&what, &error))?;
        let given = given.role_credentials;
        let key = AccessKey::new(given.access_key_id, given.secret_access_key)
            .session_token(given.session_token);
        let expiry = after_epoch(given.expiration)
            .ok_or_else(|| Trouble::new(format!("{what} has an expiration that is no time")))?;
        Ok(key.expires_at(expiry))
    }

    async fn token(&self, environment: &Environment) -> Result<String, Trouble> {
        let name = base16ct::lower::encode_string(&Sha1::digest(&self.session));
        let file = format!("~/.aws/sso/cache/{name}.json");
        let path = environment.expand_home(&file);
        let bytes = match profile::read(&path, MAX_TOKEN_FILE).await {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(self.login(&format!("is not in {file}")));
            }
            Err(error) => return Err(Trouble::new(format!("{file} cannot be read: {error}"))),
        };
        let token: Token =
            serde_json::from_slice(&bytes).map_err(|error| not_json(&file, &error))?;
        let expiry = parse_time(&token.expires_at)
            .ok_or_else(|| Trouble::new(format!("{file} has an expiresAt that is no time")))?;
        if expiry <= SystemTime::now() + Duration::from_secs(1) {
            return Err(self.login(&format!("expired at {}", in_words(expiry))));
        }
        Ok(token.access_token)
    }

    fn login(&self, what: &str) -> Trouble {
        let Self { session, profile, .. } = self;
        Trouble::new(format!(
            "the token of SSO session {session:?} {what}; run `aws sso login --profile {profile}`"
        ))
    }
}
