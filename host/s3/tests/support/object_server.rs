//! A server of one object that answers as S3 does, and breaks as it is told.

use std::{
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

use artifact_s3::{Credentials, HttpS3, HttpS3Builder};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::{Seen, quick, response};

/// What is sent, and what becomes of the connection then.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    bytes: Vec<u8>,
    then: Then,
    /// Before each byte of the body.
    pause: Option<Duration>,
    /// Once, after so many bytes of the body.
    rest: Option<(usize, Duration)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    GoOn,
    Close,
    Reset,
    Silence,
}

impl Sent {
    fn cut(mut self, body: usize, then: Then) -> Self {
        let head = Seen { raw: self.bytes.clone(), complete: true }.head().len();
        assert!(head + body < self.bytes.len(), "nothing is left to cut");
        self.bytes.truncate(head + body);
        Self { then, ..self }
    }

    /// The head and so many bytes; then the connection is closed.
    pub(crate) fn closed_after(self, body: usize) -> Self {
        self.cut(body, Then::Close)
    }

    /// The same, and it is reset.
    pub(crate) fn reset_after(self, body: usize) -> Self {
        self.cut(body, Then::Reset)
    }

    /// The same, and nothing comes any more.
    pub(crate) fn silent_after(self, body: usize) -> Self {
        self.cut(body, Then::Silence)
    }

    /// With a pause before each byte of the body.
    pub(crate) fn dripping(self, pause: Duration) -> Self {
        Self { pause: Some(pause), ..self }
    }

    /// With a rest after so many bytes of the body.
    pub(crate) fn resting_after(self, body: usize, rest: Duration) -> Self {
        Self { rest: Some((body, rest)), ..self }
    }

    /// With one bit turned over on the way, in the body.
    pub(crate) fn with_a_flipped_bit(mut self, at: usize) -> Self {
        let head = Seen { raw: self.bytes.clone(), complete: true }.head().len();
        self.bytes[head + at] ^= 1;
        self
    }
}

/// An answer, sent whole.
pub(crate) fn sent(bytes: Vec<u8>) -> Sent {
    Sent { bytes, then: Then::GoOn, pause: None, rest: None }
}

/// An object as the service keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) bytes: Vec<u8>,
    pub(crate) etag: Option<&'static str>,
    /// Sent with every answer.
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Stored {
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), etag: Some("\"e1\""), headers: Vec::new() }
    }

    pub(crate) fn etag(self, etag: Option<&'static str>) -> Self {
        Self { etag, ..self }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As S3 answers a GET, range and If-Match honoured.
    pub(crate) fn answer(&self, request: &Seen) -> Sent {
        if let Some(etag) = request.header("if-match")
            && Some(&*etag) != self.etag
        {
            return sent(response("412 Precondition Failed", &[], b""));
        }
        match request.header("range") {
            None => self.whole(),
            Some(range) => match self.named_by(&range) {
                Some(range) => self.part(range),
                None => sent(response("416 Range Not Satisfiable", &[], b"")),
            },
        }
    }

    pub(crate) fn whole(&self) -> Sent {
        sent(response("200 OK", &self.described(), &self.bytes))
    }

    pub(crate) fn part(&self, bytes: Range<usize>) -> Sent {
        let told = format!("bytes {}-{}/{}", bytes.start, bytes.end - 1, self.bytes.len());
        self.part_told_as(bytes, &told)
    }

    /// A part under a Content-Range that may be wrong.
    pub(crate) fn part_told_as(&self, bytes: Range<usize>, told: &str) -> Sent {
        let mut headers = self.described();
        headers.push(("Content-Range", told));
        sent(response("206 Partial Content", &headers, &self.bytes[bytes]))
    }

    fn described(&self) -> Vec<(&str, &str)> {
        let etag = self.etag.map(|etag| ("ETag", etag));
        let others = self.headers.iter().map(|(name, value)| (*name, &**value));
        etag.into_iter().chain(others).collect()
    }

    fn named_by(&self, range: &str) -> Option<Range<usize>> {
        let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        let length = self.bytes.len();
        let bytes = match (first, last) {
            ("", count) => length.saturating_sub(count.parse().unwrap())..length,
            (first, "") => first.parse().unwrap()..length,
            (first, last) => first.parse().unwrap()..length.min(last.parse::<usize>().unwrap() + 1),
        };
        (bytes.start < length).then_some(bytes)
    }
}

type Handler = dyn Fn(usize, &Seen) -> Sent + Send + Sync;

/// Asks a function what to send, with the number of the request (from 0) and the request.
pub(crate) struct ObjectServer {
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl ObjectServer {
    pub(crate) async fn start(
        handler: impl Fn(usize, &Seen) -> Sent + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, handler): (_, Arc<Handler>) = (Arc::clone(&seen), Arc::new(handler));
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(socket, Arc::clone(&handler), Arc::clone(&log)));
            }
        });
        Self { port, seen, task }
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// What each request asked for: range and If-Match.
    pub(crate) fn asked(&self) -> Vec<(Option<String>, Option<String>)> {
        let requests = self.requests();
        requests.iter().map(|seen| (seen.header("range"), seen.header("if-match"))).collect()
    }

    pub(crate) fn builder(&self) -> HttpS3Builder {
        HttpS3::builder()
            .endpoint(format!("http://127.0.0.1:{}", self.port))
            .credentials(Credentials::key(super::KEY_ID, super::SECRET))
            .retry(quick())
    }

    pub(crate) async fn client(&self) -> HttpS3 {
        self.builder().build().await.unwrap()
    }
}

impl Drop for ObjectServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut socket: TcpStream, handler: Arc<Handler>, log: Arc<Mutex<Vec<Seen>>>) {
    socket.set_nodelay(true).unwrap();
    loop {
        let mut seen = Seen { raw: Vec::new(), complete: true };
        while !seen.raw.ends_with(b"\r\n\r\n") {
            let Ok(byte) = socket.read_u8().await else {
                return;
            };
            seen.raw.push(byte);
        }
        let number = {
            let mut log = log.lock().unwrap();
            log.push(seen.clone());
            log.len() - 1
        };
        let Sent { bytes, then, pause, rest } = handler(number, &seen);
        let written = match (pause, rest) {
            (Some(pause), _) => drip(&mut socket, &bytes, pause).await,
            (None, Some((body, rest))) => write_resting(&mut socket, &bytes, body, rest).await,
            (None, None) => socket.write_all(&bytes).await,
        };
        match then {
            _ if written.is_err() => return,
            Then::GoOn => {}
            Then::Close => return,
            Then::Reset => {
                socket.set_zero_linger().unwrap();
                return;
            }
            Then::Silence => std::future::pending().await,
        }
    }
}

async fn write_resting(
    socket: &mut TcpStream,
    bytes: &[u8],
    body: usize,
    rest: Duration,
) -> std::io::Result<()> {
    let head = Seen { raw: bytes.to_vec(), complete: true }.head().len();
    let (first, last) = bytes.split_at(head + body);
    socket.write_all(first).await?;
    tokio::time::sleep(rest).await;
    socket.write_all(last).await
}

async fn drip(socket: &mut TcpStream, bytes: &[u8], pause: Duration) -> std::io::Result<()> {
    let head = Seen { raw: bytes.to_vec(), complete: true }.head().len();
    socket.write_all(&bytes[..head]).await?;
    for byte in &bytes[head..] {
        tokio::time::sleep(pause).await;
        socket.write_all(&[*byte]).await?;
    }
    Ok(())
}
