use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
    time::Duration,
};

/// Passes requests, or answers, on slowly.
pub struct Throttle {
    pub endpoint: String,
}

impl Throttle {
    /// Before a server at `http://host:port`: a request of many megabytes takes many seconds.
    pub fn before(endpoint: &str) -> Self {
        Self::pausing(endpoint, Duration::from_millis(20), Duration::ZERO)
    }

    /// Before such a server: an answer of 8 MiB takes a quarter of a second.
    pub fn of_answers(endpoint: &str) -> Self {
        Self::pausing(endpoint, Duration::ZERO, Duration::from_millis(2))
    }

    /// With pauses after each 64 KiB.
    fn pausing(endpoint: &str, requests: Duration, answers: Duration) -> Self {
        let server = endpoint.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        // Ends with the test's process.
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let server = TcpStream::connect(&server).unwrap();
                let (from_server, to_client) =
                    (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || pass(client, server, requests));
                thread::spawn(move || pass(from_server, to_client, answers));
            }
        });
        Self { endpoint }
    }
}

/// Until one of the two ends.
fn pass(mut from: TcpStream, mut to: TcpStream, pause: Duration) {
    let mut bytes = vec![0; 65536];
    let ended = loop {
        match from.read(&mut bytes) {
            Ok(0) => break Ok(()),
            Ok(read) => {
                if let Err(error) = to.write_all(&bytes[..read]) {
                    break Err(error);
                }
            }
            Err(error) => break Err::<(), io::Error>(error),
        }
        thread::sleep(pause);
    };
    let _ = to.shutdown(Shutdown::Write);
    if ended.is_err() {
        let _ = from.shutdown(Shutdown::Both);
    }
}
