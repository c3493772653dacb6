//! The parsers of what comes from outside, as plain functions over bytes: for the targets in
//! `fuzz/parsers`, and for the tests below, which play their corpus back.
//!
//! Whatever comes in, each gives a value or an error. What it gives is no longer than what
//! came in allows, and an error is fit to be shown and logged.

#![expect(clippy::missing_panics_doc, reason = "to panic is how a target tells what it found")]

use std::{
    error::Error,
    fmt::Debug,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::de::DeserializeOwned;

use super::{
    Addressing,
    clock::Clock,
    content_range::ContentRange,
    copy_object::CopyObjectResult,
    credentials::AccessKey,
    delete_objects::DeleteResult,
    encode,
    endpoint::Endpoint,
    error_response::Answered,
    get_object_tagging::Tagging,
    list_objects_v2::ListBucketResult,
    multipart::{
        CompleteMultipartUploadResult, InitiateMultipartUploadResult, ListMultipartUploadsResult,
    },
    object_headers,
    places::{Place, Places},
    profile::{Kind, ProfileFile},
    response::Answer,
    sign::Signing,
    verification::ToldChecksum,
};
use crate::{Bucket, ObjectKey, Operation, S3Error};

/// What is done with the bytes.
pub type Target = fn(&[u8]);

/// The name of a target and of its corpus, and what it does.
pub const TARGETS: [(&str, Target); 8] = [
    ("config_file", config_file),
    ("endpoint", endpoint),
    ("error_xml", error_xml),
    ("headers", headers),
    ("list_xml", list_xml),
    ("multipart_xml", multipart_xml),
    ("object_xml", object_xml),
    ("presigned_url", presigned_url),
];

/// Longest text of an error: what a service says, with what the client adds.
const MAX_SHOWN: usize = 4096;

/// The body of an error, under each kind of status.
pub fn error_xml(bytes: &[u8]) {
    for status in [200, 301, 400, 403, 404, 500, 503] {
        failed(status, &HeaderMap::new(), bytes);
    }
}

/// A listing of objects.
pub fn list_xml(bytes: &[u8]) {
    let Some(page) = xml::<ListBucketResult>("ListBucketResult", bytes) else { return };
    if let Ok(listing) = page.into_listing() {
        let keys = listing.objects.iter().map(|object| object.key.len());
        let prefixes = listing.common_prefixes.iter().map(String::len);
        assert!(keys.chain(prefixes).sum::<usize>() <= bytes.len(), "keys grew");
    }
}

/// What is answered to the calls of a multipart upload.
pub fn multipart_xml(bytes: &[u8]) {
    xml::<InitiateMultipartUploadResult>("InitiateMultipartUploadResult", bytes);
    xml::<CompleteMultipartUploadResult>("CompleteMultipartUploadResult", bytes);
    let page = xml::<ListMultipartUploadsResult>("ListMultipartUploadsResult", bytes);
    if let Some(page) = page {
        let mut uploads = Vec::new();
        if page.take(&mut uploads).is_ok() {
            let keys: usize = uploads.iter().map(|one| one.key.len() + one.upload_id.len()).sum();
            assert!(keys <= bytes.len(), "keys grew");
        }
    }
}

/// What is answered to the other calls.
pub fn object_xml(bytes: &[u8]) {
    xml::<CopyObjectResult>("CopyObjectResult", bytes);
    xml::<DeleteResult>("DeleteResult", bytes);
    xml::<Tagging>("Tagging", bytes);
}

/// The head of an answer, as `name: value` lines.
pub fn headers(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|b| *b == b'\n').take(1000) {
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    if let Some(range) = ContentRange::of(&headers) {
        assert!(range.bytes.start < range.bytes.end && range.bytes.end <= range.total);
    }
    if let Ok(info) = object_headers::info(&headers) {
        assert!(info.metadata.len() <= headers.len());
    }
    if let Some(told) = ToldChecksum::of(&headers) {
        assert!(format!("{told:?}").len() <= bytes.len() + 100);
    }
    for status in [301, 403, 503] {
        failed(status, &headers, b"");
    }
    let clock = Clock::default();
    clock.observe(&headers);
    let key = AccessKey::new("id", "secret");
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(clock.skew().unsigned_abs()));
    if let Some(at) = at {
        // Whatever a service says of the time, it is signed with or refused.
        let _ = Signing::new(&key, "us-east-1", at).map(drop);
    }
}

/// AWS's configuration files.
pub fn config_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for kind in [Kind::Config, Kind::Credentials] {
        let shown = format!("{:?}", ProfileFile::parse(&text, kind)).len();
        // A character has at most 10 in `Debug`.
        assert!(shown <= 40 * text.len() + 1024, "{shown} of {}", text.len());
    }
}

/// The URL of a service, as a user or a redirect gives it.
pub fn endpoint(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(endpoint) = Endpoint::parse(&text) {
        let shown = endpoint.to_string();
        assert_eq!(Endpoint::parse(&shown).as_ref().ok(), Some(&endpoint), "{shown}");
        assert!(!endpoint.authority().contains('@') && !shown.contains(['?', '#']), "{shown}");
    }
    let mut headers = HeaderMap::new();
    if let Ok(location) = HeaderValue::from_str(&text) {
        headers.insert("location", location);
    }
    failed(307, &headers, b"");
}

/// A key, in a URL that is signed.
pub fn presigned_url(bytes: &[u8]) {
    let Ok(key) = ObjectKey::parse(String::from_utf8_lossy(bytes)) else { return };
    let (Ok(bucket), Ok(endpoint)) = (Bucket::parse("bkt"), Endpoint::parse("https://h.test/s3"))
    else {
        return;
    };
    let url = endpoint.url(Addressing::PathStyle, &bucket, Some(&key), "versionId=v");
    let Ok(request) = http::Request::get(&url).body(()) else {
        assert!(url.len() > 1024, "{url} is no URL");
        return;
    };
    let mut head = request.into_parts().0;
    let access = AccessKey::new("id", "secret").session_token("token");
    let signing = Signing::new(&access, "us-east-1", UNIX_EPOCH);
    let signed = signing.and_then(|s| s.sign_query(&mut head, Duration::from_mins(1)));
    assert!(signed.is_ok(), "{url}: {signed:?}");
    assert_eq!(head.uri.path(), format!("/s3/bkt/{}", encode::path(key.as_str())));
    let query = head.uri.query().unwrap_or_default();
    assert_eq!(query.matches("X-Amz-Signature=").count(), 1, "{query}");
}

/// An answer that is an error; it is looked at, and followed if it points elsewhere.
fn failed(status: u16, headers: &HeaderMap, body: &[u8]) {
    let (Ok(bucket), Ok(status)) = (Bucket::parse("bkt"), StatusCode::from_u16(status)) else {
        return;
    };
    for home in ["https://s3.us-east-1.amazonaws.com", "https://h.test", "http://127.0.0.1:1"] {
        let Ok(endpoint) = Endpoint::parse(home) else { return };
        let is_aws = endpoint.is_aws();
        let region = "us-east-1".to_owned();
        let place = Place { endpoint, addressing: Addressing::PathStyle, region };
        let operation = Operation::GetObject;
        let answered = Answered { operation, bucket: &bucket, status, headers, place: &place };
        let failure = answered.into_failure(body);
        assert!(failure.pause(Some(Duration::ZERO)) <= Some(Duration::from_secs(30)));
        let error = failure.error;
        fit_to_be_shown(&error);
        let places = Places::new(place.clone());
        if error.redirect().is_some_and(|to| places.follow(&bucket, &place, to)) {
            let to = places.of(&bucket);
            assert_ne!(*to, place);
            assert!(to.endpoint.is_aws() || !is_aws, "out of AWS: {to:?}");
            assert!(!to.endpoint.is_plain_http() || place.endpoint.is_plain_http(), "{to:?}");
        }
    }
}

/// A body of this root; its error is looked at, if it is none.
fn xml<T: DeserializeOwned + Debug>(root: &str, bytes: &[u8]) -> Option<T> {
    let answer = Answer {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        whole: Bytes::copy_from_slice(bytes),
        stream: None,
        attempts: 1,
        began: None,
    };
    match answer.xml::<T>(root, &Endpoint::parse("https://h.test").ok()?) {
        Ok(value) => {
            // No entity stands for more than itself: a character has at most 10 in `Debug`,
            // an element without a character at most 40 times its own.
            let shown = format!("{value:?}").len();
            assert!(shown <= 40 * bytes.len() + 1024, "{shown} of {} bytes", bytes.len());
            Some(value)
        }
        Err(error) => {
            fit_to_be_shown(&error);
            None
        }
    }
}

/// An error and all that caused it.
fn fit_to_be_shown(error: &S3Error) {
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        assert!(text.chars().count() <= MAX_SHOWN, "{} characters", text.len());
        assert!(!text.contains(char::is_control), "{text:?}");
        next = error.source();
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, panic, path::Path};

    use proptest::prelude::*;

    use super::*;

    /// What the targets begin with, and what they have found, by the names of the files.
    #[test]
    fn the_corpus_is_played_back() {
        for (name, parse) in TARGETS {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
            let files = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
            let (mut inputs, mut broken) = (0, Vec::new());
            for file in files {
                let file = file.unwrap().path();
                let bytes = fs::read(&file).unwrap();
                if panic::catch_unwind(|| parse(&bytes)).is_err() {
                    broken.push(file);
                }
                inputs += 1;
            }
            assert!(broken.is_empty(), "{broken:?}");
            assert!(inputs > 3, "{inputs} in {}", folder.display());
        }
    }

    /// Text made of what the parsers look for, and of anything at all.
    fn made_up() -> impl Strategy<Value = Vec<u8>> {
        let words = prop::sample::select(vec![
            "<Error>",
            "</Error>",
            "<Code>",
            "</Code>",
            "<Message>",
            "</Message>",
            "<ListBucketResult>",
            "</ListBucketResult>",
            "<Contents>",
            "</Contents>",
            "<Key>",
            "</Key>",
            "<Size>",
            "</Size>",
            "<IsTruncated>",
            "</IsTruncated>",
            "true",
            "<EncodingType>url</EncodingType>",
            "<LastModified>",
            "</LastModified>",
            "<ListMultipartUploadsResult>",
            "</ListMultipartUploadsResult>",
            "<Upload>",
            "</Upload>",
            "<UploadId>",
            "</UploadId>",
            "<CopyObjectResult>",
            "<DeleteResult>",
            "<Tagging>",
            "<ETag>",
            "</ETag>",
            "<Region>",
            "<Endpoint>",
            "&amp;",
            "&#65;",
            "&x;",
            "<!DOCTYPE a [<!ENTITY x \"y\">]>",
            "<![CDATA[",
            "]]>",
            "<!--",
            "-->",
            "<?xml",
            "?>",
            "\u{feff}",
            "content-range: bytes 0-1/2\n",
            "content-length: 5\n",
            "date: ",
            "Sun, 06 Nov 1994 08:49:37 GMT\n",
            "retry-after: 9999999999999999999\n",
            "x-amz-meta-a: b\n",
            "x-amz-checksum-crc32: AAAA\n",
            "location: ",
            "http://",
            "https://",
            "me:pw@",
            "[::1]",
            ":99999",
            "/",
            "\\",
            "..",
            "[default]\n",
            "[profile work]\n",
            "region = ",
            "eu-1\n",
            "#",
            ";",
            "%2F",
            "%",
            "+",
            "\u{1b}",
            "9223372036854775808",
            "-1",
        ])
        .prop_map(|word| word.as_bytes().to_vec());
        let piece = prop_oneof![4 => words, 1 => prop::collection::vec(any::<u8>(), 0..9)];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2048)) {
            for (_, parse) in TARGETS {
                parse(&bytes);
            }
        }

        #[test]
        fn bytes_that_are_nearly_right(bytes in made_up()) {
            for (_, parse) in TARGETS {
                parse(&bytes);
            }
        }
    }
}
