//! Presigned URLs, held against the ones that AWS's own code makes.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use artifact_s3::{
    AccessKey, Addressing, ChecksumAlgorithm, ContentHeaders, Credentials, CredentialsProvider,
    CustomerKey, GetOptions, HttpS3, HttpS3Builder, ObjectKey, PresignedUrl, PutOptions, S3Error,
    S3ErrorKind, WriteCondition,
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
use support::{KEY_ID, SECRET, TOKEN, bucket, key};

const HOUR: Duration = Duration::from_hours(1);

fn builder() -> HttpS3Builder {
    HttpS3::builder().endpoint("https://s3.test:8443/base").region("eu-test-1").credentials(
        Credentials::Static {
            access_key_id: KEY_ID.into(),
            secret_access_key: SECRET.into(),
            session_token: Some(TOKEN.into()),
        },
    )
}

fn query(url: &str) -> BTreeMap<String, String> {
    url::Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

/// The query that `aws-sigv4` adds to the same request at the same time.
fn oracle(presigned: &PresignedUrl) -> BTreeMap<String, String> {
    let url = presigned.expose();
    let ours = query(url);
    // What is signed are the pairs that were there before the signer's.
    let (base, all) = url.split_once('?').unwrap();
    let given: Vec<&str> = all.split('&').filter(|pair| !pair.starts_with("X-Amz-")).collect();
    let unsigned = format!("{base}?{}", given.join("&"));
    let at: jiff::Timestamp =
        jiff::fmt::strtime::parse("%Y%m%dT%H%M%S%z", ours["X-Amz-Date"].replace('Z', "+0000"))
            .unwrap()
            .to_timestamp()
            .unwrap();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(ours["X-Amz-Expires"].parse().unwrap()));
    // Signed here, as each header that a caller of ours must send.
    settings.excluded_headers = None;
    let identity = AwsCredentials::new(KEY_ID, SECRET, Some(TOKEN.into()), None, "test").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-test-1")
        .name("s3")
        .time(UNIX_EPOCH + Duration::from_secs(u64::try_from(at.as_second()).unwrap()))
        .settings(settings)
        .build()
        .unwrap();
    let headers = presigned.headers().iter().map(|(n, v)| (n.as_str(), v.as_str()));
    let request =
        SignableRequest::new(presigned.method(), unsigned, headers, SignableBody::UnsignedPayload)
            .unwrap();
    let (instructions, _) = sign(request, &params.into()).unwrap().into_parts();
    let params = instructions.params().iter().map(|(n, v)| ((*n).to_owned(), v.to_string()));
    params.collect()
}

fn compare<T: std::fmt::Debug>(
    cases: impl Strategy<Value = T>,
    presign: &impl AsyncFn(&HttpS3, T) -> PresignedUrl,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let s3 = runtime.block_on(builder().build()).unwrap();
    let config = ProptestConfig { cases: 128, failure_persistence: None, ..Default::default() };
    let outcome = TestRunner::new(config).run(&cases, |case| {
        let presigned = runtime.block_on(presign(&s3, case));
        let (ours, theirs) = (query(presigned.expose()), oracle(&presigned));
        for (name, value) in theirs {
            prop_assert_eq!(ours.get(&name), Some(&value), "{}", presigned.expose());
        }
        prop_assert!(ours.contains_key("X-Amz-Signature"));
        Ok(())
    });
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
}

fn keys() -> impl Strategy<Value = ObjectKey> {
    prop_oneof!["\\PC{1,40}", "[ -~]{1,60}", "[a-c/%+ ?#&=.]{1,20}"]
        .prop_filter_map("no object key", |key: String| ObjectKey::parse(key).ok())
}

fn texts() -> impl Strategy<Value = String> {
    "[!-~]([ -~]{0,30}[!-~])?"
}

#[test]
fn gets_are_signed_as_aws_signs_them() {
    let cases = (keys(), texts(), proptest::option::of(texts()), 1..=604_800_u64);
    compare(cases, &async |s3, (key, version, disposition, seconds)| {
        let options = GetOptions {
            version_id: Some(version),
            if_match: Some("etag".to_owned()),
            ..GetOptions::default()
        };
        let response = ContentHeaders { content_disposition: disposition, ..Default::default() };
        let valid = Duration::from_secs(seconds);
        s3.presign_get(&bucket(), &key, &options, &response, valid).await.unwrap()
    });
}

#[test]
fn puts_are_signed_as_aws_signs_them() {
    let metadata = prop::collection::btree_map("[a-z0-9][a-z0-9_.-]{0,15}", texts(), 0..6);
    compare((keys(), texts(), metadata), &async |s3, (key, content_type, metadata)| {
        let options = PutOptions {
            content: ContentHeaders { content_type: Some(content_type), ..Default::default() },
            metadata: metadata.into_iter().collect(),
            condition: WriteCondition::IfAbsent,
            ..PutOptions::default()
        };
        s3.presign_put(&bucket(), &key, &options, HOUR).await.unwrap()
    });
}

#[tokio::test]
async fn what_stands_in_the_url_and_what_must_be_sent_with_it() {
    let s3 = builder().expected_bucket_owner("123456789012").build().await.unwrap();
    let response = ContentHeaders {
        content_type: Some("text/plain".to_owned()),
        cache_control: Some("no-store".to_owned()),
        ..Default::default()
    };
    let options = GetOptions { version_id: Some("v1".to_owned()), ..Default::default() };
    let presigned =
        s3.presign_get(&bucket(), &key("a b"), &options, &response, HOUR).await.unwrap();
    assert!(presigned.expose().starts_with("https://s3.test:8443/base/test-bucket/a%20b?"));
    let query = query(presigned.expose());
    for (name, value) in [
        ("versionId", "v1"),
        ("response-content-type", "text/plain"),
        ("response-cache-control", "no-store"),
        ("X-Amz-Expires", "3600"),
        ("X-Amz-SignedHeaders", "host;x-amz-expected-bucket-owner"),
    ] {
        assert_eq!(query.get(name).map(String::as_str), Some(value), "{query:?}");
    }
    assert_eq!(presigned.method(), "GET");
    let owner = ("x-amz-expected-bucket-owner".to_owned(), "123456789012".to_owned());
    assert_eq!(presigned.headers(), [owner]);
    let left = presigned.expires_at().duration_since(SystemTime::now()).unwrap();
    assert!(left <= HOUR && left > Duration::from_mins(55), "{left:?}");

    let in_host = builder().addressing(Addressing::VirtualHost).build().await.unwrap();
    let put =
        in_host.presign_put(&bucket(), &key("k"), &PutOptions::default(), HOUR).await.unwrap();
    assert!(put.expose().starts_with("https://test-bucket.s3.test:8443/base/k?"));
    assert_eq!((put.method(), put.headers()), ("PUT", [].as_slice()));
}

#[tokio::test]
async fn what_cannot_be_presigned_is_refused() {
    let day = Duration::from_hours(24);
    let s3 = builder().build().await.unwrap();
    let none = PutOptions::default();
    for valid in [Duration::ZERO, Duration::from_millis(999), 7 * day + Duration::from_secs(1)] {
        let error = s3.presign_put(&bucket(), &key("k"), &none, valid).await.unwrap_err();
        assert_eq!(error.kind(), S3ErrorKind::InvalidRequest, "{error}");
        assert!(error.to_string().contains("1 second to 7 days"), "{error}");
    }
    for valid in [Duration::from_secs(1), 7 * day] {
        s3.presign_put(&bucket(), &key("k"), &none, valid).await.unwrap();
    }

    let checksum = PutOptions { checksum: Some(ChecksumAlgorithm::Sha256), ..none.clone() };
    let bad_header = PutOptions {
        content: ContentHeaders { content_type: Some("a\r\nb: c".into()), ..Default::default() },
        ..none.clone()
    };
    let with_key = builder().customer_key(CustomerKey::new([7; 32])).build().await.unwrap();
    let anonymous = builder().credentials(Credentials::Anonymous).build().await.unwrap();
    for (s3, options, expected) in [
        (&s3, &checksum, "checksum"),
        (&s3, &bad_header, "content-type"),
        (&with_key, &none, "customer key"),
        (&anonymous, &none, "no credentials"),
    ] {
        let error = s3.presign_put(&bucket(), &key("k"), options, HOUR).await.unwrap_err();
        assert_eq!(error.kind(), S3ErrorKind::InvalidRequest, "{error}");
        assert!(error.message().contains(expected), "{error}");
    }
    let response = ContentHeaders { content_type: Some("ü".into()), ..Default::default() };
    let get = s3.presign_get(&bucket(), &key("k"), &GetOptions::default(), &response, HOUR).await;
    assert_eq!(get.unwrap_err().kind(), S3ErrorKind::InvalidRequest);
}

struct Temporary(AccessKey);

#[async_trait::async_trait]
impl CredentialsProvider for Temporary {
    fn name(&self) -> String {
        "a test".to_owned()
    }

    async fn access_key(&self) -> Result<AccessKey, S3Error> {
        Ok(self.0.clone())
    }
}

#[tokio::test]
async fn a_url_ends_with_the_credentials_that_signed_it() {
    let until = SystemTime::now() + Duration::from_mins(30);
    let access_key = AccessKey::new(KEY_ID, SECRET).session_token(TOKEN).expires_at(until);
    let credentials = Credentials::provider(Temporary(access_key));
    let s3 = builder().credentials(credentials).build().await.unwrap();
    let none = PutOptions::default();
    let put = s3.presign_put(&bucket(), &key("k"), &none, HOUR).await.unwrap();
    let off = |at: SystemTime| at.duration_since(until).unwrap_or_else(|e| e.duration());
    assert!(off(put.expires_at()) < Duration::from_mins(1), "{put:?}");
}

#[tokio::test]
async fn nothing_of_the_signature_is_shown() {
    let s3 = builder().build().await.unwrap();
    let options = PutOptions {
        metadata: vec![("note".to_owned(), "private-note".to_owned())],
        ..Default::default()
    };
    let put = s3.presign_put(&bucket(), &key("k"), &options, HOUR).await.unwrap();
    let shown = format!("{put:?}");
    assert!(shown.contains("https://s3.test:8443/base/test-bucket/k?…"), "{shown}");
    for secret in [&query(put.expose())["X-Amz-Signature"], TOKEN, KEY_ID, "private-note"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
