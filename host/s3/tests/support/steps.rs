//! What a server does with one request, step by step: for what no single act says.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};

use super::Reader;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Reads the request up to the end of its head.
    ReadHead,
    /// Reads until so many bytes of the request are here.
    Read(usize),
    /// Reads the whole request.
    ReadAll,
    /// Writes this.
    Write(Vec<u8>),
    /// Writes this, with the server's own host and port for `{here}`.
    WriteHere(String),
    /// Writes this byte by byte, with a pause before each.
    Drip(Duration, Vec<u8>),
    /// Writes this again and again, until the client has had enough.
    Flood(Vec<u8>),
    /// Does nothing for so long.
    Pause(Duration),
    /// Ends the connection in order.
    Close,
    /// Ends the connection as a crash does: the client sees a reset.
    Reset,
    /// Neither reads nor writes any more.
    Hang,
}

/// Whether the connection goes on after the steps.
pub(super) async fn walk(steps: Vec<Step>, mut reader: Reader<'_>) -> bool {
    for step in steps {
        match step {
            Step::ReadHead => reader.read_head().await,
            Step::Read(bytes) => {
                while reader.seen.raw.len() < bytes && reader.read_some(bytes).await {}
            }
            Step::ReadAll => reader.read_all().await,
            Step::Write(bytes) => {
                if reader.socket.write_all(&bytes).await.is_err() {
                    return false;
                }
            }
            Step::WriteHere(text) => {
                let here = reader.socket.local_addr().unwrap().to_string();
                let text = text.replace("{here}", &here);
                if reader.socket.write_all(text.as_bytes()).await.is_err() {
                    return false;
                }
            }
            Step::Drip(pause, bytes) => {
                for byte in bytes {
                    sleep(pause).await;
                    if reader.socket.write_all(&[byte]).await.is_err() {
                        return false;
                    }
                }
            }
            Step::Flood(bytes) => while reader.socket.write_all(&bytes).await.is_ok() {},
            Step::Pause(time) => sleep(time).await,
            Step::Close => return false,
            Step::Reset => {
                reset_on_close(reader.socket);
                return false;
            }
            Step::Hang => std::future::pending().await,
        }
    }
    true
}

fn reset_on_close(socket: &TcpStream) {
    socket.set_zero_linger().unwrap();
}
