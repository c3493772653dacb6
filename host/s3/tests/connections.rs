//! When a connection is used again, and when it is closed.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use artifact_s3::{Credentials, GetOptions, HttpS3, Object, S3Client};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// More than sockets take in while nobody reads.
const LONG: usize = 64 * 1024 * 1024;

/// How many connections a server has seen.
#[derive(Clone, Default)]
struct Counts {
    opened: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
}

/// A server that answers each request without a body with the same bytes.
struct Server {
    client: HttpS3,
    counts: Counts,
}

impl Server {
    async fn start(answer: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let counts = Counts::default();
        let seen = counts.clone();
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                seen.opened.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(socket, answer.clone(), seen.clone()));
            }
        });
        let client = HttpS3::builder().endpoint(endpoint).credentials(Credentials::Anonymous);
        Self { client: client.build().await.unwrap(), counts }
    }

    async fn get(&self) -> Object {
        let (bucket, key) = (support::bucket(), support::key("k"));
        self.client.get_object(&bucket, &key, &GetOptions::default()).await.unwrap()
    }

    fn opened(&self) -> usize {
        self.counts.opened.load(Ordering::SeqCst)
    }

    async fn sees(&self, opened: usize, closed: usize) {
        let seen = || (self.opened(), self.counts.closed.load(Ordering::SeqCst));
        let waiting = async {
            while seen() != (opened, closed) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
        assert!(waited.is_ok(), "{:?} and not {:?}", seen(), (opened, closed));
    }
}

async fn serve(mut socket: TcpStream, answer: Vec<u8>, counts: Counts) {
    let mut head = Vec::new();
    while let Ok(byte) = socket.read_u8().await {
        head.push(byte);
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            if socket.write_all(&answer).await.is_err() {
                break;
            }
        }
    }
    counts.closed.fetch_add(1, Ordering::SeqCst);
}

#[tokio::test]
async fn calls_one_after_the_other_share_a_connection() {
    let server = Server::start(support::response("200 OK", &[], b"hello")).await;
    for _ in 0..5 {
        assert_eq!(server.get().await.body.bytes().await.unwrap(), "hello");
    }
    // The rest of the body is there, if not read.
    drop(server.get().await);
    server.get().await;
    server.sees(1, 0).await;
}

#[tokio::test]
async fn calls_at_one_time_have_a_connection_each_and_leave_them_to_the_next() {
    let server = Server::start(support::response("200 OK", &[], b"hello")).await;
    for _ in 0..3 {
        let objects: Vec<_> = stream::iter(0..8).then(|_| server.get()).collect().await;
        for object in objects {
            assert_eq!(object.body.bytes().await.unwrap(), "hello");
        }
    }
    server.sees(8, 0).await;
}

#[tokio::test]
async fn a_body_that_is_dropped_midway_closes_its_connection() {
    let server = Server::start(support::response("200 OK", &[], &vec![7; LONG])).await;
    for call in 1..3 {
        let mut body = server.get().await.body.into_stream();
        assert!(body.try_next().await.unwrap().is_some());
        drop(body);
        server.sees(call, call).await;
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_closes_its_connection() {
    let server = Server::start(Vec::new()).await;
    for call in 1..3 {
        tokio::select! {
            _ = server.get() => unreachable!("nobody answers"),
            () = server.sees(call, call - 1) => {}
        }
        server.sees(call, call).await;
    }
}

#[tokio::test]
async fn an_answer_that_ends_with_the_connection_is_the_last_one_on_it() {
    let last = support::response("200 OK", &[("Connection", "close")], b"hello");
    let server = Server::start(last).await;
    for call in 1..3 {
        assert_eq!(server.get().await.body.bytes().await.unwrap(), "hello");
        server.sees(call, call).await;
    }
}
