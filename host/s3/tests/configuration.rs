//! What the environment and the builder make of a client, and who signs.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use std::{
    fs,
    time::{Duration, Instant},
};

use artifact_s3::{
    Addressing, Capabilities, ChecksumAlgorithm, ConfigError, Credentials, DeleteOptions, Feature,
    Finding, GetOptions, HttpS3, PutOptions, S3Client, S3ErrorKind, UploadChecksum,
};
use support::{KEY_ID, SECRET, Server, TOKEN, answer, bucket, key, ok};

/// Nothing of this machine: no home, no metadata service.
const NOTHING: [(&str, &str); 2] =
    [("HOME", "/nonexistent"), ("AWS_EC2_METADATA_DISABLED", "true")];

async fn with(variables: &[(&str, &str)]) -> Result<HttpS3, ConfigError> {
    let variables = NOTHING.iter().chain(variables).copied();
    HttpS3::builder().environment(variables).build().await
}

#[tokio::test]
async fn the_endpoint_for_s3_goes_before_the_general_one() {
    let general = ("AWS_ENDPOINT_URL", "http://general.test:1");
    let special = ("AWS_ENDPOINT_URL_S3", "http://special.test:2/base/");
    assert_eq!(with(&[general]).await.unwrap().endpoint(), "http://general.test:1");
    assert_eq!(with(&[general, special]).await.unwrap().endpoint(), "http://special.test:2/base");
    let variables = [general, special];
    let given =
        HttpS3::builder().environment(variables).endpoint("https://mine.test").build().await;
    assert_eq!(given.unwrap().endpoint(), "https://mine.test");
}

#[tokio::test]
async fn the_region_is_looked_for_in_order_and_only_aws_needs_one() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    fs::write(&config, "[default]\nregion = us-west-1\n[profile work]\nregion = us-west-2\n")
        .unwrap();
    let file = ("AWS_CONFIG_FILE", config.to_str().unwrap());
    let general = ("AWS_DEFAULT_REGION", "eu-west-2");
    let special = ("AWS_REGION", "eu-west-1");
    for (variables, region) in [
        (vec![file, general, special], "eu-west-1"),
        (vec![file, general], "eu-west-2"),
        (vec![file], "us-west-1"),
        (vec![file, ("AWS_PROFILE", "work")], "us-west-2"),
    ] {
        let s3 = with(&variables).await.unwrap();
        assert_eq!(s3.region(), region, "{variables:?}");
        assert_eq!(s3.endpoint(), format!("https://s3.{region}.amazonaws.com"));
        assert_eq!(s3.addressing(), Addressing::VirtualHost);
    }
    let error = with(&[]).await.unwrap_err();
    assert!(matches!(error, ConfigError::NoRegion));
    assert!(error.to_string().contains("AWS_REGION"), "{error}");
    let own = with(&[("AWS_ENDPOINT_URL", "http://own.test")]).await.unwrap();
    assert_eq!((own.region(), own.addressing()), ("us-east-1", Addressing::PathStyle));
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_with_its_reason() {
    for (builder, expected) in [
        (HttpS3::builder().endpoint("nonsense"), "nonsense"),
        (HttpS3::builder().region("us east"), "us east"),
        (
            HttpS3::builder()
                .endpoint("http://own.test")
                .credentials(Credentials::key("an-id", "")),
            "secret access key",
        ),
        (HttpS3::builder().region("x.evil.test/"), "evil"),
        (
            HttpS3::builder().endpoint("http://127.0.0.1:9000").addressing(Addressing::VirtualHost),
            "use path style",
        ),
        (
            HttpS3::builder()
                .endpoint("http://own.test")
                .environment([("AWS_CA_BUNDLE", "/nonexistent/ca.pem")]),
            "/nonexistent/ca.pem",
        ),
    ] {
        let error = builder.build().await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn the_environment_signs_with_its_session_token() {
    let server = Server::start([ok()]).await;
    let endpoint = server.endpoint();
    let s3 = with(&[
        ("AWS_ENDPOINT_URL", &endpoint),
        ("AWS_ACCESS_KEY_ID", KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_SESSION_TOKEN", TOKEN),
    ])
    .await
    .unwrap();
    assert_eq!(s3.credentials_source().await.unwrap().to_string(), "environment");
    s3.delete_object(&bucket(), &key("k"), &DeleteOptions::default()).await.unwrap();
    let seen = server.only();
    assert!(seen.header("authorization").unwrap().contains(KEY_ID));
    assert_eq!(seen.header("x-amz-security-token").as_deref(), Some(TOKEN));
}

#[tokio::test]
async fn a_profile_signs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials");
    fs::write(
        &file,
        "[default]\naws_access_key_id = DEFAULTID\naws_secret_access_key = s\n\
         [work]\naws_access_key_id = WORKID\naws_secret_access_key = s\n",
    )
    .unwrap();
    let server = Server::start([ok()]).await;
    let s3 = HttpS3::builder()
        .endpoint(server.endpoint())
        .environment(
            NOTHING.into_iter().chain([("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap())]),
        )
        .profile("work")
        .build()
        .await
        .unwrap();
    assert_eq!(s3.credentials_source().await.unwrap().to_string(), "profile \"work\"");
    s3.delete_object(&bucket(), &key("k"), &DeleteOptions::default()).await.unwrap();
    assert!(server.only().header("authorization").unwrap().contains("WORKID/"));
}

const FETCHED: &str = r#"{"Code":"Success","AccessKeyId":"FETCHEDID","SecretAccessKey":"s",
    "Token":"t","Expiration":"2099-01-01T00:00:00Z","RoleArn":"r","Message":""}"#;

#[tokio::test]
async fn a_container_gives_credentials_once_for_many_calls() {
    let metadata = Server::start([answer("200 OK", &[], FETCHED)]).await;
    let server = Server::start([ok(), ok(), ok()]).await;
    let uri = format!("{}/creds", metadata.endpoint());
    let endpoint = server.endpoint();
    let s3 = with(&[
        ("AWS_ENDPOINT_URL", &endpoint),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &uri),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "permit"),
    ])
    .await
    .unwrap();
    for _ in 0..3 {
        s3.delete_object(&bucket(), &key("k"), &DeleteOptions::default()).await.unwrap();
    }
    assert_eq!(metadata.only().line(), "GET /creds");
    assert_eq!(metadata.only().header("authorization").as_deref(), Some("permit"));
    for seen in server.requests() {
        assert!(seen.header("authorization").unwrap().contains("FETCHEDID/"));
        assert_eq!(seen.header("x-amz-security-token").as_deref(), Some("t"));
    }
}

#[tokio::test]
async fn the_instance_gives_credentials_by_imds_version_2() {
    let metadata = Server::start([
        answer("200 OK", &[], "imds-token"),
        answer("200 OK", &[], "role-name"),
        answer("200 OK", &[], FETCHED),
    ])
    .await;
    let server = Server::start([ok()]).await;
    let s3 = HttpS3::builder()
        .endpoint(server.endpoint())
        .environment([
            ("HOME", "/nonexistent"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.endpoint().as_str()),
        ])
        .build()
        .await
        .unwrap();
    s3.delete_object(&bucket(), &key("k"), &DeleteOptions::default()).await.unwrap();
    assert!(server.only().header("authorization").unwrap().contains("FETCHEDID/"));
    let asked = metadata.requests();
    assert_eq!(asked[0].line(), "PUT /latest/api/token");
    assert_eq!(asked[2].header("x-aws-ec2-metadata-token").as_deref(), Some("imds-token"));
}

#[tokio::test]
async fn keys_in_the_environment_leave_the_metadata_service_alone() {
    let metadata = Server::start([]).await;
    let server = Server::start([ok(), ok()]).await;
    let variables = [
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT".to_owned(), metadata.endpoint()),
        ("AWS_ACCESS_KEY_ID".to_owned(), KEY_ID.to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), SECRET.to_owned()),
    ];
    for credentials in [Credentials::Default, Credentials::key("GIVEN", "s")] {
        let s3 = HttpS3::builder()
            .endpoint(server.endpoint())
            .environment(variables.clone())
            .credentials(credentials)
            .build()
            .await
            .unwrap();
        s3.delete_object(&bucket(), &key("k"), &DeleteOptions::default()).await.unwrap();
    }
    assert!(metadata.requests().is_empty());
}

#[tokio::test]
async fn without_credentials_the_error_lists_what_was_looked_for() {
    let server = Server::start([]).await;
    let endpoint = server.endpoint();
    let variables = [("AWS_ENDPOINT_URL", &*endpoint), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let s3 = with(&variables).await.unwrap();
    let error = s3.get_object(&bucket(), &key("k"), &GetOptions::default()).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (S3ErrorKind::AccessDenied, false));
    assert_eq!(error.attempts(), 1);
    let message = error.to_string();
    let mut rest = message.as_str();
    for expected in [
        "environment: AWS_ACCESS_KEY_ID is not set",
        "web identity: AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE are not set",
        "profile: no access key for profile \"default\" in ~/.aws/credentials",
        "container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "instance metadata: AWS_EC2_METADATA_DISABLED is true",
    ] {
        let at = rest.find(expected);
        assert!(at.is_some(), "{expected:?} is missing, or out of order, in: {message}");
        rest = &rest[at.unwrap_or(0)..];
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn an_access_key_id_without_its_secret_ends_the_search() {
    let s3 = with(&[("AWS_ENDPOINT_URL", "http://own.test"), ("AWS_ACCESS_KEY_ID", KEY_ID)]);
    let error = s3.await.unwrap().credentials_source().await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (S3ErrorKind::AccessDenied, false));
    let expected = "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not";
    assert!(error.message().contains(expected), "{error}");
    assert!(!error.message().contains("web identity"), "{error}");
}

#[tokio::test]
async fn a_profile_that_the_program_names_stands_before_the_variables() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials");
    fs::write(&file, "[prod]\naws_access_key_id = PROD\naws_secret_access_key = s\n").unwrap();
    let file = file.to_str().unwrap();
    let keys = [("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let web = [
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent/token"),
    ];
    for variables in [keys, web] {
        let files = [("AWS_SHARED_CREDENTIALS_FILE", file), ("AWS_PROFILE", "prod")];
        let variables: Vec<_> = NOTHING.into_iter().chain(variables).chain(files).collect();
        let client =
            || HttpS3::builder().endpoint("http://own.test").environment(variables.clone());
        let named = client().profile("prod").build().await.unwrap();
        assert_eq!(named.credentials_source().await.unwrap().provider, "profile");
        // One that the environment names stands behind its other variables, as for AWS.
        let by_variables = client().build().await.unwrap().credentials_source().await;
        let provider = by_variables.map_or_else(|error| error.to_string(), |found| found.provider);
        assert!(!provider.contains("profile"), "{provider}");
        // There is no falling back to them.
        let nobody = client().profile("nobody").build().await.unwrap();
        let error = nobody.credentials_source().await.unwrap_err();
        assert!(error.message().contains("nobody"), "{error}");
    }
}

#[tokio::test]
async fn a_silent_metadata_service_costs_two_seconds_and_no_more() {
    let metadata = Server::start([support::Act::Silence]).await;
    let s3 = HttpS3::builder()
        .endpoint("http://own.test")
        .environment([
            ("HOME", "/nonexistent"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.endpoint().as_str()),
        ])
        .build()
        .await
        .unwrap();
    let began = Instant::now();
    let error = s3.credentials_source().await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!((error.kind(), error.is_retryable()), (S3ErrorKind::AccessDenied, false));
    assert!(error.message().contains("instance metadata: "), "{error}");
}

#[tokio::test]
async fn a_source_that_is_set_up_and_fails_ends_the_search() {
    let s3 = with(&[
        ("AWS_ENDPOINT_URL", "http://own.test"),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent/token"),
    ])
    .await
    .unwrap();
    let error = s3.credentials_source().await.unwrap_err();
    assert_eq!(error.kind(), S3ErrorKind::AccessDenied);
    assert!(error.message().contains("`web identity` failed"), "{error}");
    assert!(!error.message().contains("profile"), "{error}");
}

#[tokio::test]
async fn a_checksum_of_the_client_that_the_service_ignores_is_refused_as_well() {
    let server = Server::start([]).await;
    let found = Capabilities::new(server.endpoint(), "test-bucket", 0);
    let crc32 = ChecksumAlgorithm::Crc32;
    let always = server.builder().upload_checksum(UploadChecksum::Always(crc32));
    let known = always.capabilities(found.with(Feature::Crc32, Finding::Ignored));
    let put = known.build().await.unwrap();
    let put = put.put_object(&bucket(), &key("k"), "a".into(), &PutOptions::default()).await;
    let error = put.unwrap_err();
    assert_eq!(error.kind(), S3ErrorKind::InvalidRequest);
    assert!(error.message().contains("x-amz-checksum-crc32"), "{error}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn anonymous_calls_are_not_signed() {
    let server = Server::start([ok()]).await;
    let s3 = server.anonymous().await;
    s3.delete_object(&bucket(), &key("k"), &DeleteOptions::default()).await.unwrap();
    assert_eq!(server.only().header("authorization"), None);
}
