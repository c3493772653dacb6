//! A bare HTTP client whose requests are signed by `aws-sigv4`: it shares no code
//! with the clients of this repository.
#![allow(dead_code, reason = "each test file uses its part of it")]

use std::time::SystemTime;

use artifact_s3_server::LocalServer;
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

#[derive(Clone)]
pub(crate) struct Client {
    endpoint: String,
    credentials: Credentials,
    http: reqwest::Client,
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Options<'a> {
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a [u8],
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    headers: reqwest::header::HeaderMap,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Client {
    pub(crate) fn of(server: &LocalServer) -> Self {
        Self::new(&server.endpoint(), server.access_key(), server.secret_key().expose())
    }

    pub(crate) fn new(endpoint: &str, access_key: &str, secret_key: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            credentials: Credentials::new(access_key, secret_key, None, None, "test"),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    pub(crate) async fn call(&self, method: &str, target: &str, options: Options<'_>) -> Answer {
        let body = SignableBody::Bytes(options.body);
        let request = self.signed(method, target, options.headers, body);
        let answer = request.body(options.body.to_vec()).send().await.unwrap();
        Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: answer.text().await.unwrap(),
        }
    }

    /// Puts what comes out of the channel, as it comes.
    pub(crate) async fn upload(
        &self,
        target: &str,
        length: u64,
        chunks: tokio::sync::mpsc::Receiver<std::io::Result<&'static [u8]>>,
    ) -> u16 {
        let length = length.to_string();
        let headers = [("content-length", &*length)];
        let request = self.signed("PUT", target, &headers, SignableBody::UnsignedPayload);
        let chunks = futures::stream::unfold(chunks, |mut chunks| async move {
            Some((chunks.recv().await?, chunks))
        });
        let answer = request.body(reqwest::Body::wrap_stream(chunks)).send().await.unwrap();
        answer.status().as_u16()
    }

    fn signed(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: SignableBody<'_>,
    ) -> reqwest::RequestBuilder {
        let url = format!("{}{target}", self.endpoint);
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let identity = self.credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let signable = SignableRequest::new(method, &url, headers.iter().copied(), body).unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        let mut request = self.http.request(method.parse().unwrap(), &url);
        for (name, value) in headers.iter().copied().chain(instructions.headers()) {
            request = request.header(name, value);
        }
        request
    }
}

/// The path of a key, encoded as S3 clients do.
pub(crate) fn path(bucket: &str, key: &str) -> String {
    const KEPT: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');
    format!("/{bucket}/{}", utf8_percent_encode(key, KEPT))
}
