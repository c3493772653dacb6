//! Through a proxy that the program names: plain calls are handed on, TLS is tunnelled.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::{Arc, Mutex};

use artifact_s3::{
    ConfigError, CustomerKey, GetOptions, HttpS3, PutOptions, S3Client, S3ErrorKind,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use support::{Server, tls::Authority};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

/// A proxy that lets in who knows the password, and goes where it is sent.
struct Proxy {
    port: u16,
    /// The first line of each request that it got.
    lines: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn start(user_and_password: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&lines);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(relay(socket, user_and_password, Arc::clone(&log)));
            }
        });
        Self { port, lines }
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

async fn relay(mut socket: TcpStream, expected: &str, log: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = socket.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let line = head.lines().next().unwrap().to_owned();
    log.lock().unwrap().push(line.clone());
    let header = format!("proxy-authorization: Basic {}\r\n", STANDARD.encode(expected));
    if !head.to_lowercase().contains(&header.to_lowercase()) {
        let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        let _ = socket.write_all(refusal.as_bytes()).await;
        // Lets the other side read it before the rest of its request is thrown away.
        let _ = tokio::io::copy(&mut socket, &mut tokio::io::sink()).await;
        return;
    }
    let target = line.split(' ').nth(1).unwrap();
    let authority = target.strip_prefix("http://").unwrap_or(target).split('/').next().unwrap();
    let Ok(mut onwards) = TcpStream::connect(authority).await else { return };
    if line.starts_with("CONNECT ") {
        socket.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.unwrap();
    } else {
        onwards.write_all(head.as_bytes()).await.unwrap();
    }
    let _ = copy_bidirectional(&mut socket, &mut onwards).await;
}

#[tokio::test]
async fn plain_calls_are_handed_on_by_the_proxy() {
    let server = Server::start([support::ok()]).await;
    let proxy = Proxy::start("me:hunter2").await;
    // The builder's proxy goes before the environment's, exceptions included.
    let environment = [("HTTP_PROXY", "http://127.0.0.1:1"), ("NO_PROXY", "127.0.0.1")];
    let builder = server.builder().environment(environment);
    let builder = builder.proxy(format!("http://me:hunter2@127.0.0.1:{}", proxy.port));
    assert!(!format!("{builder:?}").contains("hunter2"), "{builder:?}");
    let client = builder.build().await.unwrap();
    let (bucket, key) = (support::bucket(), support::key("k"));
    client.put_object(&bucket, &key, "hello".into(), &PutOptions::default()).await.unwrap();

    let expected = format!("PUT {}/test-bucket/k", server.endpoint());
    assert_eq!(proxy.lines(), [format!("{expected} HTTP/1.1")]);
    assert_eq!(server.only().line(), expected);
    assert_eq!(server.only().body(), b"hello");
}

#[tokio::test]
async fn tls_goes_through_a_tunnel() {
    let server = Server::start([support::ok()]).await;
    let authority = Authority::new();
    let port = authority.in_front_of(&server, "localhost").await;
    let proxy = Proxy::start("me:hunter2").await;
    let client = server
        .builder()
        .endpoint(format!("https://localhost:{port}"))
        .root_certificates(authority.pem())
        .proxy(format!("http://me:hunter2@127.0.0.1:{}", proxy.port))
        .build()
        .await
        .unwrap();
    let (bucket, key) = (support::bucket(), support::key("k"));
    client.put_object(&bucket, &key, "hello".into(), &PutOptions::default()).await.unwrap();

    assert_eq!(proxy.lines(), [format!("CONNECT localhost:{port} HTTP/1.1")]);
    let seen = server.only();
    assert_eq!((seen.line().as_str(), seen.body()), ("PUT /test-bucket/k", b"hello".as_slice()));
    assert_eq!(seen.header("proxy-authorization"), None, "the service sees no password of ours");
}

#[tokio::test]
async fn a_proxy_that_refuses_the_password_is_told_without_it() {
    let server = Server::start([]).await;
    let proxy = Proxy::start("me:another").await;
    let url = format!("http://me:hunter2@127.0.0.1:{}", proxy.port);
    let https = server.builder().endpoint(format!("https://localhost:{}", server.port));
    for builder in [server.builder(), https] {
        let client = builder.proxy(&url).build().await.unwrap();
        let (bucket, key) = (support::bucket(), support::key("k"));
        let error = client.head_object(&bucket, &key, &GetOptions::default()).await.unwrap_err();
        assert_eq!(error.kind(), S3ErrorKind::AccessDenied, "{error}");
        assert!(!error.is_retryable() && error.attempts() == 1, "{error}");
        assert!(error.message().contains("proxy"), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn what_is_no_proxy_is_refused_without_its_password() {
    for url in ["", "nonsense", "socks5://me:hunter2@h:1", "me:hunter2@h:1", "ftp://h"] {
        let builder = HttpS3::builder().region("r").proxy(url);
        assert!(!format!("{builder:?}").contains("hunter2"), "{builder:?}");
        let error = builder.build().await.unwrap_err();
        assert!(matches!(error, ConfigError::Proxy { .. }), "{url}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_customer_key_goes_over_no_network_in_plain() {
    let builder = |endpoint: &str| {
        HttpS3::builder().endpoint(endpoint).customer_key(CustomerKey::new([7; 32]))
    };
    for endpoint in ["http://127.0.0.1:9000", "http://localhost:9000", "https://s3.test"] {
        builder(endpoint).build().await.unwrap();
    }
    let through_proxy = builder("http://127.0.0.1:9000").proxy("http://192.0.2.1:3128");
    for builder in [builder("http://s3.test"), builder("http://192.0.2.1"), through_proxy] {
        let error = builder.build().await.unwrap_err();
        assert!(matches!(error, ConfigError::CustomerKeyInPlain { .. }), "{error}");
    }
}
