//! What a profile leads to: keys, roles, SSO, programs. The table of roles has the
//! situations of the `assume-role-tests.json` of AWS's SDKs.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use std::{
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use artifact_s3::{DeleteOptions, HttpS3, S3Client, S3Error, S3ErrorKind};
use support::{Act, Server, answer, bucket, key, ok, quick};
use tempfile::TempDir;

/// What no error may show.
const HIDDEN: &str = "hunter2";

const LATE: &str = "2099-01-01T00:00:00Z";

/// A home folder with `~/.aws`, and the services around it.
struct Home {
    folder: TempDir,
    s3: Server,
    sts: Server,
    sso: Server,
    variables: Vec<(String, String)>,
}

impl Home {
    async fn new(config: &str) -> Self {
        let home = Self {
            folder: tempfile::tempdir().unwrap(),
            s3: Server::start([ok()]).await,
            // More than any test has.
            sts: Server::start(["R1", "R2", "R3"].map(assumed)).await,
            sso: Server::start([]).await,
            variables: Vec::new(),
        };
        home.write(".aws/config", config);
        home
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    async fn client(&self) -> HttpS3 {
        let home = self.folder.path().to_str().unwrap().to_owned();
        let own = [
            ("HOME", home.clone()),
            ("USERPROFILE", home),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_ENDPOINT_URL_STS", self.sts.endpoint()),
            ("AWS_ENDPOINT_URL_SSO", self.sso.endpoint()),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value));
        let variables = own.into_iter().chain(self.variables.clone());
        let builder = HttpS3::builder().endpoint(self.s3.endpoint()).retry(quick());
        builder.environment(variables).build().await.unwrap()
    }

    /// Makes a call, and says who signed it, and where that key came from.
    async fn call(&self) -> Result<(String, String), S3Error> {
        let s3 = self.client().await;
        let called = s3.delete_object(&bucket(), &key("k"), &DeleteOptions::default()).await;
        if let Err(error) = &called {
            assert!(!format!("{error} {error:?}").contains(HIDDEN), "{error:?}");
        }
        called?;
        let source = s3.credentials_source().await.unwrap().to_string();
        assert!(!source.contains(HIDDEN), "{source}");
        Ok((signer(&self.s3.only()), source))
    }

    async fn refusal(&self) -> String {
        let error = self.call().await.unwrap_err();
        assert_eq!(error.kind(), S3ErrorKind::AccessDenied, "{error}");
        assert!(self.s3.requests().is_empty());
        error.message().to_owned()
    }
}

fn signer(seen: &support::Seen) -> String {
    let authorization = seen.header("authorization").unwrap();
    let (_, rest) = authorization.split_once("Credential=").unwrap();
    rest.split('/').next().unwrap().to_owned()
}

fn assumed(id: &str) -> Act {
    answer("200 OK", &[], &assumed_until(id, LATE))
}

fn assumed_until(id: &str, end: &str) -> String {
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <AssumedRoleUser><Arn>a</Arn><AssumedRoleId>b</AssumedRoleId></AssumedRoleUser>\
         <Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{HIDDEN}</SecretAccessKey>\
         <SessionToken>t-{id}</SessionToken><Expiration>{end}</Expiration></Credentials>\
         </AssumeRoleResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\
         </AssumeRoleResponse>"
    )
}

/// The calls at STS: who signed, which role, and what else the form says.
fn asked(sts: &Server) -> Vec<String> {
    let one = |seen: &support::Seen| {
        let form = url::form_urlencoded::parse(seen.body());
        let known = ["Action", "Version"];
        let rest: Vec<String> = form
            .filter(|(name, _)| !known.contains(&&**name))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let who = seen.header("authorization").map_or("nobody".to_owned(), |_| signer(seen));
        format!("{who}: {}", rest.join(" "))
    };
    sts.requests().iter().map(one).collect()
}

#[tokio::test]
async fn roles_lead_from_profile_to_profile() {
    let key = |id: &str| format!("aws_access_key_id = {id}\naws_secret_access_key = {HIDDEN}\n");
    let role = |name: &str| format!("role_arn = arn:{name}\n");
    let (k, l) = (key("K"), key("L"));
    let (a, b) = (role("A"), role("B"));
    let first = |rest: &str| format!("K: RoleArn=arn:{rest}");
    let plain = " RoleSessionName=artifact-s3";
    for (config, signs, calls) in [
        // One role, by a key in another profile.
        (
            format!("[default]\n{a}source_profile=B\n[profile B]\n{k}"),
            "R1",
            vec![first(&format!("A{plain}"))],
        ),
        // Its own key does not count.
        (
            format!("[default]\n{l}{a}source_profile=B\n[profile B]\n{k}"),
            "R1",
            vec![first(&format!("A{plain}"))],
        ),
        // But where it names itself.
        (
            format!("[default]\n{k}{a}source_profile=default\n"),
            "R1",
            vec![first(&format!("A{plain}"))],
        ),
        // All that a role can be asked with.
        (
            format!(
                "[default]\n{a}source_profile=B\nrole_session_name=me\nexternal_id=x&y\n\
                 duration_seconds=900\n[profile B]\n{k}"
            ),
            "R1",
            vec![first("A RoleSessionName=me ExternalId=x&y DurationSeconds=900")],
        ),
        // Two roles in a row.
        (
            format!(
                "[default]\n{a}source_profile=B\n[profile B]\n{b}source_profile=C\n[profile C]\n{k}"
            ),
            "R2",
            vec![first(&format!("B{plain}")), format!("R1: RoleArn=arn:A{plain}")],
        ),
        // A source gives its key, not its role.
        (
            format!(
                "[default]\n{l}{a}source_profile=B\n[profile B]\n{k}{b}source_profile=C\n\
                 [profile C]\n{l}"
            ),
            "R1",
            vec![first(&format!("A{plain}"))],
        ),
        // No role.
        (format!("[default]\n{k}"), "K", vec![]),
    ] {
        let home = Home::new(&config).await;
        let (by, source) = home.call().await.unwrap();
        assert_eq!((by.as_str(), asked(&home.sts)), (signs, calls.clone()), "{config}");
        let told = match calls.len() {
            0 => "profile \"default\"".to_owned(),
            _ => format!("profile \"default\", role arn:A, until {LATE}"),
        };
        assert_eq!(source, told);
    }
}

#[tokio::test]
async fn a_role_is_had_whatever_the_clock_of_this_machine_says() {
    let config = format!(
        "[default]\nrole_arn = arn:A\nsource_profile = B\n[profile B]\naws_access_key_id = K\n\
         aws_secret_access_key = {HIDDEN}\n"
    );
    let now = SystemTime::now();
    let (hour, half_an_hour) = (Duration::from_hours(1), Duration::from_mins(30));
    for there in [now + hour, now - hour] {
        let date = httpdate::fmt_http_date(there);
        let refusal = "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature \
                       expired</Message></Error></ErrorResponse>";
        let refused = answer("403 Forbidden", &[("Date", &date)], refusal);
        let end = jiff::Timestamp::try_from(there + half_an_hour).unwrap().to_string();
        let given = answer("200 OK", &[("Date", &date)], &assumed_until("R", &end));
        let mut home = Home::new(&config).await;
        home.sts = Server::start([refused, given]).await;
        assert_eq!(home.call().await.unwrap().0, "R");
        let signed = |seen: &support::Seen| seen.header("x-amz-date").unwrap()[..11].to_owned();
        let asked: Vec<String> = home.sts.requests().iter().map(signed).collect();
        assert_eq!(asked.len(), 2);
        assert_ne!(asked[0], asked[1], "the second is signed by the service's clock");
    }
}

#[tokio::test]
async fn a_web_identity_can_stand_in_a_profile_and_under_a_role() {
    let home = Home::new("").await;
    let token = home.write("token", "jwt");
    let b = format!(
        "role_arn = arn:B\nweb_identity_token_file = {}\nrole_session_name = me\n",
        token.display()
    );
    let web = "nobody: RoleArn=arn:B RoleSessionName=me WebIdentityToken=jwt".to_owned();
    home.write(".aws/config", &format!("[default]\n{b}"));
    assert_eq!(
        home.call().await.unwrap(),
        ("R1".into(), format!("profile \"default\" by web identity, role arn:B, until {LATE}"))
    );
    assert_eq!(asked(&home.sts), std::slice::from_ref(&web));

    let config = format!("[default]\nrole_arn = arn:A\nsource_profile = B\n[profile B]\n{b}");
    let home = Home::new(&config).await;
    assert_eq!(home.call().await.unwrap().0, "R2");
    let role = "R1: RoleArn=arn:A RoleSessionName=artifact-s3".to_owned();
    assert_eq!(asked(&home.sts), [web, role]);
}

#[tokio::test]
async fn a_profile_that_cannot_be_used_says_why() {
    let key = format!("aws_access_key_id = K\naws_secret_access_key = {HIDDEN}\n");
    let role = "role_arn = arn:A\n";
    for (config, expected) in [
        (format!("[default]\n{role}"), "it has role_arn and lacks source_profile"),
        (
            format!(
                "[default]\n{role}source_profile=B\ncredential_source=Environment\n[profile B]\n{key}"
            ),
            "it has both source_profile and credential_source",
        ),
        (
            format!("[default]\n{role}source_profile=B\n[profile B]\naws_access_key_id = K\n"),
            "profile \"B\" cannot be used: it has aws_access_key_id and lacks aws_secret_access_key",
        ),
        (
            format!(
                "[default]\n{role}source_profile=B\n[profile B]\naws_secret_access_key = {HIDDEN}"
            ),
            "it has aws_secret_access_key and lacks aws_access_key_id",
        ),
        (
            format!("[default]\n{role}source_profile=B\n[profile B]\n"),
            "profile \"B\" cannot be used: it has no access key, and no other way to one",
        ),
        (
            format!("[default]\n{role}source_profile=B\n"),
            "profile \"default\" cannot be used: its source_profile \"B\" is not in ~/.aws/credentials",
        ),
        (
            format!("[default]\n{role}source_profile=B\n[profile B]\n{role}source_profile=default"),
            "source_profile leads in a circle: default > B > default",
        ),
        (
            format!(
                "[default]\n{key}{role}source_profile=B\n[profile B]\n{role}source_profile=default"
            ),
            "source_profile leads in a circle",
        ),
        (format!("[default]\n{role}source_profile=default\n"), "its source_profile is itself"),
        ("[default]\nweb_identity_token_file = /t\n".into(), "and lacks role_arn"),
        (
            format!("[default]\n{role}credential_source = environment\n"),
            "its credential_source is \"environment\"",
        ),
        (
            format!("[default]\n{role}source_profile=B\nmfa_serial=m\n[profile B]\n{key}"),
            "asks for a code (mfa_serial)",
        ),
        (
            format!("[default]\n{role}source_profile=B\nduration_seconds=899\n[profile B]\n{key}"),
            "duration_seconds is not between 900 and 43200",
        ),
        ("[default]\nsso_session = s\n".into(), "there is no [sso-session s] in the config file"),
        (
            "[default]\nsso_session = s\n[sso-session s]\nsso_start_url = u\n".into(),
            "profile \"sso-session s\" cannot be used: it has an SSO session and lacks sso_region",
        ),
        (
            "[default]\nsso_start_url = u\nsso_region = r\nsso_role_name = n\n".into(),
            "lacks sso_account_id",
        ),
        (format!("[default]\n{key}nonsense {HIDDEN}\n"), "~/.aws/config cannot be used: line 4: "),
        ("[default]\ncredential_process = 'x\n".into(), "a quote that is not closed"),
        (
            format!("[default]\ncredential_process = /nonexistent/x --token {HIDDEN}\n"),
            "the credential_process \"/nonexistent/x\" cannot be run",
        ),
    ] {
        let home = Home::new(&config).await;
        let message = home.refusal().await;
        assert!(message.contains("source `profile` failed: "), "{message}");
        assert!(message.contains(expected), "{config}: {message}");
        assert!(home.sts.requests().is_empty());
    }
    let chain: Vec<String> =
        (1..20).map(|n| format!("[profile p{n}]\n{role}source_profile=p{}\n", n + 1)).collect();
    let home = Home::new(&chain.concat()).await.set("AWS_PROFILE", "p1");
    let message = home.refusal().await;
    assert!(message.contains("more than 16 profiles"), "{message}");
    let home = Home::new(&"#\n".repeat(600_000)).await;
    let message = home.refusal().await;
    assert!(message.contains("~/.aws/config cannot be used: it is longer than"), "{message}");
}

#[tokio::test]
async fn a_profile_that_is_named_and_not_there_is_an_error_with_the_files() {
    let home = Home::new("[default]\nregion = r\n").await.set("AWS_PROFILE", "wrok");
    let message = home.refusal().await;
    assert!(
        message.contains(
            "there is no profile \"wrok\" in ~/.aws/credentials (which is not there) or \
             ~/.aws/config"
        ),
        "{message}"
    );
    assert!(!message.contains("instance metadata"), "{message}");
    // One that says nothing of credentials, or the default one, is passed over.
    let config = "[profile x]\nregion = r\n";
    for home in [Home::new(config).await.set("AWS_PROFILE", "x"), Home::new(config).await] {
        assert!(home.refusal().await.contains("instance metadata"));
    }
}

#[tokio::test]
async fn the_credentials_file_goes_before_the_config_file() {
    let home = Home::new(
        "[default]\naws_access_key_id = K\naws_secret_access_key = s\naws_session_token = t\n",
    )
    .await;
    home.write(".aws/credentials", "[default]\naws_access_key_id = L\naws_secret_access_key = s\n");
    assert_eq!(home.call().await.unwrap().0, "L");
}

#[tokio::test]
async fn a_key_that_somebody_renews_in_the_file_is_used_after_a_refusal() {
    let mut home = Home::new("").await;
    let profile = |id: &str| {
        format!("[default]\naws_access_key_id={id}\naws_secret_access_key=s\naws_session_token=t\n")
    };
    home.s3 = Server::start([ok(), support::error("400 Bad Request", "ExpiredToken"), ok()]).await;
    home.write(".aws/credentials", &profile("OLD"));
    let s3 = home.client().await;
    let call = async || s3.delete_object(&bucket(), &key("k"), &DeleteOptions::default()).await;
    call().await.unwrap();
    home.write(".aws/credentials", &profile("NEW"));
    call().await.unwrap();
    let signers: Vec<String> = home.s3.requests().iter().map(signer).collect();
    assert_eq!(signers, ["OLD", "OLD", "NEW"]);
}

#[tokio::test]
async fn a_role_can_stand_on_the_environment_the_container_and_the_instance() {
    let role =
        |source: &str| format!("[profile x]\nrole_arn = arn:A\ncredential_source = {source}\n");
    let given = format!(
        r#"{{"Code":"Success","AccessKeyId":"G","SecretAccessKey":"{HIDDEN}","Token":"t",
            "Expiration":"{LATE}"}}"#
    );
    let given = || answer("200 OK", &[], &given);
    let metadata = Server::start([given()]).await;
    let instance =
        Server::start([answer("200 OK", &[], "t"), answer("200 OK", &[], "r"), given()]).await;
    // A key of its own in the environment would end the search before.
    let container = Home::new(&role("EcsContainer"))
        .await
        .set("AWS_CONTAINER_CREDENTIALS_FULL_URI", metadata.endpoint());
    let instance = Home::new(&role("Ec2InstanceMetadata"))
        .await
        .set("AWS_EC2_METADATA_DISABLED", "false")
        .set("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.endpoint());
    for (home, by) in [(container, "container"), (instance, "instance metadata")] {
        let home = home.set("AWS_PROFILE", "x");
        let (signs, source) = home.call().await.unwrap();
        assert_eq!(signs, "R1");
        assert_eq!(source, format!("profile \"x\" by {by}, role arn:A, until {LATE}"));
        assert_eq!(asked(&home.sts), ["G: RoleArn=arn:A RoleSessionName=artifact-s3"]);
    }
    let home = Home::new(&role("Environment")).await.set("AWS_PROFILE", "x");
    assert!(home.refusal().await.contains("credential_source Environment gave nothing: AWS_ACC"));
}

#[tokio::test]
async fn a_role_that_sts_refuses_is_named() {
    let config = "[default]\nrole_arn = arn:A\nsource_profile = B\n\
                  [profile B]\naws_access_key_id = K\naws_secret_access_key = hunter2\n";
    let mut home = Home::new(config).await;
    let refused = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User arn:u may not\
                   </Message></Error></ErrorResponse>";
    home.sts = Server::start([answer("403 Forbidden", &[], refused)]).await;
    let message = home.refusal().await;
    assert!(
        message.contains("role arn:A cannot be assumed: STS at http://127.0.0.1:"),
        "{message}"
    );
    assert!(message.contains("AccessDenied: User arn:u may not; the role must trust"), "{message}");
}

const SSO: &str = "[profile dev]\nsso_session = corp\nsso_account_id = 123\nsso_role_name = Reader\n\
                   [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.test/start\n";

fn token(expiry: &str) -> String {
    format!(r#"{{"startUrl":"u","accessToken":"{HIDDEN}","expiresAt":"{expiry}","region":"r"}}"#)
}

fn role_credentials() -> Act {
    let body = format!(
        r#"{{"roleCredentials":{{"accessKeyId":"S","secretAccessKey":"{HIDDEN}",
            "sessionToken":"t","expiration":4070908800000}}}}"#
    );
    answer("200 OK", &[], &body)
}

/// Where `aws sso login` keeps the token of a session.
fn cached(session: &str) -> String {
    use sha1::{Digest, Sha1};
    let name = base16ct::lower::encode_string(&Sha1::digest(session));
    format!(".aws/sso/cache/{name}.json")
}

#[tokio::test]
async fn an_sso_session_gives_the_role_s_key() {
    let legacy = "[profile dev]\nsso_start_url = https://corp.test/start\nsso_region = eu-west-1\n\
                  sso_account_id = 123\nsso_role_name = Reader\n";
    for (config, session) in [(SSO, "corp"), (legacy, "https://corp.test/start")] {
        let mut home = Home::new(config).await.set("AWS_PROFILE", "dev");
        home.sso = Server::start([role_credentials()]).await;
        home.write(&cached(session), &token(LATE));
        let (signs, source) = home.call().await.unwrap();
        assert_eq!(signs, "S");
        assert_eq!(source, format!("profile \"dev\" by sso, until {LATE}"));
        let asked = home.sso.only();
        assert_eq!(asked.line(), "GET /federation/credentials?role_name=Reader&account_id=123");
        assert_eq!(asked.header("x-amz-sso_bearer_token").as_deref(), Some(HIDDEN));
    }
}

#[tokio::test]
async fn an_sso_session_that_is_over_says_how_to_begin_one() {
    const LOGIN: &str = "run `aws sso login --profile dev`";
    let file = |text: &str| Some(text.to_owned());
    for (token, act, expected) in [
        (None, None, "the token of SSO session \"corp\" is not in ~/.aws/sso/cache/".into()),
        (
            file(&token("2020-01-01T00:00:00Z")),
            None,
            format!("\"corp\" expired at 2020-01-01T00:00:00Z; {LOGIN}"),
        ),
        (
            file(&token(LATE)),
            Some(answer("401 Unauthorized", &[], HIDDEN)),
            format!("\"corp\" is no longer valid; {LOGIN}"),
        ),
        (
            file(&token(LATE)),
            Some(answer("403 Forbidden", &[], "")),
            "answered HTTP 403: who is logged in may not have role \"Reader\" in account 123"
                .into(),
        ),
        (
            file(&token(LATE)),
            Some(answer("200 OK", &[], HIDDEN)),
            "the answer of SSO at http://127.0.0.1:".into(),
        ),
        (file(HIDDEN), None, "is not the JSON that it should be".into()),
        (file(&token(HIDDEN)), None, "expiresAt that is no time".into()),
    ] {
        let mut home = Home::new(SSO).await.set("AWS_PROFILE", "dev");
        home.sso = Server::start(act.clone()).await;
        if let Some(token) = token {
            home.write(&cached("corp"), &token);
        }
        let message = home.refusal().await;
        assert!(message.contains(&expected), "{message}");
        assert_eq!(home.sso.requests().len(), usize::from(act.is_some()));
    }
}

#[cfg(unix)]
mod process {
    use super::*;

    /// A program that is this shell script.
    fn program(home: &Home, script: &str) -> String {
        use std::os::unix::fs::PermissionsExt;

        let path = home.write("my tools/key", &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    }

    /// Prints this JSON.
    fn printing(json: &str) -> String {
        format!("cat <<'END'\n{json}\nEND")
    }

    #[tokio::test]
    async fn a_program_s_output_is_a_key() {
        let home = Home::new("").await.set("GREETING", "hello").set("PATH", "/usr/bin:/bin");
        let json = format!(
            r#"{{"Version":1,"AccessKeyId":"P","SecretAccessKey":"{HIDDEN}",
                "SessionToken":"t","Expiration":"{LATE}"}}"#
        );
        let script = format!("echo \"$#|$2|$GREETING\" >\"$HOME/seen\"\n{}", printing(&json));
        let program = program(&home, &script);
        home.write(
            ".aws/config",
            &format!("[default]\ncredential_process = \"{program}\" --for 'a b'  # whom\n"),
        );
        let (signs, source) = home.call().await.unwrap();
        assert_eq!(signs, "P");
        assert_eq!(source, format!("profile \"default\" by credential_process, until {LATE}"));
        let seen = fs::read_to_string(home.folder.path().join("seen")).unwrap();
        assert_eq!(seen, "2|a b|hello\n");
        let token = home.s3.only().header("x-amz-security-token");
        assert_eq!(token.as_deref(), Some("t"));
    }

    #[tokio::test]
    async fn a_program_that_fails_is_named_and_not_quoted() {
        let json = |version: u32, rest: &str| {
            printing(&format!(r#"{{"Version":{version},"SecretAccessKey":"{HIDDEN}"{rest}}}"#))
        };
        for (script, expected) in [
            (
                format!("echo {HIDDEN}; echo {HIDDEN} >&2; exit 3"),
                "ended with exit status: 3; run it",
            ),
            (printing(HIDDEN), "is not the JSON that it should be (line 1, column 1)"),
            (json(2, ""), "is not of \"Version\": 1"),
            (json(1, ""), "has no AccessKeyId"),
            (json(1, ",\"AccessKeyId\":\"P\",\"Expiration\":\"x\""), "Expiration that is no time"),
            (
                json(1, ",\"AccessKeyId\":\"P\",\"Expiration\":\"2020-01-01T00:00:00Z\""),
                "`profile` gave credentials that expired at 2020-01-01T00:00:00Z",
            ),
            ("exec cat /dev/zero".to_owned(), "is longer than 65536 bytes"),
        ] {
            let home = Home::new("").await.set("PATH", "/usr/bin:/bin");
            let program = program(&home, &script);
            home.write(
                ".aws/config",
                &format!("[default]\ncredential_process = '{program}' --token {HIDDEN}\n"),
            );
            let message = home.refusal().await;
            assert!(message.contains(expected), "{script}: {message}");
        }
    }
}
