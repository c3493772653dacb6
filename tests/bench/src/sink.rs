//! A server that speaks S3 as far as the clients here need it, and stores nothing.
//!
//! As cheap as can be, so that the client is what is measured: what is uploaded is
//! dropped in the kernel, and what is downloaded is sent from the kernel's own pages. An
//! object is as long as its key says: `…size-4096…` has 4,096 bytes, all of them zero.

use std::{
    io::{self, IoSlice},
    os::fd::OwnedFd,
    process,
    rc::Rc,
    thread,
};

use anyhow::{Context, bail};
use rustix::{
    fs::{MemfdFlags, ftruncate, memfd_create, sendfile},
    net::{RecvFlags, recv},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::{TcpListener, TcpStream},
    task::LocalSet,
};

use crate::{cores, report};

/// Sent from memory, with the head in one call; what is longer is sent by the kernel.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
/// Of the file that the kernel sends from, again and again.
const PAGES: usize = 4 * 1024 * 1024;
/// Room for a head, and for what of the body comes with it.
const HEAD: usize = 64 * 1024;
const ETAG: &str = "\"d41d8cd98f00b204e9800998ecf8427e\"";

/// Prints the address, and serves until it is killed.
pub(crate) fn main() -> anyhow::Result<()> {
    cores::use_servers()?;
    // Nobody is left to serve when whoever started it is gone.
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        process::exit(0)
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        report::print(&listener.local_addr()?.to_string());
        let pages = memfd_create("zeros", MemfdFlags::CLOEXEC)?;
        ftruncate(&pages, PAGES as u64)?;
        let server = Rc::new(Server { pages, common: common_headers() });
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let server = Rc::clone(&server);
            tokio::task::spawn_local(async move {
                match server.connection(stream).await {
                    Err(error) if !has_left(&error) => report::say(&format!("sink: {error:#}")),
                    _ => {}
                }
            });
        }
    })
}

struct Server {
    pages: OwnedFd,
    /// What every answer carries, as S3's do.
    common: String,
}

/// What of a request matters.
struct Request {
    head: usize,
    method: Method,
    query: String,
    object: Option<u64>,
    length: usize,
    expects: bool,
    range: Option<(u64, Option<u64>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Put,
    Get,
    Head,
    Delete,
    Post,
}

impl Server {
    async fn connection(&self, mut stream: TcpStream) -> anyhow::Result<()> {
        let mut buffer = vec![0; HEAD];
        let mut filled = 0;
        loop {
            let request = loop {
                if let Some(request) = Request::parse(&buffer[..filled])? {
                    break request;
                }
                if filled == buffer.len() {
                    bail!("a head over {HEAD} bytes");
                }
                match stream.read(&mut buffer[filled..]).await? {
                    0 => return Ok(()),
                    read => filled += read,
                }
            };
            let body_here = (filled - request.head).min(request.length);
            if request.expects && body_here < request.length {
                stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            }
            drop_bytes(&stream, request.length - body_here).await?;
            let used = request.head + body_here;
            buffer.copy_within(used..filled, 0);
            filled -= used;
            self.answer(&mut stream, &request).await?;
        }
    }

    async fn answer(&self, stream: &mut TcpStream, request: &Request) -> anyhow::Result<()> {
        let common = &self.common;
        let xml = |text: &str| {
            let length = text.len();
            format!(
                "HTTP/1.1 200 OK\r\n{common}Content-Type: application/xml\r\nContent-Length: {length}\r\n\r\n{text}"
            )
        };
        let answer = match (request.method, request.object) {
            (Method::Put, _) => {
                format!("HTTP/1.1 200 OK\r\n{common}ETag: {ETAG}\r\nContent-Length: 0\r\n\r\n")
            }
            (Method::Delete, _) => format!("HTTP/1.1 204 No Content\r\n{common}\r\n"),
            (Method::Post, _) if request.query.contains("uploadId=") => xml(
                "<CompleteMultipartUploadResult><Bucket>bench</Bucket><Key>k</Key><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e-2&quot;</ETag></CompleteMultipartUploadResult>",
            ),
            (Method::Post, _) => xml(
                "<InitiateMultipartUploadResult><Bucket>bench</Bucket><Key>k</Key><UploadId>upload</UploadId></InitiateMultipartUploadResult>",
            ),
            (Method::Get | Method::Head, Some(size)) => {
                return self.object(stream, request, size).await;
            }
            (Method::Get | Method::Head, None) => {
                format!("HTTP/1.1 404 Not Found\r\n{common}Content-Length: 0\r\n\r\n")
            }
        };
        Ok(stream.write_all(answer.as_bytes()).await?)
    }

    async fn object(
        &self,
        stream: &mut TcpStream,
        request: &Request,
        size: u64,
    ) -> anyhow::Result<()> {
        let (status, content_range, length) = match request.range {
            None => ("200 OK", String::new(), size),
            Some((first, last)) => {
                let last = last.map_or(size - 1, |last| last.min(size - 1));
                let line = format!("Content-Range: bytes {first}-{last}/{size}\r\n");
                ("206 Partial Content", line, last + 1 - first)
            }
        };
        let head = format!(
            "HTTP/1.1 {status}\r\n{}Accept-Ranges: bytes\r\nLast-Modified: Wed, 01 Jan 2025 00:00:00 GMT\r\n\
             ETag: {ETAG}\r\nContent-Type: application/octet-stream\r\n{content_range}Content-Length: {length}\r\n\r\n",
            self.common
        );
        if request.method == Method::Head {
            return Ok(stream.write_all(head.as_bytes()).await?);
        }
        let length = usize::try_from(length)?;
        if let Some(body) = ZEROS.get(..length) {
            return write_both(stream, head.as_bytes(), body).await;
        }
        stream.write_all(head.as_bytes()).await?;
        let mut left = length;
        while left > 0 {
            stream.writable().await?;
            let sent = stream.try_io(Interest::WRITABLE, || {
                Ok(sendfile(&*stream, &self.pages, Some(&mut 0), left.min(PAGES))?)
            });
            match sent {
                Ok(sent) => left -= sent,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl Request {
    /// A whole head, if it is there.
    fn parse(bytes: &[u8]) -> anyhow::Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(head) = parsed.parse(bytes)? else { return Ok(None) };
        let method = match parsed.method {
            Some("PUT") => Method::Put,
            Some("GET") => Method::Get,
            Some("HEAD") => Method::Head,
            Some("DELETE") => Method::Delete,
            Some("POST") => Method::Post,
            other => bail!("no such method: {other:?}"),
        };
        let target = parsed.path.unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let object = path.split_once("size-").map(|(_, rest)| {
            let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
            digits.parse().context("a size in the key")
        });
        let mut request = Self {
            head,
            method,
            query: query.to_owned(),
            object: object.transpose()?,
            length: 0,
            expects: false,
            range: None,
        };
        for header in parsed.headers.iter() {
            let name = header.name;
            if name.eq_ignore_ascii_case("content-length") {
                request.length = std::str::from_utf8(header.value)?.parse()?;
            } else if name.eq_ignore_ascii_case("expect") {
                request.expects = true;
            } else if name.eq_ignore_ascii_case("range") {
                request.range = Some(range(std::str::from_utf8(header.value)?)?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                bail!("a body without a length");
            }
        }
        Ok(Some(request))
    }
}

/// A client may end, and it may drop a download that it needs no further.
fn has_left(error: &anyhow::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset};
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| matches!(error.kind(), BrokenPipe | ConnectionReset))
}

fn range(text: &str) -> anyhow::Result<(u64, Option<u64>)> {
    let (first, last) = text
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
        .with_context(|| format!("a range: {text}"))?;
    let last = if last.is_empty() { None } else { Some(last.parse()?) };
    Ok((first.parse()?, last))
}

/// Reads so many bytes, and has the kernel drop them instead of copying them here.
async fn drop_bytes(stream: &TcpStream, mut left: usize) -> anyhow::Result<()> {
    let mut room = vec![0; left.min(1 << 20)];
    while left > 0 {
        stream.readable().await?;
        let now = left.min(room.len());
        let read = stream
            .try_io(Interest::READABLE, || Ok(recv(stream, &mut room[..now], RecvFlags::TRUNC)?.1));
        match read {
            Ok(0) => bail!("the client went away with {left} bytes left"),
            Ok(read) => left -= read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn write_both(stream: &mut TcpStream, head: &[u8], body: &[u8]) -> anyhow::Result<()> {
    let written = stream.write_vectored(&[IoSlice::new(head), IoSlice::new(body)]).await?;
    if written < head.len() {
        stream.write_all(&head[written..]).await?;
    }
    Ok(stream.write_all(&body[written.saturating_sub(head.len())..]).await?)
}

fn common_headers() -> String {
    let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
    format!("Date: {date}\r\nServer: sink\r\nx-amz-request-id: 0123456789ABCDEF\r\n")
}
