use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

/// What is stored, and what is read.
pub(crate) const OBJECT: &[u8] = &[7; 4096];

const HEADERS: &str = "Date: Wed, 25 Nov 2026 21:30:00 GMT\r\n\
    Server: AmazonS3\r\n\
    x-amz-id-2: eftixk72aD6Ap51TnqcoF8eFidJG9Z/2mkiDFu8yU9AS1ed4OpIszj7UDNEHGran\r\n\
    x-amz-request-id: 318BC8BC148832E5\r\n\
    ETag: \"9a0364b9e99bb480dd25e1f0284c8555\"\r\n";

const DESCRIPTION: &str = "Last-Modified: Wed, 25 Nov 2026 20:00:00 GMT\r\n\
    Accept-Ranges: bytes\r\n\
    Content-Type: application/octet-stream\r\n\
    Content-Length: 4096\r\n";

/// A service that answers as S3 does, and keeps nothing.
pub(crate) fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            thread::spawn(move || serve(connection));
        }
    });
    Ok(address)
}

/// Answers one request after the other, until the connection is closed.
fn serve(mut connection: TcpStream) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut request = Vec::new();
    while let Some(end) = read_until(&mut connection, &mut request, end_of_head)? {
        let length = match request.first() {
            Some(b'P') => end + OBJECT.len(),
            _ => end,
        };
        read_until(&mut connection, &mut request, |bytes| (bytes.len() >= length).then_some(0))?;
        let head = match request.first() {
            Some(b'P') => format!("HTTP/1.1 200 OK\r\n{HEADERS}Content-Length: 0\r\n\r\n"),
            Some(b'D') => format!("HTTP/1.1 204 No Content\r\n{HEADERS}\r\n"),
            _ => format!("HTTP/1.1 200 OK\r\n{HEADERS}{DESCRIPTION}\r\n"),
        };
        let mut answer = head.into_bytes();
        if request.first() == Some(&b'G') {
            answer.extend_from_slice(OBJECT);
        }
        connection.write_all(&answer)?;
        request.drain(..length);
    }
    Ok(())
}

/// Reads until something is found in what was read; none where it ends before.
fn read_until(
    connection: &mut TcpStream,
    read: &mut Vec<u8>,
    find: impl Fn(&[u8]) -> Option<usize>,
) -> io::Result<Option<usize>> {
    let mut buffer = [0; 16 * 1024];
    loop {
        if let Some(found) = find(read) {
            return Ok(Some(found));
        }
        match connection.read(&mut buffer)? {
            0 => return Ok(None),
            n => read.extend_from_slice(&buffer[..n]),
        }
    }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}
