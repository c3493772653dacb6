use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

/// A server that begins and does not come to an end.
pub struct Slow {
    pub endpoint: String,
    begun: Receiver<()>,
}

impl Slow {
    /// Takes a request, reads what comes, and never answers.
    pub fn silent() -> Self {
        Self::saying(b"")
    }

    /// Answers a get with the first bytes of many, and stops there.
    pub fn stalling() -> Self {
        Self::saying(
            b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\netag: \"e\"\r\n\
              content-type: text/plain\r\n\r\nthe first bytes",
        )
    }

    fn saying(answer: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (tell, begun) = channel();
        // Ends with the test's process: its connections are the program's to close.
        thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let tell = tell.clone();
                thread::spawn(move || {
                    let mut bytes = vec![0; 65536];
                    if connection.read(&mut bytes).unwrap_or(0) == 0 {
                        return;
                    }
                    connection.write_all(answer).unwrap();
                    let _ = tell.send(());
                    while connection.read(&mut bytes).unwrap_or(0) > 0 {}
                });
            }
        });
        Self { endpoint, begun }
    }

    /// Waits until a request is there, and answered as far as it will be.
    pub fn wait(&self) {
        self.begun.recv_timeout(Duration::from_mins(1)).unwrap();
    }
}
