//! A server that says what it was told to say, and remembers every byte it got.
#![allow(dead_code, reason = "each test file uses its part of it")]
#![allow(missing_docs, clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests")]

pub(crate) mod nobody;
pub(crate) mod object_server;
pub(crate) mod steps;
pub(crate) mod tls;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use artifact_s3::{Bucket, Credentials, HttpS3, HttpS3Builder, ObjectKey, RetryPolicy};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

pub(crate) const KEY_ID: &str = "AKIATESTTESTTEST";
pub(crate) const SECRET: &str = "verysecretsecretkey/+x";
pub(crate) const TOKEN: &str = "sessiontokentokentoken";

/// What the server does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Reads the whole request, and writes this.
    Answer(Vec<u8>),
    /// Reads the whole request, writes this, and closes.
    AnswerAndClose(Vec<u8>),
    /// Reads the whole request, writes the head of this, and then the rest bytewise,
    /// with a pause before each.
    Drip(Duration, Vec<u8>),
    /// Reads the head only, writes this, and goes on reading, to the end.
    AnswerAtHead(Vec<u8>),
    /// Reads the head only, writes this, and closes, with the body unread.
    AnswerHeadAndClose(Vec<u8>),
    /// Reads so many bytes, and closes.
    CloseAfter(usize),
    /// Reads the head, then so many bytes with each such pause, then answers.
    ReadSlowly { step: usize, pause: Duration, answer: Vec<u8> },
    /// Reads, and says nothing for ever.
    Silence,
    /// Does what each step says.
    Steps(Vec<steps::Step>),
}

pub(crate) fn ok() -> Act {
    answer("200 OK", &[], "")
}

pub(crate) fn answer(status: &str, headers: &[(&str, &str)], body: &str) -> Act {
    Act::Answer(response(status, headers, body.as_bytes()))
}

/// An S3 error.
pub(crate) fn error(status: &str, code: &str) -> Act {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>Said the \
         service</Message><RequestId>XMLID</RequestId></Error>"
    );
    answer(status, &[("Content-Type", "application/xml")], &body)
}

pub(crate) fn response(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        for part in [name, ": ", value, "\r\n"] {
            bytes.push_str(part);
        }
    }
    let mut bytes = bytes.into_bytes();
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// A request as it stood on the socket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) raw: Vec<u8>,
    /// Whether all the bytes came that the head announced.
    pub(crate) complete: bool,
}

impl Seen {
    fn head_end(&self) -> Option<usize> {
        self.raw.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4)
    }

    pub(crate) fn head(&self) -> String {
        String::from_utf8(self.raw[..self.head_end().unwrap()].to_vec()).unwrap()
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.raw[self.head_end().unwrap()..]
    }

    /// `PUT /bucket/key`
    pub(crate) fn line(&self) -> String {
        let head = self.head();
        head.lines().next().unwrap().strip_suffix(" HTTP/1.1").unwrap().to_owned()
    }

    /// Every header, in order, names in lower case.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let head = self.head();
        let lines = head.lines().skip(1).filter(|line| !line.is_empty());
        lines
            .map(|line| {
                let (name, value) =
                    line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
                (name.to_ascii_lowercase(), value.to_owned())
            })
            .collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let mut found = self.headers().into_iter().filter(|(n, _)| n == name).map(|(_, v)| v);
        let first = found.next();
        assert!(found.next().is_none(), "{name} twice");
        first
    }
}

/// A server that acts as told, one act for each request, in order; afterwards it
/// answers 599.
pub(crate) struct Server {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(acts: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let acts = Arc::new(Mutex::new(acts.into_iter().collect::<Vec<_>>().into_iter()));
        let log = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(socket, Arc::clone(&acts), Arc::clone(&log)));
            }
        });
        Self { port, seen, task }
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The one request that came.
    pub(crate) fn only(&self) -> Seen {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests[0].clone()
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A client for this server that signs, and tries again without a pause.
    pub(crate) fn builder(&self) -> HttpS3Builder {
        HttpS3::builder()
            .endpoint(self.endpoint())
            .region("eu-test-1")
            .credentials(Credentials::key(KEY_ID, SECRET))
            .retry(quick())
    }

    pub(crate) async fn client(&self) -> HttpS3 {
        self.builder().build().await.unwrap()
    }

    /// A client that does not sign, so that the bytes are the same each time.
    pub(crate) async fn anonymous(&self) -> HttpS3 {
        self.builder().credentials(Credentials::Anonymous).build().await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn quick() -> RetryPolicy {
    RetryPolicy { base_delay: Duration::from_millis(1), ..RetryPolicy::default() }
}

pub(crate) fn bucket() -> Bucket {
    Bucket::parse("test-bucket").unwrap()
}

pub(crate) fn key(key: &str) -> ObjectKey {
    ObjectKey::parse(key).unwrap()
}

type Acts = Arc<Mutex<std::vec::IntoIter<Act>>>;

async fn serve(mut socket: TcpStream, acts: Acts, log: Arc<Mutex<Vec<Seen>>>) {
    socket.set_nodelay(true).unwrap();
    loop {
        // A connection without a byte is no request.
        let mut first = [0];
        if !matches!(socket.peek(&mut first).await, Ok(1)) {
            return;
        }
        let act = acts.lock().unwrap().next();
        let act = act.unwrap_or_else(|| answer("599 Script Ended", &[], ""));
        let index = {
            let mut log = log.lock().unwrap();
            log.push(Seen::default());
            log.len() - 1
        };
        let mut reader = Reader { socket: &mut socket, seen: Seen::default(), log: &log, index };
        let written = match act {
            Act::Answer(bytes) => {
                reader.read_all().await;
                socket.write_all(&bytes).await
            }
            Act::AnswerAndClose(bytes) => {
                reader.read_all().await;
                let _ = socket.write_all(&bytes).await;
                return;
            }
            Act::Drip(pause, bytes) => {
                reader.read_all().await;
                let head = Seen { raw: bytes.clone(), complete: true }.head_end().unwrap();
                let _ = socket.write_all(&bytes[..head]).await;
                for byte in &bytes[head..] {
                    tokio::time::sleep(pause).await;
                    let _ = socket.write_all(&[*byte]).await;
                }
                Ok(())
            }
            Act::AnswerAtHead(bytes) => {
                reader.read_head().await;
                let _ = reader.socket.write_all(&bytes).await;
                while reader.read_some(1 << 16).await {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                return;
            }
            Act::AnswerHeadAndClose(bytes) => {
                reader.read_head().await;
                let _ = socket.write_all(&bytes).await;
                return;
            }
            Act::CloseAfter(bytes) => {
                while reader.seen.raw.len() < bytes && reader.read_some(bytes).await {}
                return;
            }
            Act::ReadSlowly { step, pause, answer } => {
                reader.read_head().await;
                reader.discard_slowly(step, pause).await;
                socket.write_all(&answer).await
            }
            Act::Silence => {
                reader.read_all().await;
                std::future::pending().await
            }
            Act::Steps(steps) => {
                if !steps::walk(steps, reader).await {
                    return;
                }
                Ok(())
            }
        };
        if written.is_err() {
            return;
        }
    }
}

struct Reader<'a> {
    socket: &'a mut TcpStream,
    seen: Seen,
    log: &'a Mutex<Vec<Seen>>,
    index: usize,
}

impl Reader<'_> {
    async fn read_head(&mut self) {
        while self.seen.head_end().is_none() && self.read_some(1).await {}
    }

    async fn read_all(&mut self) {
        self.read_head().await;
        while !self.seen.complete && self.read_some(1 << 20).await {}
    }

    /// Reads the body, so many bytes between two pauses, and keeps none of it: to copy
    /// all of it with each reading would take longer than the pauses.
    async fn discard_slowly(&mut self, step: usize, pause: Duration) {
        let length = self.seen.header("content-length").map_or(0, |n| n.parse().unwrap());
        let mut left = usize::saturating_sub(length, self.seen.body().len());
        let mut bytes = vec![0; step];
        while left > 0 {
            let part = &mut bytes[..step.min(left)];
            if self.socket.read_exact(part).await.is_err() {
                return;
            }
            left -= part.len();
            tokio::time::sleep(pause).await;
        }
    }

    /// Reads at most so many bytes; false at the end.
    async fn read_some(&mut self, most: usize) -> bool {
        let mut chunk = vec![0; most];
        let Ok(read @ 1..) = self.socket.read(&mut chunk).await else {
            return false;
        };
        self.seen.raw.extend_from_slice(&chunk[..read]);
        if self.seen.head_end().is_some() {
            let length = self.seen.header("content-length").map_or(0, |n| n.parse().unwrap());
            self.seen.complete = self.seen.body().len() >= length;
        }
        self.log.lock().unwrap()[self.index] = self.seen.clone();
        true
    }
}
