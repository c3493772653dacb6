//! The proxy before a server of a few lines that answers a body with itself.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{net::SocketAddr, time::Duration};

use artifact_test_servers::{FaultProxy, FaultProxyBuilder};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const BODY: usize = 200_000;

/// Answers each request with its own body.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                while let Some(body) = message(&mut socket).await {
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                    if socket.write_all(&[head.as_bytes(), &body].concat()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

/// The body of the next message; none where the connection ends before it does.
async fn message(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.split("Content-Length: ").nth(1)?.split("\r\n").next()?.parse().unwrap();
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.ok()?;
    Some(body)
}

/// What each of so many exchanges came to: the bits that differ, or none where the
/// connection broke. A connection is used for as long as it lives.
async fn outcomes(builder: FaultProxyBuilder, exchanges: usize) -> (Vec<Option<u32>>, FaultProxy) {
    let proxy = builder.start().await.unwrap();
    let body = vec![7; BODY];
    let request =
        [format!("PUT / HTTP/1.1\r\nContent-Length: {BODY}\r\n\r\n").as_bytes(), &body].concat();
    let (mut outcomes, mut connection) = (Vec::new(), None);
    for _ in 0..exchanges {
        let mut socket = match connection.take() {
            Some(socket) => socket,
            None => TcpStream::connect(proxy.address()).await.unwrap(),
        };
        let sent = socket.write_all(&request).await;
        let answer = if sent.is_ok() { message(&mut socket).await } else { None };
        outcomes.push(answer.map(|answer| {
            connection = Some(socket);
            answer.iter().zip(&body).map(|(one, other)| (one ^ other).count_ones()).sum()
        }));
    }
    (outcomes, proxy)
}

#[tokio::test]
async fn without_a_rate_everything_passes() {
    let (outcomes, proxy) = outcomes(FaultProxy::before(echo().await), 20).await;
    assert_eq!(outcomes, [Some(0); 20]);
    let faults = proxy.faults();
    assert_eq!((faults.exchanges, faults.broken_requests, faults.broken_answers), (20, 0, 0));
}

#[tokio::test]
async fn connections_break_at_the_rate_and_in_both_directions() {
    let builder = FaultProxy::before(echo().await).seed(3).break_one_in(4);
    let (outcomes, proxy) = outcomes(builder, 200).await;
    let faults = proxy.faults();
    let broken = faults.broken_requests + faults.broken_answers;
    assert!((30..80).contains(&broken), "{faults:?}");
    assert!(faults.broken_requests > 5 && faults.broken_answers > 5, "{faults:?}");
    let failed = outcomes.iter().filter(|outcome| outcome.is_none()).count() as u64;
    // One that breaks right after an answer fails the exchange after it, if any.
    assert!((broken / 2..=broken).contains(&failed), "{failed} of {faults:?}");
    assert!(outcomes.iter().flatten().all(|bits| *bits == 0));
    proxy.calm();
    let mut socket = TcpStream::connect(proxy.address()).await.unwrap();
    for _ in 0..50 {
        socket.write_all(b"PUT / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx").await.unwrap();
        assert_eq!(message(&mut socket).await.unwrap(), b"x");
    }
}

#[tokio::test]
async fn one_bit_is_flipped_and_counted() {
    for (builder, requests) in [
        (FaultProxy::before(echo().await).flip_one_request_in(3), true),
        (FaultProxy::before(echo().await).flip_one_answer_in(3), false),
    ] {
        let (outcomes, proxy) = outcomes(builder, 60).await;
        assert!(outcomes.iter().all(|bits| matches!(bits, Some(0 | 1))), "{outcomes:?}");
        let flipped = outcomes.iter().filter(|bits| **bits == Some(1)).count() as u64;
        let faults = proxy.faults();
        let counts = (faults.flipped_requests, faults.flipped_answers);
        assert_eq!(counts, if requests { (flipped, 0) } else { (0, flipped) });
        assert!((8..40).contains(&flipped), "{flipped}");
    }
}

#[tokio::test]
async fn answers_are_held_back() {
    let longest = Duration::from_millis(20);
    let (outcomes, proxy) =
        outcomes(FaultProxy::before(echo().await).delay_one_in(2, longest), 20).await;
    assert_eq!(outcomes, [Some(0); 20]);
    assert!((3..18).contains(&proxy.faults().delayed), "{:?}", proxy.faults());
}
