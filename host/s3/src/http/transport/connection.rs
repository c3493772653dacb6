use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, response::Parts};
use http_body::Body as _;
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use tokio::{runtime, task::unconstrained};

use super::{
    connector::Io,
    error::TransportError,
    metered::Metered,
    pool::{Origin, Pool},
};
use crate::http::{
    progress::{Progress, Watchdog},
    upload::Outgoing,
};

/// Most headers of an answer, where there are many. The 2,048 bytes of metadata that S3 takes
/// are 1,049 headers at most: with names of one or two letters, and no values.
const MANY_HEADERS: usize = 1_200;

/// Why there is no answer, and the request, where nothing of it was sent.
type NotSent = (TransportError, Option<Box<Request<Outgoing>>>);

/// One connection. What reads and writes it is no task of its own: who waits for an
/// answer drives it, on the same thread, without a channel or a wake-up between.
pub(super) struct Connection {
    requests: SendRequest<Outgoing>,
    /// None when the connection has ended.
    driver: Option<http1::Connection<Metered, Outgoing>>,
    /// Bytes that the other side has taken, and how many of them are noted.
    written: Arc<AtomicU64>,
    noted: u64,
    watchdog: Watchdog,
    home: Weak<Pool>,
    origin: Origin,
    /// A socket and a timer work only in the runtime in which they began, wherever the last
    /// answer is read to its end.
    pub(super) runtime: Option<runtime::Id>,
    /// Whether answers may have more than a hundred headers.
    pub(super) takes_many_headers: bool,
    /// Whether it has carried a request before.
    pub(super) is_reused: bool,
}

impl Connection {
    pub(super) async fn over(
        io: Io,
        origin: Origin,
        home: Weak<Pool>,
        takes_many_headers: bool,
    ) -> Result<Self, TransportError> {
        let mut builder = http1::Builder::new();
        if takes_many_headers {
            builder.max_headers(MANY_HEADERS);
        }
        let (io, written) = Metered::new(io);
        let (requests, driver) = builder.handshake(io).await.map_err(TransportError::Broke)?;
        Ok(Self {
            requests,
            driver: Some(driver),
            written,
            noted: 0,
            watchdog: Watchdog::default(),
            home,
            origin,
            runtime: runtime::Handle::try_current().ok().map(|runtime| runtime.id()),
            takes_many_headers,
            is_reused: false,
        })
    }

    /// Sends a request, and waits for the head of the answer. The body may still be on
    /// its way up then, and goes on going there while the answer's is read.
    ///
    /// With the error the request comes back, where nothing of it was sent.
    pub(super) async fn exchange(
        mut self: Box<Self>,
        request: Box<Request<Outgoing>>,
        progress: &Progress,
    ) -> Result<(Parts, ResponseBody), NotSent> {
        progress.tick();
        // The connection alone can wake it, and is driven here: nobody need be woken.
        let mut answer = Box::pin(unconstrained(self.requests.try_send_request(*request)));
        let answer = poll_fn(|cx| {
            self.drive(cx);
            self.note(progress);
            match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(answer) => Poll::Ready(Ok(answer)),
                Poll::Pending => progress.poll_stalled(&mut self.watchdog, cx).map(Err),
            }
        });
        match answer.await {
            Ok(Ok(answer)) => {
                let (head, body) = answer.into_parts();
                Ok((head, ResponseBody::new(body, self, progress.clone())))
            }
            Ok(Err(mut error)) => {
                let request = error.take_message().map(Box::new);
                Err((TransportError::Broke(error.into_error()), request))
            }
            Err(stalled) => Err((TransportError::Stalled(stalled), None)),
        }
    }

    /// Reads and writes what can be read and written now.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver
            && Pin::new(driver).poll(cx).is_ready()
        {
            // What it fails with, those hear of who wait for its answer, or nobody cares;
            // and they hear of it when it is gone.
            self.driver = None;
        }
    }

    /// Notes whether bytes have gone since it was asked last.
    fn note(&mut self, progress: &Progress) {
        let written = self.written.load(Ordering::Relaxed);
        if std::mem::replace(&mut self.noted, written) != written {
            progress.tick();
        }
    }

    /// Whether the next request can be sent.
    fn is_idle(&self) -> bool {
        self.driver.is_some() && self.requests.is_ready()
    }

    /// Goes back to the pool; closed, if it is still in use.
    fn come_home(mut self: Box<Self>) {
        if !self.is_idle() {
            self.drive(&mut Context::from_waker(Waker::noop()));
        }
        if self.is_idle() {
            self.is_reused = true;
            if let Some(pool) = self.home.upgrade() {
                pool.put(self.origin.clone(), self);
            }
        }
    }

    /// Takes leave of the other side, as TLS wants it, without waiting.
    pub(super) fn close(self) {
        let Self { requests, driver, .. } = self;
        drop(requests);
        if let Some(mut driver) = driver {
            let _ = Pin::new(&mut driver).poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}

/// The body of an answer, which brings its connection along and drives it.
///
/// At its end the connection goes back to the pool. One that is dropped before closes
/// the connection, unless the rest is there already.
pub(in crate::http) struct ResponseBody {
    /// None when it is being dropped.
    body: Option<Incoming>,
    connection: Option<Box<Connection>>,
    progress: Progress,
}

impl ResponseBody {
    fn new(body: Incoming, connection: Box<Connection>, progress: Progress) -> Self {
        let mut body = Self { body: Some(body), connection: Some(connection), progress };
        body.release_at_end();
        body
    }

    /// How many bytes are still to come, where the service told.
    pub(in crate::http) fn length(&self) -> Option<u64> {
        self.body.as_ref().and_then(|body| body.size_hint().exact())
    }

    /// The next bytes, or none at the end.
    pub(in crate::http) async fn chunk(&mut self) -> Result<Option<Bytes>, TransportError> {
        let mut waits = false;
        poll_fn(|cx| {
            if let Poll::Ready(chunk) = self.poll_chunk(cx) {
                return Poll::Ready(chunk.transpose().map_err(TransportError::Broke));
            }
            if !waits {
                // What passed between two chunks, the reader took.
                waits = true;
                self.progress.tick();
            }
            match &mut self.connection {
                Some(connection) => {
                    let stalled = self.progress.poll_stalled(&mut connection.watchdog, cx);
                    stalled.map(|stalled| Err(TransportError::Stalled(stalled)))
                }
                None => Poll::Pending,
            }
        })
        .await
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Bytes>>> {
        let mut driven = false;
        loop {
            let Some(body) = &mut self.body else {
                return Poll::Ready(None);
            };
            // The connection alone can wake it, as with the head.
            match Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.release_at_end();
                    match frame.into_data() {
                        Ok(data) if !data.is_empty() => return Poll::Ready(Some(Ok(data))),
                        // Trailers, which nobody asked for.
                        _ => {}
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    self.connection = None;
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(None) => {
                    self.release();
                    return Poll::Ready(None);
                }
                Poll::Pending if driven => return Poll::Pending,
                Poll::Pending => {
                    driven = true;
                    match &mut self.connection {
                        Some(connection) => {
                            connection.drive(cx);
                            connection.note(&self.progress);
                        }
                        None => return Poll::Pending,
                    }
                }
            }
        }
    }

    fn release_at_end(&mut self) {
        if self.body.as_ref().is_some_and(Incoming::is_end_stream) {
            self.release();
        }
    }

    fn release(&mut self) {
        let connection = self.connection.take();
        // A service that answers early need not be sent the rest.
        if let Some(connection) = connection.filter(|_| !self.progress.is_sending()) {
            connection.come_home();
        }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        // The connection sees that nobody reads on, and looks whether the end is there.
        self.body = None;
        self.release();
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").field("length", &self.length()).finish_non_exhaustive()
    }
}
