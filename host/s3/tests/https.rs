//! Over TLS: the certificate is checked, and a put goes through.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{io::Write, sync::Arc};

use artifact_s3::{Credentials, HttpS3, PutOptions, S3Client, S3ErrorKind};
use rcgen::CertifiedKey;
use support::{KEY_ID, SECRET, Server};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

/// TLS in front of a scripted server: its port, and its own certificate.
async fn tls_in_front_of(server: &Server, name: &str) -> (u16, String) {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, behind) = (listener.local_addr().unwrap().port(), server.port);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not trust us ends the handshake.
                let Ok(mut tls) = acceptor.accept(socket).await else { return };
                let mut plain = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
                let _ = copy_bidirectional(&mut tls, &mut plain).await;
            });
        }
    });
    (port, cert.pem())
}

async fn client(port: u16, trusted: &str) -> HttpS3 {
    let mut bundle = tempfile::NamedTempFile::new().unwrap();
    bundle.write_all(trusted.as_bytes()).unwrap();
    HttpS3::builder()
        .endpoint(format!("https://localhost:{port}"))
        .environment([("AWS_CA_BUNDLE", bundle.path().to_str().unwrap())])
        .credentials(Credentials::key(KEY_ID, SECRET))
        .build()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_put_goes_through_with_its_payload_unsigned() {
    let server = Server::start([support::ok()]).await;
    let (port, certificate) = tls_in_front_of(&server, "localhost").await;
    let (bucket, key) = (support::bucket(), support::key("k"));
    let client = client(port, &certificate).await;
    client.put_object(&bucket, &key, "hello".into(), &PutOptions::default()).await.unwrap();

    let seen = server.only();
    assert_eq!(seen.body(), b"hello");
    // TLS keeps the bytes as they are; hashing them first would cost a pass.
    assert_eq!(seen.header("x-amz-content-sha256").unwrap(), "UNSIGNED-PAYLOAD");
    assert_eq!(seen.header("host").unwrap(), format!("localhost:{port}"));
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_ends_the_call_at_once() {
    let server = Server::start([support::ok()]).await;
    let (wrong_name, its_certificate) = tls_in_front_of(&server, "elsewhere.test").await;
    let (unknown, _) = tls_in_front_of(&server, "localhost").await;
    for port in [wrong_name, unknown] {
        let (bucket, key) = (support::bucket(), support::key("k"));
        let client = client(port, &its_certificate).await;
        let options = PutOptions::default();
        let put = client.put_object(&bucket, &key, "hello".into(), &options);
        let error = put.await.unwrap_err();
        assert_eq!(error.kind(), S3ErrorKind::Unreachable, "{error}");
        assert!(!error.is_retryable() && error.attempts() == 1, "{error}");
        assert!(error.message().contains("certificate"), "{error}");
    }
    assert!(server.requests().is_empty(), "nothing was sent");
}
