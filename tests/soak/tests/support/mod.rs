//! A server that keeps nothing: it takes an object and remembers its checksum, and gives
//! out a pattern of any length.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use artifact_soak::pattern;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// What came: CRC64NVME and length of each part, by its number.
pub(crate) type Parts = Arc<Mutex<BTreeMap<u32, (u64, u64)>>>;

pub(crate) async fn serve(size: u64) -> (SocketAddr, Parts) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let parts = Parts::default();
    let kept = Arc::clone(&parts);
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            tokio::spawn(connection(socket, size, Arc::clone(&kept)));
        }
    });
    (address, parts)
}

async fn connection(socket: TcpStream, size: u64, parts: Parts) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut socket = BufReader::with_capacity(1 << 18, socket);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if socket.read_line(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let target = head.split(' ').nth(1).unwrap().to_owned();
        let length = header(&head, "content-length").map_or(0, |text| text.parse().unwrap());
        if head.starts_with("GET ") {
            give(&mut socket, size, header(&head, "range")).await?;
            continue;
        }
        let (crc, mut left) = (&mut pattern::Crc::new(), length);
        while left > 0 {
            let bytes = socket.fill_buf().await?;
            let taken = usize::try_from(left).unwrap().min(bytes.len());
            if taken == 0 {
                return Ok(());
            }
            crc.update(&bytes[..taken]);
            left -= taken as u64;
            socket.consume(taken);
        }
        let query = |name: &str| {
            let query = target.split_once('?')?.1;
            query
                .split('&')
                .find_map(|pair| Some(pair.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
        };
        let body = if query("uploads").is_some() {
            "<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>"
        } else if head.starts_with("POST ") {
            "<CompleteMultipartUploadResult><ETag>\"etag-2\"</ETag></CompleteMultipartUploadResult>"
        } else {
            let number = query("partNumber").map_or(1, |number| number.parse().unwrap());
            parts.lock().unwrap().insert(number, (crc.finalize(), length));
            ""
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nETag: \"etag\"\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(head.as_bytes()).await?;
    }
}

/// Answers with the pattern, or with a range of it.
async fn give(
    socket: &mut BufReader<TcpStream>,
    size: u64,
    range: Option<String>,
) -> io::Result<()> {
    let bounds = range.as_deref().and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let (first, last) = bounds.map_or((0, size - 1), |(first, last)| {
        (first.parse().unwrap(), last.parse().unwrap_or(size - 1).min(size - 1))
    });
    let status = if bounds.is_some() {
        format!("206 Partial Content\r\nContent-Range: bytes {first}-{last}/{size}")
    } else {
        "200 OK".to_owned()
    };
    let length = last + 1 - first;
    let head = format!("HTTP/1.1 {status}\r\nETag: \"etag\"\r\nContent-Length: {length}\r\n\r\n");
    socket.write_all(head.as_bytes()).await?;
    let mut position = first;
    while let Some(piece) = pattern::piece(position, last + 1) {
        socket.write_all(&piece).await?;
        position += piece.len() as u64;
    }
    Ok(())
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}
