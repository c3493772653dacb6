//! The signature that leaves, held against the one that AWS's own code makes.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use std::time::{Duration, UNIX_EPOCH};

use artifact_s3::{
    Credentials, GetOptions, HttpS3, ListOptions, ObjectKey, PutOptions, S3Client, WriteCondition,
};
use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
        SigningSettings, UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use proptest::{prelude::*, test_runner::TestRunner};
use support::{KEY_ID, SECRET, Seen, Server, TOKEN, answer, bucket};

const CASES: u32 = 64;

/// What `aws-sigv4` would have put into `Authorization`, over the same request at
/// the same time.
fn oracle(seen: &Seen, service: &str) -> String {
    let date = seen.header("x-amz-date").unwrap();
    let at: jiff::Timestamp =
        jiff::fmt::strtime::parse("%Y%m%dT%H%M%S%z", date.replace('Z', "+0000"))
            .unwrap()
            .to_timestamp()
            .unwrap();
    let time = UNIX_EPOCH + Duration::from_secs(u64::try_from(at.as_second()).unwrap());
    let line = seen.line();
    let (method, target) = line.split_once(' ').unwrap();
    let host = seen.header("host").unwrap();
    let authorization = seen.header("authorization").unwrap();
    let signed = authorization.split_once("SignedHeaders=").unwrap().1;
    let signed: Vec<&str> = signed.split_once(',').unwrap().0.split(';').collect();
    let headers: Vec<(String, String)> = seen
        .headers()
        .into_iter()
        // Those two are the signer's own to add.
        .filter(|(name, _)| name != "x-amz-date" && name != "x-amz-security-token")
        .filter(|(name, _)| signed.contains(&name.as_str()))
        .collect();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    settings.signature_location = SignatureLocation::Headers;
    let identity = AwsCredentials::new(KEY_ID, SECRET, Some(TOKEN.into()), None, "test").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-test-1")
        .name(service)
        .time(time)
        .settings(settings)
        .build()
        .unwrap();
    let payload = seen.header("x-amz-content-sha256").unwrap();
    let body = match payload.as_str() {
        "UNSIGNED-PAYLOAD" => SignableBody::UnsignedPayload,
        _ => SignableBody::Precomputed(payload),
    };
    let request = SignableRequest::new(
        method,
        format!("http://{host}{target}"),
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())),
        body,
    )
    .unwrap();
    let (instructions, _) = sign(request, &params.into()).unwrap().into_parts();
    let (_, value) = instructions.headers().find(|(name, _)| *name == "authorization").unwrap();
    value.to_owned()
}

fn keys() -> impl Strategy<Value = ObjectKey> {
    prop_oneof!["\\PC{1,40}", "[ -~]{1,60}", "[a-c/%+ ?#&=.]{1,20}"]
        .prop_filter_map("no object key", |key: String| ObjectKey::parse(key).ok())
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["[!-~]([ -~]{0,30}[!-~])?", "[a-c ]{0,9}x"].prop_map(|text| text.trim().to_owned())
}

fn names() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9][a-zA-Z0-9_.-]{0,15}"
}

/// Sends each case and compares; one runtime and one server for all of them.
fn compare<T: std::fmt::Debug>(cases: impl Strategy<Value = T>, call: &impl AsyncFn(&HttpS3, T)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listing = "<ListBucketResult></ListBucketResult>";
    let script = (0..CASES * 2).map(|_| answer("200 OK", &[], listing));
    let (server, s3) = runtime.block_on(async {
        let server = Server::start(script).await;
        let credentials = Credentials::Static {
            access_key_id: KEY_ID.into(),
            secret_access_key: SECRET.into(),
            session_token: Some(TOKEN.into()),
        };
        let s3 = server.builder().credentials(credentials).build().await.unwrap();
        (server, s3)
    });
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..Default::default() };
    let outcome = TestRunner::new(config).run(&cases, |case| {
        runtime.block_on(call(&s3, case));
        let seen = server.requests().pop().unwrap();
        prop_assert_eq!(
            seen.header("authorization").unwrap(),
            oracle(&seen, "s3"),
            "{}",
            seen.head()
        );
        Ok(())
    });
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    assert!(server.requests().len() >= CASES as usize);
}

#[test]
fn puts_are_signed_as_aws_signs_them() {
    let metadata = prop::collection::btree_map(names(), texts(), 0..6);
    let tags = prop::collection::btree_map("\\PC{1,9}", "\\PC{0,9}", 0..4);
    compare(
        (keys(), metadata, tags, any::<Vec<u8>>()),
        &async |s3, (key, metadata, tags, body)| {
            let mut lower = std::collections::BTreeMap::new();
            for (name, value) in metadata {
                lower.insert(name.to_ascii_lowercase(), value);
            }
            let options = PutOptions {
                metadata: lower.into_iter().collect(),
                tags: tags.into_iter().collect(),
                condition: WriteCondition::IfAbsent,
                ..PutOptions::default()
            };
            s3.put_object(&bucket(), &key, body.into(), &options).await.unwrap();
        },
    );
}

#[test]
fn reads_are_signed_as_aws_signs_them() {
    compare((keys(), texts(), texts()), &async |s3, (key, version, etag)| {
        let options = GetOptions {
            version_id: Some(version),
            if_none_match: Some(etag),
            ..GetOptions::default()
        };
        s3.get_object(&bucket(), &key, &options).await.unwrap();
    });
}

#[test]
fn listings_are_signed_as_aws_signs_them() {
    compare(("\\PC{0,40}", "\\PC{1,3}", "\\PC{1,40}"), &async |s3, (prefix, delimiter, token)| {
        let options = ListOptions {
            prefix,
            delimiter: Some(delimiter),
            continuation: Some(token),
            limit: Some(7),
            ..ListOptions::default()
        };
        s3.list_objects(&bucket(), &options).await.unwrap();
    });
}

/// The role's key is asked for with the same signature, of another service.
#[tokio::test]
async fn a_role_is_asked_for_as_aws_signs() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let text = format!(
        "[default]\nrole_arn = arn:r\nsource_profile = k\n[profile k]\naws_access_key_id = {KEY_ID}\n\
         aws_secret_access_key = {SECRET}\naws_session_token = {TOKEN}\n"
    );
    std::fs::write(&config, text).unwrap();
    let sts = Server::start([answer("200 OK", &[], "")]).await;
    let s3 = HttpS3::builder()
        .endpoint("http://own.test")
        .environment([
            ("AWS_CONFIG_FILE", config.to_str().unwrap()),
            ("AWS_ENDPOINT_URL_STS", &sts.endpoint()),
            ("AWS_REGION", "eu-test-1"),
        ])
        .build()
        .await
        .unwrap();
    s3.credentials_source().await.unwrap_err();
    let seen = sts.only();
    assert_eq!(seen.header("authorization").unwrap(), oracle(&seen, "sts"));
}
