use std::time::{Duration, SystemTime};

use http::Method;

use super::{
    AccessKey, Trouble,
    ask::{Answer, Request, ask, authority, request, secret_header},
    key_json::KeyJson,
    transport_trouble,
};
use crate::http::{
    environment::Environment,
    error_response::{MAX_MESSAGE, clean},
    transport::{self, HttpClient},
};

const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

/// How long a key that has expired is gone on with: the service gives such a key where
/// it cannot renew it, and S3 goes on taking it.
const GRACE: Duration = Duration::from_mins(10);

/// Why an instance gave no key.
pub(super) enum NoKey {
    /// This seems to be no instance, or one without a role, or nobody may ask.
    Absent(String),
    Failed(Trouble),
}

/// The key of the instance's role, by IMDSv2.
///
/// Whether this is an instance at all shows only in whether there is an answer, so
/// that no answer is no failure.
///
/// Source: [instance metadata][page].
///
/// [page]: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
pub(super) async fn access_key(environment: &Environment) -> Result<AccessKey, NoKey> {
    const DISABLED: &str = "AWS_EC2_METADATA_DISABLED";
    if environment.get(DISABLED).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(NoKey::Absent(format!("{DISABLED} is true")));
    }
    let endpoint = endpoint(environment);
    let failed = NoKey::Failed;
    let token = request(Method::PUT, &format!("{endpoint}/latest/api/token")).map_err(failed)?;
    let who = authority(&token.url);
    let http = transport::for_metadata().map_err(|error| failed(transport_trouble(&error)))?;
    let instance = Instance { http, endpoint, token: String::new(), who };
    instance.key(token).await
}

fn endpoint(environment: &Environment) -> &str {
    const MODE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";
    match environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
        Some(endpoint) => endpoint.trim_end_matches('/'),
        None if environment.get(MODE).is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6")) => {
            "http://[fd00:ec2::254]"
        }
        None => "http://169.254.169.254",
    }
}

struct Instance<'a> {
    http: HttpClient,
    endpoint: &'a str,
    token: String,
    who: String,
}

impl Instance<'_> {
    async fn key(mut self, mut token: Request) -> Result<AccessKey, NoKey> {
        token
            .headers
            .insert("x-aws-ec2-metadata-token-ttl-seconds", http::HeaderValue::from_static("300"));
        // Nobody there: that is what the search is about.
        let answer =
            ask(&self.http, token).await.map_err(|trouble| NoKey::Absent(trouble.message))?;
        if !answer.status.is_success() {
            return Err(self.refused(&answer));
        }
        self.token = line(&answer);
        let roles = self.get(ROLES).await?;
        let role = line(&roles);
        if roles.status == http::StatusCode::NOT_FOUND || role.is_empty() {
            let message = format!("{} says that no role is attached to this instance", self.who);
            return Err(NoKey::Absent(message));
        }
        let role_fits = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
        if !roles.status.is_success() || !role.chars().all(role_fits) {
            return Err(self.refused(&roles));
        }
        let answer = self.get(&format!("{ROLES}{role}")).await?;
        if !answer.status.is_success() {
            return Err(self.refused(&answer));
        }
        self.read(&answer).map_err(NoKey::Failed)
    }

    async fn get(&self, path: &str) -> Result<Answer, NoKey> {
        let asking = async {
            let mut request = request(Method::GET, &format!("{}{path}", self.endpoint))?;
            secret_header(&mut request, "x-aws-ec2-metadata-token", &self.token)?;
            ask(&self.http, request).await
        };
        asking.await.map_err(NoKey::Failed)
    }

    fn refused(&self, answer: &Answer) -> NoKey {
        let trouble = answer.trouble(&self.who);
        // What is no metadata service refuses as it likes; a service that is ill says 5xx.
        if trouble.is_passing { NoKey::Failed(trouble) } else { NoKey::Absent(trouble.message) }
    }

    fn read(&self, answer: &Answer) -> Result<AccessKey, Trouble> {
        let what = format!("the answer of {}", self.who);
        let json = KeyJson::parse(&answer.body, &what)?;
        if let Some(code) = json.code.as_deref().filter(|code| *code != "Success") {
            let message = json.message.as_deref().unwrap_or_default();
            let said = clean(&format!("{code}: {message}"), MAX_MESSAGE);
            return Err(Trouble::new(format!("{what} is an error: {said}")));
        }
        let key = json.into_key(&what)?;
        let now = SystemTime::now();
        if key.left(now).is_zero() {
            tracing::warn!("the instance metadata service gave an expired key; going on with it");
            return Ok(key.expires_at(now + GRACE));
        }
        Ok(key)
    }
}

/// The first line of an answer.
fn line(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    text.lines().next().unwrap_or_default().trim().to_owned()
}
