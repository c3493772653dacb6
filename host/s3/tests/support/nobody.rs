//! An address where nobody listens.

use tokio::net::TcpSocket;

/// Refuses every connection. The port is held, so that no other test is given it.
pub(crate) struct Nobody(TcpSocket);

impl Nobody {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self(socket)
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }
}
