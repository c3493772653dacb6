//! An S3 that knows puts, heads and multipart uploads, keeps what it was given, and
//! misbehaves where a test's rule says so.
#![allow(dead_code, reason = "each test file uses its part of it")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use artifact_s3::{Credentials, HttpS3, HttpS3Builder, Multipart};
use md5::{Digest, Md5};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::support::{KEY_ID, SECRET, Seen, quick, response};

pub(crate) const MIB: u64 = 1024 * 1024;

/// Small enough for a test, and as small as S3 lets parts be.
pub(crate) const SMALL: Multipart =
    Multipart { threshold: 6 * MIB, part_size: 5 * MIB, parallel: 3 };

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    Put,
    Head,
    Create,
    Part(u32),
    Complete,
    Abort,
    List,
}

/// A call that came.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    /// How many of the same operation came before.
    pub(crate) before: usize,
    pub(crate) seen: Seen,
}

/// What a test's rule wants.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    /// As S3 would.
    Obey,
    /// Later, as S3 would.
    Wait(Duration),
    /// This, and nothing is done.
    Say(Vec<u8>),
    /// The same, and the connection ends.
    SayAndClose(Vec<u8>),
    /// As [`Rule::Say`], later.
    WaitAndSay(Duration, Vec<u8>),
    /// As S3 would, and the answer is this.
    DoAndSay(Vec<u8>),
    /// As S3 would, and the answer is lost.
    DoAndClose,
    /// Nothing is done, and nothing said, for ever.
    Silence,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) calls: Vec<Call>,
    pub(crate) uploads: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    /// Bytes and etag of each object.
    pub(crate) objects: HashMap<String, (Vec<u8>, String)>,
    /// Bodies of parts that are held at once, and were.
    parts_now: usize,
    pub(crate) parts_at_once: usize,
}

pub(crate) struct Service {
    port: u16,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

type Rules = Arc<dyn Fn(&Call) -> Rule + Send + Sync>;

impl Service {
    pub(crate) async fn start(rules: impl Fn(&Call) -> Rule + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (state, rules): (Arc<Mutex<State>>, Rules) = (Arc::default(), Arc::new(rules));
        let of_task = Arc::clone(&state);
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(socket, Arc::clone(&of_task), Arc::clone(&rules)));
            }
        });
        Self { port, state, task }
    }

    pub(crate) async fn obedient() -> Self {
        Self::start(|_| Rule::Obey).await
    }

    pub(crate) fn builder(&self) -> HttpS3Builder {
        HttpS3::builder()
            .endpoint(format!("http://127.0.0.1:{}", self.port))
            .credentials(Credentials::key(KEY_ID, SECRET))
            .retry(quick())
            .multipart(SMALL)
    }

    pub(crate) async fn client(&self) -> HttpS3 {
        self.builder().build().await.unwrap()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How often an operation was asked for.
    pub(crate) fn count(&self, wanted: impl Fn(Operation) -> bool) -> usize {
        self.state().calls.iter().filter(|call| wanted(call.operation)).count()
    }

    /// The one call of this operation.
    pub(crate) fn only(&self, operation: Operation) -> Seen {
        let state = self.state();
        let mut calls = state.calls.iter().filter(|call| call.operation == operation);
        let only = calls.next().unwrap_or_else(|| panic!("no {operation:?}"));
        assert!(calls.next().is_none(), "{operation:?} twice");
        only.seen.clone()
    }

    /// Waits until an operation was asked for.
    pub(crate) async fn saw(&self, wanted: impl Fn(Operation) -> bool) {
        let seen = async {
            while self.count(&wanted) == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), seen).await.unwrap();
    }

    pub(crate) fn unfinished(&self) -> Vec<String> {
        self.state().uploads.keys().cloned().collect()
    }

    pub(crate) fn object(&self) -> Option<Vec<u8>> {
        self.state().objects.get("k").map(|(bytes, _)| bytes.clone())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn is_part(operation: Operation) -> bool {
    matches!(operation, Operation::Part(_))
}

/// An S3 error, as the answer to a rule.
pub(crate) fn error(status: &str, code: &str) -> Vec<u8> {
    let xml = format!("<Error><Code>{code}</Code><Message>Said the service</Message></Error>");
    response(status, &[], xml.as_bytes())
}

pub(crate) fn md5_hex(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

async fn serve(mut socket: TcpStream, state: Arc<Mutex<State>>, rules: Rules) {
    socket.set_nodelay(true).unwrap();
    while let Some(seen) = read(&mut socket).await {
        let operation = operation(&seen);
        let call = {
            let mut state = state.lock().unwrap();
            let before = state.calls.iter().filter(|call| call.operation == operation).count();
            let mut call = Call { operation, before, seen };
            let kept = call.clone();
            state.calls.push(kept);
            if is_part(operation) {
                state.parts_now += 1;
                state.parts_at_once = state.parts_at_once.max(state.parts_now);
                // The bodies of parts are kept as parts.
                let last = state.calls.last_mut().unwrap();
                last.seen.raw.truncate(last.seen.head().len());
            }
            call.before = before;
            call
        };
        let answer = match rules(&call) {
            Rule::Obey => Some(obey(&call, &state)),
            Rule::Wait(pause) => {
                tokio::time::sleep(pause).await;
                Some(obey(&call, &state))
            }
            Rule::Say(answer) => Some(answer),
            Rule::SayAndClose(answer) => {
                // What matters is that it ends.
                let _ = socket.write_all(&answer).await;
                None
            }
            Rule::WaitAndSay(pause, answer) => {
                tokio::time::sleep(pause).await;
                Some(answer)
            }
            Rule::DoAndSay(answer) => {
                obey(&call, &state);
                Some(answer)
            }
            Rule::DoAndClose => {
                obey(&call, &state);
                None
            }
            Rule::Silence => std::future::pending().await,
        };
        if is_part(operation) {
            state.lock().unwrap().parts_now -= 1;
        }
        let Some(answer) = answer else { return };
        if socket.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// A whole request; none where the connection ends before.
async fn read(socket: &mut TcpStream) -> Option<Seen> {
    let mut seen = Seen::default();
    while !seen.raw.ends_with(b"\r\n\r\n") {
        seen.raw.push(socket.read_u8().await.ok()?);
    }
    let length = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
    let head = seen.raw.len();
    seen.raw.resize(head + length, 0);
    socket.read_exact(&mut seen.raw[head..]).await.ok()?;
    seen.complete = true;
    Some(seen)
}

fn query(seen: &Seen, name: &str) -> Option<String> {
    let line = seen.line();
    let (_, query) = line.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(n, _)| *n == name).map(|(_, value)| value.to_owned())
}

fn operation(seen: &Seen) -> Operation {
    let line = seen.line();
    let has = |name| query(seen, name).is_some();
    match line.split_once(' ').unwrap().0 {
        "POST" if has("uploads") => Operation::Create,
        "POST" => Operation::Complete,
        "PUT" if has("uploadId") => {
            Operation::Part(query(seen, "partNumber").unwrap().parse().unwrap())
        }
        "PUT" => Operation::Put,
        "DELETE" => Operation::Abort,
        "GET" => Operation::List,
        "HEAD" => Operation::Head,
        other => panic!("{other}"),
    }
}

fn obey(call: &Call, state: &Mutex<State>) -> Vec<u8> {
    let mut guard = state.lock().unwrap();
    let state = &mut *guard;
    let seen = &call.seen;
    let ok = |headers: &[(&str, &str)], xml: String| response("200 OK", headers, xml.as_bytes());
    let no_upload = || error("404 Not Found", "NoSuchUpload");
    let id = query(seen, "uploadId").unwrap_or_default();
    let absent = seen.header("if-none-match").is_some();
    if absent && state.objects.contains_key("k") {
        return error("412 Precondition Failed", "PreconditionFailed");
    }
    match call.operation {
        Operation::Put => {
            let etag = md5_hex(seen.body());
            state.objects.insert("k".into(), (seen.body().to_vec(), etag.clone()));
            ok(&[("ETag", &etag)], String::new())
        }
        Operation::Head => match state.objects.get("k") {
            // A head has the length of what a get would bring.
            Some((bytes, etag)) => format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nETag: \"{etag}\"\r\n\r\n",
                bytes.len()
            )
            .into_bytes(),
            None => response("404 Not Found", &[], b""),
        },
        Operation::Create => {
            let id = format!("upload-{}", call.before);
            state.uploads.insert(id.clone(), BTreeMap::new());
            let root = "InitiateMultipartUploadResult";
            ok(&[], format!("<{root}><UploadId>{id}</UploadId></{root}>"))
        }
        Operation::Part(number) => {
            let Some(parts) = state.uploads.get_mut(&id) else { return no_upload() };
            parts.insert(number, seen.body().to_vec());
            ok(&[("ETag", &format!("\"{}\"", md5_hex(seen.body())))], String::new())
        }
        Operation::Complete => {
            let Some(parts) = state.uploads.remove(&id) else { return no_upload() };
            let (mut bytes, mut digests, mut xml) = (Vec::new(), Md5::new(), String::new());
            for (number, part) in &parts {
                digests.update(Md5::digest(part));
                let etag = md5_hex(part);
                write!(xml, "<PartNumber>{number}</PartNumber><ETag>\"{etag}\"</ETag>").unwrap();
                bytes.extend_from_slice(part);
            }
            let asked = String::from_utf8(seen.body().to_vec()).unwrap();
            for part in xml.split_inclusive("</ETag>") {
                assert!(asked.contains(part), "{asked} lacks {part}");
            }
            let etag = format!("{}-{}", hex(&digests.finalize()), parts.len());
            state.objects.insert("k".into(), (bytes, etag.clone()));
            let root = "CompleteMultipartUploadResult";
            let etag = format!("&quot;{etag}&quot;");
            ok(&[("x-amz-version-id", "v7")], format!("<{root}><ETag>{etag}</ETag></{root}>"))
        }
        Operation::Abort => match state.uploads.remove(&id) {
            Some(_) => response("204 No Content", &[], b""),
            None => no_upload(),
        },
        Operation::List => {
            let root = "ListMultipartUploadsResult";
            let list = state.uploads.keys().fold(String::new(), |list, id| {
                list + &format!("<Upload><Key>k</Key><UploadId>{id}</UploadId></Upload>")
            });
            ok(&[], format!("<{root}>{list}</{root}>"))
        }
    }
}
