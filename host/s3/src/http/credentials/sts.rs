use std::time::SystemTime;

use http::{HeaderValue, Method, header};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::{
    AccessKey, Trouble,
    ask::{Answer, Request, SERVICE_TIMEOUT, ask, authority, request},
    container::MAX_TOKEN,
    source::parse_time,
    transport_trouble,
};
use crate::http::{
    clock::shifted,
    environment::Environment,
    error_response::{MAX_MESSAGE, clean},
    profile,
    sign::Signing,
    transport::Transport,
};

/// Who a session is, where nobody says.
pub(super) const SESSION_NAME: &str = "artifact-s3";

/// STS refuses what is signed five minutes off; in seconds, with some room.
const MAX_SKEW: u64 = 4 * 60;

/// A role, and how it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) arn: String,
    pub(super) session_name: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) duration_seconds: Option<u32>,
}

/// AWS's Security Token Service.
///
/// Source: [AssumeRole][role], [AssumeRoleWithWebIdentity][web].
///
/// [role]: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
/// [web]: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
pub(super) struct Sts<'a> {
    pub(super) environment: &'a Environment,
    /// Where one is known.
    pub(super) region: Option<&'a str>,
}

impl Sts<'_> {
    /// The key of a role, for who holds `key`.
    pub(super) async fn assume(&self, role: &Role, key: &AccessKey) -> Result<AccessKey, Trouble> {
        let now = SystemTime::now();
        let answer = self.ask_to_assume(role, key, now).await?;
        let refused = answer.status.is_client_error();
        let answer = match answer.ahead.filter(|ahead| refused && is_off(*ahead)) {
            Some(ahead) => self.ask_to_assume(role, key, shifted(now, ahead)).await?,
            None => answer,
        };
        self.key_of(&answer, None)
    }

    async fn ask_to_assume(
        &self,
        role: &Role,
        key: &AccessKey,
        signed_at: SystemTime,
    ) -> Result<Answer, Trouble> {
        let (request, body) = self.request("AssumeRole", role, None)?;
        let region = self.region.unwrap_or("us-east-1");
        let mut parts = http::Request::builder().method(&request.method).uri(request.url.as_str());
        if let Some(headers) = parts.headers_mut() {
            headers.clone_from(&request.headers);
        }
        let unsigned = parts.body(()).map_err(|_| Trouble::new("the endpoint of STS is no URL"))?;
        let (mut head, ()) = unsigned.into_parts();
        Signing::of_service("sts", key, region, signed_at)
            .and_then(|signing| signing.sign_headers(&mut head))
            .map_err(|error| Trouble::new(error.message()))?;
        let mut signed = request;
        signed.headers = head.headers;
        self.send(signed, body).await
    }

    /// The key of a role, for who holds the token in a file.
    pub(super) async fn assume_with_web_identity(
        &self,
        role: &Role,
        token_file: &str,
    ) -> Result<AccessKey, Trouble> {
        let unreadable = |why: String| {
            Trouble::new(format!(
                "the web identity token file {token_file:?} cannot be used: {why}"
            ))
        };
        let path = self.environment.expand_home(token_file);
        let bytes =
            profile::read(&path, MAX_TOKEN).await.map_err(|error| unreadable(error.to_string()))?;
        let token = String::from_utf8_lossy(&bytes).trim().to_owned();
        if token.is_empty() {
            return Err(unreadable("it is empty".to_owned()));
        }
        let (request, body) = self.request("AssumeRoleWithWebIdentity", role, Some(&token))?;
        let answer = self.send(request, body).await?;
        self.key_of(&answer, Some(&token))
    }

    fn request(
        &self,
        action: &str,
        role: &Role,
        token: Option<&str>,
    ) -> Result<(Request, String), Trouble> {
        let duration = role.duration_seconds.map(|seconds| seconds.to_string());
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("Action", Some(action)),
            ("Version", Some("2011-06-15")),
            ("RoleArn", Some(&role.arn)),
            ("RoleSessionName", Some(role.session_name.as_deref().unwrap_or(SESSION_NAME))),
            ("ExternalId", role.external_id.as_deref()),
            ("DurationSeconds", duration.as_deref()),
            ("WebIdentityToken", token),
        ] {
            if let Some(value) = value {
                form.append_pair(name, value);
            }
        }
        let body = form.finish();
        let mut request = request(Method::POST, &self.endpoint()?)?;
        let headers = &mut request.headers;
        let content_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, content_type);
        let hash = base16ct::lower::encode_string(&Sha256::digest(&body));
        if let Ok(hash) = HeaderValue::from_str(&hash) {
            headers.insert("x-amz-content-sha256", hash);
        }
        Ok((request, body))
    }

    async fn send(&self, mut request: Request, body: String) -> Result<Answer, Trouble> {
        let plain = request.url.scheme() == "http";
        request.body = body.into();
        request.timeout = SERVICE_TIMEOUT;
        let http = Transport::default()
            .client(self.environment, plain, SERVICE_TIMEOUT)
            .await
            .map_err(|error| transport_trouble(&error))?;
        ask(&http, request).await
    }

    /// The key that an answer holds. Its end is told by the service's clock, and kept by
    /// this machine's, which is to know when it has come.
    fn key_of(&self, answer: &Answer, token: Option<&str>) -> Result<AccessKey, Trouble> {
        let who = format!("STS at {}", self.authority()?);
        if !answer.status.is_success() {
            return Err(refused(&who, answer, token));
        }
        let ahead = answer.ahead.filter(|ahead| is_off(*ahead)).unwrap_or_default();
        let unusable =
            || Trouble::new(format!("the answer of {who} is not the XML that it should be"));
        let answer: Assumed =
            quick_xml::de::from_reader(&answer.body[..]).map_err(|_| unusable())?;
        let found = answer.result.credentials;
        let expiry = parse_time(&found.expiration).ok_or_else(unusable)?;
        if found.access_key_id.is_empty() || found.secret_access_key.is_empty() {
            return Err(unusable());
        }
        Ok(AccessKey::new(found.access_key_id, found.secret_access_key)
            .session_token(found.session_token)
            .expires_at(shifted(expiry, ahead.saturating_neg())))
    }

    fn authority(&self) -> Result<String, Trouble> {
        Ok(authority(&request(Method::POST, &self.endpoint()?)?.url))
    }

    /// `AWS_ENDPOINT_URL_STS`, `AWS_ENDPOINT_URL`, or AWS's in the region.
    fn endpoint(&self) -> Result<String, Trouble> {
        let own = ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"];
        if let Some(url) = own.iter().find_map(|name| self.environment.get(name)) {
            return Ok(url.to_owned());
        }
        match self.region {
            None => Ok("https://sts.amazonaws.com".to_owned()),
            Some(region) => service_url("sts", region),
        }
    }
}

/// Whether a clock that is so far off is refused, or makes a key look as if it had expired.
/// Who is asked quickly is off by a second or two at most.
const fn is_off(ahead: i64) -> bool {
    ahead.unsigned_abs() > MAX_SKEW
}

/// The URL of a service of AWS in a region, whose name becomes part of a host's.
pub(super) fn service_url(service: &str, region: &str) -> Result<String, Trouble> {
    if region.is_empty() || !region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(Trouble::new(format!("{region:?} is no region")));
    }
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    Ok(format!("https://{service}.{region}.{domain}"))
}

fn refused(who: &str, answer: &Answer, token: Option<&str>) -> Trouble {
    let mut trouble = answer.trouble(who);
    if let Ok(Refusal { error }) = quick_xml::de::from_reader::<_, Refusal>(&answer.body[..]) {
        let mut said = format!("{}: {}", error.code, error.message);
        if let Some(token) = token {
            said = said.replace(token, "…");
        }
        let said = clean(&said, MAX_MESSAGE);
        trouble.message = format!("{}: {said}", trouble.message);
        let advice = match error.code.as_str() {
            "AccessDenied" => {
                "; the role must trust who asks, and who asks must be allowed to \
                               assume it"
            }
            "ExpiredToken" | "ExpiredTokenException" => {
                "; renew the credentials or the token \
                                                         that the role is asked for with"
            }
            _ => "",
        };
        trouble.message.push_str(advice);
    }
    trouble
}

#[derive(Deserialize)]
struct Assumed {
    #[serde(alias = "AssumeRoleResult", alias = "AssumeRoleWithWebIdentityResult")]
    result: AssumedResult,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedResult {
    credentials: AssumedKey,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedKey {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Refusal {
    error: RefusalError,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct RefusalError {
    code: String,
    message: String,
}
