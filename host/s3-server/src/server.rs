use std::{net::SocketAddr, sync::Arc, time::Duration};

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::{
    LocalServerBuilder, SecretKey, UnfinishedUpload, multipart::Uploads, service::Service,
};

/// How long [`LocalServer::stop`] waits for calls that are still running.
const PATIENCE: Duration = Duration::from_secs(5);

/// An S3 server on 127.0.0.1, within this process.
///
/// Listens until it is stopped or dropped. See the [crate](crate)'s example.
#[derive(Debug)]
pub struct LocalServer {
    address: SocketAddr,
    access_key: String,
    secret_key: SecretKey,
    uploads: Arc<Uploads>,
    stop: watch::Sender<bool>,
    accepting: Option<JoinHandle<()>>,
}

impl LocalServer {
    /// Says what to serve.
    pub fn builder() -> LocalServerBuilder {
        LocalServerBuilder::new()
    }

    pub(crate) fn run(
        listener: TcpListener,
        address: SocketAddr,
        service: Service,
        (access_key, secret_key): (String, SecretKey),
        uploads: Arc<Uploads>,
    ) -> Self {
        let (stop, stopping) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, service, stopping));
        Self { address, access_key, secret_key, uploads, stop, accepting: Some(accepting) }
    }

    /// The endpoint's URL, such as `http://127.0.0.1:40123`. Buckets are in the path.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The access key that requests are signed with.
    #[must_use]
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// The secret key that requests are signed with.
    #[must_use]
    pub fn secret_key(&self) -> &SecretKey {
        &self.secret_key
    }

    /// The multipart uploads that were begun, and neither completed nor aborted, in the
    /// order in which they were begun.
    #[must_use]
    pub fn unfinished_uploads(&self) -> Vec<UnfinishedUpload> {
        self.uploads.unfinished()
    }

    /// Takes no more connections, lets running calls end (for at most five seconds),
    /// and returns once nothing listens any more.
    pub async fn stop(mut self) {
        // No receiver is left only if the task is gone, and then there is nothing to stop.
        let _ = self.stop.send(true);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.await;
        }
    }
}

impl Drop for LocalServer {
    /// Stops at once: open connections are closed with the task that owns them.
    fn drop(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
        }
    }
}

async fn accept(listener: TcpListener, service: Service, mut stopping: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    connections.spawn(serve(socket, service.clone(), stopping.clone()));
                }
                Err(error) => {
                    // Out of descriptors, most likely: they come back as connections end.
                    tracing::warn!(%error, "the local S3 server cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = stopping.changed() => break,
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    // What runs on after that is aborted with the set.
    let _ = tokio::time::timeout(PATIENCE, all_ended).await;
}

async fn serve(socket: TcpStream, service: Service, mut stopping: watch::Receiver<bool>) {
    // Without it a small answer waits for the client's delayed acknowledgement: 40 ms.
    let _ = socket.set_nodelay(true);
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(socket), service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the local S3 server broke");
    }
}
