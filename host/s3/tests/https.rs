//! Over TLS: who is trusted, who is asked for a certificate, and what a put looks like.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::io::Write;

use artifact_s3::{
    ConfigError, Credentials, HttpS3, HttpS3Builder, ObjectInfo, PutOptions, S3Client, S3Error,
    S3ErrorKind,
};
use support::{KEY_ID, SECRET, Server, tls::Authority};

fn client(port: u16) -> HttpS3Builder {
    HttpS3::builder()
        .endpoint(format!("https://localhost:{port}"))
        .credentials(Credentials::key(KEY_ID, SECRET))
}

async fn put(client: HttpS3Builder) -> Result<ObjectInfo, S3Error> {
    let client = client.build().await.unwrap();
    let (bucket, key) = (support::bucket(), support::key("k"));
    client.put_object(&bucket, &key, "hello".into(), &PutOptions::default()).await
}

#[tokio::test]
async fn a_put_goes_through_with_its_payload_unsigned() {
    let server = Server::start([support::ok()]).await;
    let authority = Authority::new();
    let port = authority.in_front_of(&server, "localhost").await;
    let mut bundle = tempfile::NamedTempFile::new().unwrap();
    bundle.write_all(authority.pem().as_bytes()).unwrap();
    let path = bundle.path().to_str().unwrap();
    put(client(port).environment([("AWS_CA_BUNDLE", path)])).await.unwrap();

    let seen = server.only();
    assert_eq!(seen.body(), b"hello");
    // TLS keeps the bytes as they are; hashing them first would cost a pass.
    assert_eq!(seen.header("x-amz-content-sha256").unwrap(), "UNSIGNED-PAYLOAD");
    assert_eq!(seen.header("host").unwrap(), format!("localhost:{port}"));
}

#[tokio::test]
async fn certificates_that_are_given_are_trusted_besides_the_bundle() {
    let server = Server::start([support::ok(), support::ok()]).await;
    let (given, bundled) = (Authority::new(), Authority::new());
    let mut bundle = tempfile::NamedTempFile::new().unwrap();
    bundle.write_all(bundled.pem().as_bytes()).unwrap();
    for authority in [&given, &bundled] {
        let port = authority.in_front_of(&server, "localhost").await;
        let path = bundle.path().to_str().unwrap();
        let client = client(port).environment([("AWS_CA_BUNDLE", path)]);
        put(client.root_certificates(given.pem())).await.unwrap();
    }
    assert_eq!(server.requests().len(), 2);
}

/// Set for the process in which a client of plain HTTP is sent to TLS; its endpoint.
const SENT_TO_TLS: &str = "ARTIFACT_S3_TEST_SENT_TO_TLS";

#[tokio::test]
async fn a_redirect_from_plain_http_to_tls_finds_the_systems_certificates() {
    if let Ok(endpoint) = std::env::var(SENT_TO_TLS) {
        let client = HttpS3::builder().endpoint(endpoint).credentials(Credentials::Anonymous);
        match put(client).await {
            Ok(_) => println!("stored over TLS"),
            Err(error) => println!("{error}"),
        }
        return;
    }
    let server = Server::start([support::ok()]).await;
    let authority = Authority::new();
    let port = authority.in_front_of(&server, "localhost").await;
    let folder = tempfile::tempdir().unwrap();
    let (trusted, none) = (folder.path().join("ca.pem"), folder.path().join("none.pem"));
    std::fs::write(&trusted, authority.pem()).unwrap();
    std::fs::write(&none, "").unwrap();
    for (system, expected) in [(none, "this machine has none to trust"), (trusted, "stored")] {
        let location = format!("https://localhost:{port}/test-bucket/k");
        let moved =
            support::answer("307 Temporary Redirect", &[("Location", location.as_str())], "");
        let plain = Server::start([moved]).await;
        // A process of its own, as only the environment says where the system has them.
        let mut test = std::process::Command::new(std::env::current_exe().unwrap());
        test.args(["--exact", "--nocapture"])
            .arg("a_redirect_from_plain_http_to_tls_finds_the_systems_certificates")
            .env(SENT_TO_TLS, plain.endpoint())
            .env("SSL_CERT_FILE", system)
            .env_remove("SSL_CERT_DIR");
        let output = tokio::task::spawn_blocking(move || test.output()).await.unwrap().unwrap();
        let output = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.contains(expected), "{output}");
    }
    assert_eq!(server.only().body(), b"hello");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_ends_the_call_at_once_and_says_what_to_do() {
    let server = Server::start([support::ok()]).await;
    let (trusted, other) = (Authority::new(), Authority::new());
    let wrong_name = trusted.in_front_of(&server, "elsewhere.test").await;
    let unknown = other.in_front_of(&server, "localhost").await;
    for (port, advice) in [
        (wrong_name, "use a name that the certificate is for in the endpoint"),
        (unknown, "AWS_CA_BUNDLE"),
    ] {
        let error = put(client(port).root_certificates(trusted.pem())).await.unwrap_err();
        assert_eq!(error.kind(), S3ErrorKind::Unreachable, "{error}");
        assert!(!error.is_retryable() && error.attempts() == 1, "{error}");
        assert!(error.message().contains("certificate"), "{error}");
        assert!(error.message().contains(advice), "{error}");
    }
    assert!(server.requests().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn a_service_that_wants_a_client_certificate_gets_it() {
    let server = Server::start([support::ok()]).await;
    let (authority, clients) = (Authority::new(), Authority::new());
    let port = authority.for_clients_of(&clients, &server, "localhost").await;
    let known = client(port).root_certificates(authority.pem());
    put(known.clone().identity(clients.sign("us").pem())).await.unwrap();
    assert_eq!(server.only().body(), b"hello");

    for (unknown, advice) in [
        (known.clone(), "give it with `identity`"),
        (known.identity(Authority::new().sign("us").pem()), "does not accept the client"),
    ] {
        let error = put(unknown).await.unwrap_err();
        assert_eq!(error.kind(), S3ErrorKind::Unreachable, "{error}");
        assert!(!error.is_retryable() && error.attempts() == 1, "{error}");
        assert!(error.message().contains(advice), "{error}");
    }
    assert_eq!(server.requests().len(), 1, "nothing more was sent");
}

#[tokio::test]
async fn what_cannot_be_a_certificate_is_refused_when_the_client_is_made() {
    let authority = Authority::new();
    let (one, other) = (authority.sign("one"), authority.sign("other"));
    let mixed = one.certificate.pem() + &other.key.serialize_pem();
    for pem in ["", "hunter2", &one.certificate.pem(), &one.key.serialize_pem(), &mixed] {
        let error = client(1).identity(pem).build().await.unwrap_err();
        assert!(matches!(error, ConfigError::Identity), "{pem}: {error}");
    }
    let cut = authority.pem().replace("-----END", "");
    for pem in ["", "hunter2", &cut] {
        let error = client(1).root_certificates(pem).build().await.unwrap_err();
        assert!(matches!(error, ConfigError::RootCertificates { .. }), "{pem}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let shown = format!("{:?}", client(1).identity(one.pem()));
    assert!(!shown.contains("PRIVATE KEY"), "{shown}");
}
