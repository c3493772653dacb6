//! What the service checks uploads by, in one request and in parts.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

#[path = "support/service.rs"]
mod service;
mod support;

use artifact_s3::{
    Body, ChecksumAlgorithm as Algorithm, HttpS3, PutOptions, S3Client, S3Error,
    S3ErrorKind as Kind, UploadChecksum,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::stream;
use md5::Md5;
use service::{Call, MIB, Operation, Rule, Service, error};
use sha2::{Digest, Sha256};
use support::{bucket, key};

const PART: usize = 5 << 20;

/// Bit by bit into a table, as the catalogue of CRC algorithms defines a reflected CRC
/// with all ones before and after; the polynomial is given reflected.
fn crc(polynomial: u64, width: u32, bytes: &[u8]) -> String {
    let table: Vec<u64> = (0..256)
        .map(|byte| {
            (0..8)
                .fold(byte, |rest: u64, _| (rest >> 1) ^ if rest & 1 == 1 { polynomial } else { 0 })
        })
        .collect();
    let ones = u64::MAX >> (64 - width);
    let step = |crc: u64, byte: &u8| {
        table[usize::try_from((crc ^ u64::from(*byte)) & 0xff).unwrap()] ^ (crc >> 8)
    };
    let value = bytes.iter().fold(ones, step) ^ ones;
    STANDARD.encode(&value.to_be_bytes()[8 - width as usize / 8..])
}

fn checksum(algorithm: Algorithm, bytes: &[u8]) -> String {
    match algorithm {
        Algorithm::Crc32 => crc(0xedb8_8320, 32, bytes),
        Algorithm::Crc32c => crc(0x82f6_3b78, 32, bytes),
        Algorithm::Crc64Nvme => crc(0x9a6c_9329_ac4b_c9b5, 64, bytes),
        Algorithm::Sha256 => STANDARD.encode(Sha256::digest(bytes)),
    }
}

/// Algorithm, S3's name, header, type of an object in parts.
const ALGORITHMS: [(Algorithm, &str, &str, &str); 4] = [
    (Algorithm::Crc32, "CRC32", "x-amz-checksum-crc32", "FULL_OBJECT"),
    (Algorithm::Crc32c, "CRC32C", "x-amz-checksum-crc32c", "FULL_OBJECT"),
    (Algorithm::Crc64Nvme, "CRC64NVME", "x-amz-checksum-crc64nvme", "FULL_OBJECT"),
    (Algorithm::Sha256, "SHA256", "x-amz-checksum-sha256", "COMPOSITE"),
];

fn noise(length: usize) -> Bytes {
    let mut random = fastrand::Rng::with_seed(7);
    (0..length).map(|_| random.u8(..)).collect()
}

fn once(bytes: &Bytes) -> Body {
    Body::from_stream(stream::iter([Ok(bytes.clone())]), None)
}

async fn put(
    s3: &HttpS3,
    body: Body,
    checksum: Option<Algorithm>,
) -> Result<artifact_s3::ObjectInfo, S3Error> {
    let options = PutOptions { checksum, ..PutOptions::default() };
    s3.put_object(&bucket(), &key("k"), body, &options).await
}

#[test]
fn the_oracle_knows_the_catalogues_check_values() {
    let digits = b"123456789";
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
    assert_eq!(checksum(Algorithm::Crc32, digits), base64(&[0xcb, 0xf4, 0x39, 0x26]));
    assert_eq!(checksum(Algorithm::Crc32c, digits), base64(&[0xe3, 0x06, 0x92, 0x83]));
    let nvme = 0xae8b_1486_0a79_9888_u64;
    assert_eq!(checksum(Algorithm::Crc64Nvme, digits), base64(&nvme.to_be_bytes()));
}

#[tokio::test]
async fn one_request_carries_the_checksum_of_all_bytes() {
    let bytes = noise(300_000);
    for (algorithm, _, header, _) in ALGORITHMS {
        for body in [Body::from(bytes.clone()), once(&bytes)] {
            let service = Service::obedient().await;
            put(&service.client().await, body, Some(algorithm)).await.unwrap();
            let seen = service.only(Operation::Put);
            assert_eq!(seen.header(header), Some(checksum(algorithm, &bytes)));
            assert_eq!(seen.header("content-md5"), None);
        }
    }
}

#[tokio::test]
async fn parts_carry_their_own_and_the_completion_that_of_all() {
    let bytes = noise(2 * PART + 1);
    for (algorithm, name, header, kind) in ALGORITHMS {
        for body in [Body::from(bytes.clone()), once(&bytes)] {
            let service = Service::obedient().await;
            put(&service.client().await, body, Some(algorithm)).await.unwrap();
            let create = service.only(Operation::Create);
            assert_eq!(create.header("x-amz-checksum-algorithm").as_deref(), Some(name));
            assert_eq!(create.header("x-amz-checksum-type").as_deref(), Some(kind));
            let complete = service.only(Operation::Complete);
            let list = String::from_utf8(complete.body().to_vec()).unwrap();
            for (number, part) in (1..).zip(bytes.chunks(PART)) {
                let expected = checksum(algorithm, part);
                let seen = service.only(Operation::Part(number));
                assert_eq!(seen.header(header).as_ref(), Some(&expected), "{number}");
                let listed = format!("<Checksum{name}>{expected}</Checksum{name}></Part>");
                assert!(list.contains(&listed), "{list}");
            }
            // A checksum of checksums is made by the service alone.
            let whole = (kind == "FULL_OBJECT").then(|| checksum(algorithm, &bytes));
            assert_eq!(complete.header(header), whole);
            let told = whole.map(|_| kind.to_owned());
            assert_eq!(complete.header("x-amz-checksum-type"), told);
        }
    }
}

#[tokio::test]
async fn none_is_sent_where_none_is_asked_for() {
    let service = Service::obedient().await;
    let s3 = service.client().await;
    put(&s3, "x".into(), None).await.unwrap();
    put(&s3, noise(7 << 20).into(), None).await.unwrap();
    for call in &service.state().calls {
        let headers = call.seen.headers();
        let mut names = headers.iter().map(|(name, _)| name.as_str());
        let found = names.find(|name| name.contains("checksum") || *name == "content-md5");
        assert_eq!(found, None, "{:?}", call.operation);
    }
}

#[tokio::test]
async fn a_client_can_send_one_always_and_the_options_come_first() {
    let service = Service::obedient().await;
    let always = UploadChecksum::Always(Algorithm::Crc32c);
    let s3 = service.builder().upload_checksum(always).build().await.unwrap();
    put(&s3, "x".into(), None).await.unwrap();
    let expected = Some(checksum(Algorithm::Crc32c, b"x"));
    assert_eq!(service.only(Operation::Put).header("x-amz-checksum-crc32c"), expected);
    put(&s3, noise(7 << 20).into(), Some(Algorithm::Sha256)).await.unwrap();
    let part = service.only(Operation::Part(1));
    assert!(part.header("x-amz-checksum-sha256").is_some());
    assert_eq!(part.header("x-amz-checksum-crc32c"), None);
}

#[tokio::test]
async fn content_md5_rides_on_puts_and_parts_if_asked_for() {
    let md5 = |bytes: &[u8]| Some(STANDARD.encode(Md5::digest(bytes)));
    let service = Service::obedient().await;
    let s3 = service.builder().content_md5(true).build().await.unwrap();
    put(&s3, "x".into(), None).await.unwrap();
    assert_eq!(service.only(Operation::Put).header("content-md5"), md5(b"x"));
    let bytes = noise(7 << 20);
    put(&s3, bytes.clone().into(), None).await.unwrap();
    assert_eq!(service.only(Operation::Part(1)).header("content-md5"), md5(&bytes[..PART]));
    assert_eq!(service.only(Operation::Part(2)).header("content-md5"), md5(&bytes[PART..]));
}

#[tokio::test]
async fn bytes_in_memory_are_signed_over_plain_http_unless_told_otherwise() {
    for unsigned in [false, true] {
        let service = Service::obedient().await;
        let s3 = service.builder().unsigned_payload(unsigned).build().await.unwrap();
        for body in [Body::from("x"), noise(7 << 20).into()] {
            put(&s3, body, None).await.unwrap();
        }
        for operation in [Operation::Put, Operation::Part(1), Operation::Part(2)] {
            let signed = service.only(operation).header("x-amz-content-sha256").unwrap();
            assert_eq!(signed == "UNSIGNED-PAYLOAD", unsigned, "{operation:?}");
        }
    }
}

#[tokio::test]
async fn a_checksum_that_does_not_match_is_an_integrity_error() {
    for code in ["BadDigest", "XAmzContentChecksumMismatch"] {
        let mismatch = move |call: &Call| match call.operation {
            Operation::Part(2) | Operation::Put => Rule::Say(error("400 Bad Request", code)),
            _ => Rule::Obey,
        };
        for body in [Body::from("x"), noise(7 << 20).into()] {
            let service = Service::start(mismatch).await;
            let s3 = service.client().await;
            let failed = put(&s3, body, Some(Algorithm::Crc32)).await.unwrap_err();
            assert_eq!((failed.kind(), failed.code()), (Kind::Integrity, Some(code)));
            assert!(service.unfinished().is_empty() && service.object().is_none());
        }
    }
}

#[tokio::test]
async fn a_service_that_takes_no_checksum_is_answered_with_advice() {
    let unsupported = "<Error><Code>InvalidArgument</Code><Message>Unsupported header \
                       'x-amz-checksum-crc64nvme' received for this API call.</Message></Error>";
    let refusals = [
        support::response("400 Bad Request", &[], unsupported.as_bytes()),
        error("501 Not Implemented", "NotImplemented"),
    ];
    for refusal in refusals {
        for (operation, length) in [(Operation::Put, 1), (Operation::Create, 7 * MIB)] {
            let refusal = refusal.clone();
            let service = Service::start(move |call: &Call| {
                if call.operation == operation { Rule::Say(refusal.clone()) } else { Rule::Obey }
            })
            .await;
            let body = || Body::from(noise(usize::try_from(length).unwrap()));
            let always = UploadChecksum::Always(Algorithm::Crc64Nvme);
            let s3 = service.builder().upload_checksum(always).build().await.unwrap();
            let failed = put(&s3, body(), None).await.unwrap_err();
            assert_eq!(failed.kind(), Kind::Service);
            assert!(failed.message().contains("`WhenAsked`"), "{failed}");
            // Who sends none needs no advice.
            let failed = put(&service.client().await, body(), None).await.unwrap_err();
            assert!(!failed.message().contains("WhenAsked"), "{failed}");
        }
    }
}

#[tokio::test]
async fn aws_gets_one_always_and_others_only_if_asked() {
    // Through a proxy on this machine, which answers for AWS.
    let proxy = support::Server::start([support::ok(), support::ok()]).await;
    let builder = || {
        HttpS3::builder()
            .endpoint("http://s3.eu-west-1.amazonaws.com")
            .region("eu-west-1")
            .credentials(artifact_s3::Credentials::key(support::KEY_ID, support::SECRET))
            .environment([("HTTP_PROXY", proxy.endpoint())])
    };
    put(&builder().build().await.unwrap(), "x".into(), None).await.unwrap();
    let asked = builder().upload_checksum(UploadChecksum::WhenAsked).build().await.unwrap();
    put(&asked, "x".into(), None).await.unwrap();
    let sent: Vec<Option<String>> = proxy
        .requests()
        .iter()
        .map(|seen| {
            assert!(seen.line().contains("amazonaws.com/k"), "{}", seen.line());
            seen.header("x-amz-checksum-crc64nvme")
        })
        .collect();
    assert_eq!(sent, [Some(checksum(Algorithm::Crc64Nvme, b"x")), None]);
}
