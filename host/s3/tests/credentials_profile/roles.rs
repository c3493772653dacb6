use std::time::{Duration, SystemTime};

use artifact_s3::{DeleteOptions, S3Client};

use crate::{
    home::{HIDDEN, Home, LATE, asked, assumed_until, signer},
    support::{self, Server, answer, bucket, key, ok},
};

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
