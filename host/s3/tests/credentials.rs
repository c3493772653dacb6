//! The credentials' search, from the environment to the instance, and how a key is
//! shared, kept and renewed. The situations are those of the default-chain test data of
//! AWS's SDKs, as far as they are about more than one SDK's own configuration.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use std::{
    fs,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use artifact_s3::{
    AccessKey, Body, Credentials, CredentialsProvider, DeleteOptions, GetOptions, HttpS3,
    PutOptions, S3Client, S3Error, S3ErrorKind,
};
use futures::future::join_all;
use support::{Act, KEY_ID, SECRET, Server, TOKEN, answer, bucket, error, key, ok, quick};

/// What no error and no `Debug` may show.
const HIDDEN: &str = "hunter2";

/// A client of `server` in an environment of its own.
async fn client(server: &Server, variables: &[(&str, &str)]) -> HttpS3 {
    let nothing = [("HOME", "/nonexistent"), ("AWS_EC2_METADATA_DISABLED", "true")];
    let variables = nothing.iter().chain(variables).copied();
    let builder = HttpS3::builder().endpoint(server.endpoint()).retry(quick());
    builder.environment(variables).build().await.unwrap()
}

async fn call(s3: &HttpS3) -> Result<(), S3Error> {
    s3.delete_object(&bucket(), &key("k"), &DeleteOptions::default()).await
}

/// Why there are no credentials; shows no secret.
async fn refusal(variables: &[(&str, &str)]) -> S3Error {
    let server = Server::start([]).await;
    let error = client(&server, variables).await.credentials_source().await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(HIDDEN), "{shown}");
    assert!(server.requests().is_empty());
    error
}

/// The ids of the keys that signed, in order.
fn signers(server: &Server) -> Vec<String> {
    let id = |authorization: String| {
        let (_, rest) = authorization.split_once("Credential=").unwrap();
        rest.split('/').next().unwrap().to_owned()
    };
    server.requests().iter().map(|seen| id(seen.header("authorization").unwrap())).collect()
}

/// A key as the container's endpoint and the instance metadata service give it.
fn given(id: &str, expiration: &str) -> Act {
    let body = format!(
        r#"{{"Code":"Success","AccessKeyId":"{id}","SecretAccessKey":"{HIDDEN}",
            "Token":"t-{id}","Expiration":"{expiration}"}}"#
    );
    answer("200 OK", &[], &body)
}

const LATE: &str = "2099-01-01T00:00:00Z";

async fn container(acts: impl IntoIterator<Item = Act>) -> (Server, String) {
    let server = Server::start(acts).await;
    let url = format!("{}/creds", server.endpoint());
    (server, url)
}

#[tokio::test]
async fn a_hundred_calls_at_once_fetch_one_key() {
    let (metadata, url) = container([given("A", LATE)]).await;
    let server = Server::start((0..100).map(|_| ok())).await;
    let s3 = client(&server, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)]).await;
    let clone = s3.clone();
    let calls = (0..100).map(|n| call(if n % 2 == 0 { &s3 } else { &clone }));
    for outcome in join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(metadata.only().line(), "GET /creds");
    assert_eq!(signers(&server), vec!["A"; 100]);
    let source = s3.credentials_source().await.unwrap();
    assert_eq!(source.to_string(), format!("container, until {LATE}"));
    assert_eq!(metadata.requests().len(), 1);
}

#[tokio::test]
async fn a_failure_of_the_source_is_tried_again_as_any_other() {
    let (metadata, url) = container([answer("503 Busy", &[], HIDDEN), given("A", LATE)]).await;
    let server = Server::start([ok()]).await;
    let s3 = client(&server, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)]).await;
    call(&s3).await.unwrap();
    assert_eq!((metadata.requests().len(), signers(&server)), (2, vec!["A".to_owned()]));
}

#[tokio::test]
async fn an_expired_token_is_fetched_anew_and_the_call_repeated_once() {
    for code in ["ExpiredToken", "TokenRefreshRequired"] {
        let (metadata, url) = container([given("A", LATE), given("B", LATE)]).await;
        let server = Server::start([error("400 Bad Request", code), ok(), ok()]).await;
        let s3 = client(&server, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)]).await;
        call(&s3).await.unwrap();
        call(&s3).await.unwrap();
        assert_eq!(signers(&server), ["A", "B", "B"]);
        let second = &server.requests()[1];
        assert_eq!(second.header("x-amz-security-token").as_deref(), Some("t-B"));
        assert_eq!(metadata.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_token_that_expires_again_is_an_error_after_two_requests() {
    let (_metadata, url) = container([given("A", LATE), given("B", LATE)]).await;
    let expired = || error("400 Bad Request", "ExpiredToken");
    let server = Server::start([expired(), expired()]).await;
    let s3 = client(&server, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)]).await;
    let failure = call(&s3).await.unwrap_err();
    assert_eq!((failure.kind(), failure.code()), (S3ErrorKind::AccessDenied, Some("ExpiredToken")));
    assert_eq!((failure.attempts(), server.requests().len()), (2, 2));
}

#[tokio::test]
async fn an_expired_token_of_the_environment_is_the_user_s_to_renew() {
    let server = Server::start([error("400 Bad Request", "ExpiredToken")]).await;
    let s3 = client(
        &server,
        &[
            ("AWS_ACCESS_KEY_ID", KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_SESSION_TOKEN", TOKEN),
        ],
    )
    .await;
    let failure = call(&s3).await.unwrap_err();
    assert_eq!(failure.kind(), S3ErrorKind::AccessDenied);
    assert!(!failure.is_retryable());
    let message = failure.message();
    assert!(message.contains("AWS_SESSION_TOKEN to them"), "{message}");
    assert!(message.starts_with("Said the service; "), "{message}");
    assert_eq!(server.requests().len(), 1);
}

/// The answer to a HEAD has no body that could say `ExpiredToken`.
#[tokio::test]
async fn a_head_refused_without_a_reason_is_repeated_once_with_a_new_token() {
    let head =
        async |s3: &HttpS3| s3.head_object(&bucket(), &key("k"), &GetOptions::default()).await;
    let refused = || answer("400 Bad Request", &[], "");
    let (metadata, url) = container([given("A", LATE), given("B", LATE)]).await;
    let server = Server::start([refused(), ok(), refused()]).await;
    let s3 = client(&server, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)]).await;
    head(&s3).await.unwrap();
    // The new one is not suspected again.
    let failure = head(&s3).await.unwrap_err();
    assert_eq!(signers(&server), ["A", "B", "B"]);
    assert_eq!(metadata.requests().len(), 2);
    assert!(!failure.message().contains("token"), "{failure}");
    // Nor is the same one, though nothing came of asking for another.
    let (metadata, url) = container([given("A", LATE), given("A", LATE)]).await;
    let server = Server::start([refused(), refused()]).await;
    let s3 = client(&server, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)]).await;
    for _ in 0..2 {
        assert_eq!(head(&s3).await.unwrap_err().status(), Some(400));
    }
    assert_eq!((server.requests().len(), metadata.requests().len()), (2, 2));

    let mut variables = vec![("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    for token in [None, Some(TOKEN)] {
        variables.extend(token.map(|token| ("AWS_SESSION_TOKEN", token)));
        let server = Server::start([refused()]).await;
        let failure = head(&client(&server, &variables).await).await.unwrap_err();
        assert_eq!((failure.status(), server.requests().len()), (Some(400), 1));
        let named = failure.message().contains("it may be that the session token has expired; get");
        assert_eq!(named, token.is_some(), "{failure}");
    }
}

#[tokio::test]
async fn a_streamed_body_is_sent_again_in_full_with_the_new_key() {
    let (_metadata, url) = container([given("A", LATE), given("B", LATE)]).await;
    let stored = answer("200 OK", &[("ETag", "\"e\"")], "");
    let server = Server::start([error("400 Bad Request", "ExpiredToken"), stored]).await;
    let s3 = client(&server, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)]).await;
    let once = futures::stream::iter([Ok("abc".into())]);
    let options = PutOptions::default();
    let body = Body::from_stream(once, Some(3));
    s3.put_object(&bucket(), &key("k"), body, &options).await.unwrap();
    assert_eq!(signers(&server), ["A", "B"]);
    assert_eq!(server.requests()[1].body(), b"abc");
}

/// Gives keys that it counts, until it has none.
struct Vault {
    keys: Mutex<Vec<AccessKey>>,
    asked: AtomicUsize,
}

#[async_trait::async_trait]
impl CredentialsProvider for Vault {
    fn name(&self) -> String {
        "vault".to_owned()
    }

    async fn access_key(&self) -> Result<AccessKey, S3Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let key = self.keys.lock().unwrap().pop();
        key.ok_or_else(|| S3Error::new(S3ErrorKind::AccessDenied, "the vault is locked"))
    }
}

async fn of_vault(server: &Server, keys: Vec<AccessKey>) -> HttpS3 {
    let vault = Vault { keys: Mutex::new(keys), asked: AtomicUsize::new(0) };
    let builder = server.builder().credentials(Credentials::provider(vault));
    builder.build().await.unwrap()
}

#[tokio::test]
async fn a_provider_of_one_s_own_signs_and_is_named() {
    let server = Server::start([ok()]).await;
    let expiry = SystemTime::now() + Duration::from_hours(1);
    let s3 = of_vault(&server, vec![AccessKey::new("V", HIDDEN).expires_at(expiry)]).await;
    call(&s3).await.unwrap();
    assert_eq!(signers(&server), ["V"]);
    let source = s3.credentials_source().await.unwrap();
    assert_eq!((source.provider.as_str(), source.expires_at), ("vault", Some(expiry)));
    let shown = format!("{s3:?}");
    assert!(shown.contains("vault") && !shown.contains(HIDDEN), "{shown}");
}

#[tokio::test]
async fn what_a_provider_cannot_give_is_said() {
    let server = Server::start([]).await;
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_hours(24);
    for (keys, expected) in [
        (vec![], "the vault is locked"),
        (vec![AccessKey::new("V", " ")], "`vault` gave an access key without its id or its secret"),
        (
            vec![AccessKey::new("V", HIDDEN).expires_at(long_ago)],
            "`vault` gave credentials that expired at 1970-01-02T00:00:00Z",
        ),
    ] {
        let failure = call(&of_vault(&server, keys).await).await.unwrap_err();
        assert_eq!(failure.kind(), S3ErrorKind::AccessDenied);
        assert!(failure.message().contains(expected), "{failure}");
        assert!(!format!("{failure:?}").contains(HIDDEN));
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn the_container_is_asked_as_aws_says() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "from-file\n").unwrap();
    let (metadata, url) = container([given("A", LATE)]).await;
    let server = Server::start([]).await;
    let s3 = client(
        &server,
        &[
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "from-variable"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.to_str().unwrap()),
        ],
    )
    .await;
    s3.credentials_source().await.unwrap();
    assert_eq!(metadata.only().header("authorization").as_deref(), Some("from-file"));
}

#[tokio::test]
async fn a_container_s_failure_says_what_was_asked() {
    let json = |body: &str| answer("200 OK", &[], body);
    let secret = format!(r#"{{"AccessKeyId":"A","SecretAccessKey":"{HIDDEN}""#);
    for (act, expected, kind) in [
        (answer("403 Forbidden", &[], HIDDEN), "answered HTTP 403", S3ErrorKind::AccessDenied),
        (answer("404 Not Found", &[], ""), "answered HTTP 404", S3ErrorKind::AccessDenied),
        (answer("500 Oops", &[], HIDDEN), "answered HTTP 500", S3ErrorKind::Unreachable),
        (json(HIDDEN), "not the JSON that it should be (line 1", S3ErrorKind::AccessDenied),
        (json(&format!("{secret}, 1")), "not the JSON", S3ErrorKind::AccessDenied),
        (json(&format!("{{\"AccessKeyId\":[\"{HIDDEN}\"]}}")), "JSON", S3ErrorKind::AccessDenied),
        (json("{\"AccessKeyId\":\"A\"}"), "has no SecretAccessKey", S3ErrorKind::AccessDenied),
        (
            json(&format!("{secret},\"Expiration\":\"soon\"}}")),
            "Expiration that is no time",
            S3ErrorKind::AccessDenied,
        ),
        (given("A", "2001-01-01T00:00:00Z"), "expired at 2001-01-01", S3ErrorKind::AccessDenied),
        (json(&"x".repeat(70_000)), "longer than 65536 bytes", S3ErrorKind::AccessDenied),
        (Act::CloseAfter(1), "could not be asked", S3ErrorKind::Unreachable),
    ] {
        let (metadata, url) = container([act]).await;
        let failure = refusal(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)]).await;
        assert_eq!(failure.kind(), kind, "{failure}");
        assert!(failure.message().contains("source `container`"), "{failure}");
        assert!(failure.message().contains(expected), "{failure}");
        assert_eq!(metadata.requests().len(), 1);
    }
    for (variable, value, expected) in [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.1.2.3/x", "use https"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "nonsense", "\"nonsense\" is no URL"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "file:///etc/x", "does not begin with http://"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@evil.test/", "does not begin with a `/`"),
    ] {
        let failure = refusal(&[(variable, value)]).await;
        assert!(failure.message().contains(expected), "{failure}");
    }
    let failure = refusal(&[
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nonexistent/token"),
    ])
    .await;
    assert!(failure.message().contains("\"/nonexistent/token\", which"), "{failure}");
}

/// What the search says of an instance metadata service that acts like this.
async fn instance(acts: Vec<Act>) -> Result<String, S3Error> {
    let metadata = Server::start(acts).await;
    let server = Server::start([]).await;
    let endpoint = metadata.endpoint();
    let variables = [
        ("AWS_EC2_METADATA_DISABLED", "false"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint.as_str()),
    ];
    let outcome = client(&server, &variables).await.credentials_source().await;
    if let Err(error) = &outcome {
        assert!(!format!("{error:?}").contains(HIDDEN), "{error:?}");
    }
    outcome.map(|source| source.to_string())
}

#[tokio::test]
async fn an_instance_gives_a_key_even_one_that_its_clock_calls_expired() {
    let text = |text: &str| answer("200 OK", &[], text);
    let key = |expiry| vec![text("token"), text("role"), given("A", expiry)];
    let source = instance(key(LATE)).await.unwrap();
    assert_eq!(source, format!("instance metadata, until {LATE}"));
    // The service could not renew it; S3 decides.
    assert!(instance(key("2001-01-01T00:00:00Z")).await.is_ok());
}

#[tokio::test]
async fn what_an_instance_lacks_is_said_and_only_its_illness_is_retryable() {
    let text = |text: &str| answer("200 OK", &[], text);
    let status = |status: &str| answer(status, &[], HIDDEN);
    let (denied, unreachable) = (S3ErrorKind::AccessDenied, S3ErrorKind::Unreachable);
    let broken = r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"not\n trusted"}"#;
    for (acts, expected, kind) in [
        (vec![status("403 Forbidden")], "answered HTTP 403", denied),
        (vec![status("404 Not Found")], "answered HTTP 404", denied),
        (vec![status("503 Busy")], "answered HTTP 503", unreachable),
        (vec![Act::CloseAfter(1)], "could not be asked", denied),
        (vec![text("token"), status("404 Not Found")], "no role is attached", denied),
        (vec![text("token"), text("")], "no role is attached", denied),
        (vec![text("token"), text("../../x")], "answered HTTP 200", denied),
        (vec![text("token"), status("500 Oops")], "answered HTTP 500", unreachable),
        (vec![text("token"), text("role"), Act::CloseAfter(1)], "could not be asked", unreachable),
        (vec![text("token"), text("role"), text(HIDDEN)], "not the JSON", denied),
        (
            vec![text("token"), text("role"), text(broken)],
            "is an error: AssumeRoleUnauthorizedAccess: not trusted",
            denied,
        ),
    ] {
        let failure = instance(acts).await.unwrap_err();
        assert_eq!(failure.kind(), kind, "{failure}");
        assert!(failure.message().contains("instance metadata"), "{failure}");
        assert!(failure.message().contains(expected), "{failure}");
    }
}

#[tokio::test]
async fn an_instance_is_not_asked_where_that_is_switched_off() {
    let metadata = Server::start([]).await;
    let endpoint = metadata.endpoint();
    for value in ["true", "True"] {
        let failure = refusal(&[
            ("AWS_EC2_METADATA_DISABLED", value),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &endpoint),
        ])
        .await;
        assert!(failure.message().contains("AWS_EC2_METADATA_DISABLED is true"), "{failure}");
    }
    assert!(metadata.requests().is_empty());
}

/// An answer of STS, as it is documented.
fn assumed(id: &str) -> Act {
    let body = format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleWithWebIdentityResult><SubjectFromWebIdentityToken>s</SubjectFromWebIdentityToken>\
         <Credentials><SessionToken>t-{id}</SessionToken><SecretAccessKey>{HIDDEN}</SecretAccessKey>\
         <Expiration>{LATE}</Expiration><AccessKeyId>{id}</AccessKeyId></Credentials>\
         </AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>r</RequestId>\
         </ResponseMetadata></AssumeRoleWithWebIdentityResponse>"
    );
    answer("200 OK", &[], &body)
}

#[tokio::test]
async fn a_web_identity_is_exchanged_at_sts() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, format!("{HIDDEN}+/=\n")).unwrap();
    for variable in ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"] {
        let sts = Server::start([assumed("W")]).await;
        let endpoint = sts.endpoint();
        let server = Server::start([ok()]).await;
        let variables = [
            ("AWS_ROLE_ARN", "arn:aws:iam::1:role/ci"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
            ("AWS_ROLE_SESSION_NAME", "build 7"),
            (variable, &endpoint),
        ];
        let s3 = client(&server, &variables).await;
        call(&s3).await.unwrap();
        assert_eq!(signers(&server), ["W"]);
        let asked = sts.only();
        assert_eq!(asked.line(), "POST /");
        assert_eq!(asked.header("authorization"), None);
        assert_eq!(
            std::str::from_utf8(asked.body()).unwrap(),
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&\
             RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fci&RoleSessionName=build+7&\
             WebIdentityToken=hunter2%2B%2F%3D"
        );
        assert_eq!(
            s3.credentials_source().await.unwrap().to_string(),
            format!("web identity, role arn:aws:iam::1:role/ci, until {LATE}")
        );
    }
}

#[tokio::test]
async fn sts_s_refusal_is_told_without_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, HIDDEN).unwrap();
    let refused = |status: &str, code: &str, message: &str| {
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}\
             </Message></Error><RequestId>r</RequestId></ErrorResponse>"
        );
        answer(status, &[], &body)
    };
    for (act, expected, kind) in [
        (
            refused("403 Forbidden", "AccessDenied", "Not authorized"),
            "answered HTTP 403: AccessDenied: Not authorized; the role must trust",
            S3ErrorKind::AccessDenied,
        ),
        (
            refused("400 Bad Request", "InvalidIdentityToken", &format!("bad {HIDDEN}")),
            "InvalidIdentityToken: bad …",
            S3ErrorKind::AccessDenied,
        ),
        (
            refused("503 Busy", "ServiceUnavailable", "later"),
            "answered HTTP 503: ServiceUnavailable: later",
            S3ErrorKind::Unreachable,
        ),
        (answer("200 OK", &[], HIDDEN), "not the XML", S3ErrorKind::AccessDenied),
        (Act::CloseAfter(1), "could not be asked", S3ErrorKind::Unreachable),
    ] {
        let sts = Server::start([act]).await;
        let failure = refusal(&[
            ("AWS_ROLE_ARN", "arn:aws:iam::1:role/ci"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
            ("AWS_ENDPOINT_URL_STS", &sts.endpoint()),
        ])
        .await;
        assert_eq!(failure.kind(), kind, "{failure}");
        assert!(failure.message().contains("source `web identity` failed"), "{failure}");
        assert!(failure.message().contains(expected), "{failure}");
    }
}
