//! A proxy that does to connections what networks do.

mod framing;
mod plan;
mod relay;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

use self::plan::{Direction, Plan};

/// A proxy on 127.0.0.1 that passes HTTP/1.1 on to a server, and breaks some of it.
///
/// Whether something happens to an exchange (a request and its answer) is decided when
/// its request comes, by a generator of random numbers with a seed: the same exchanges
/// in the same order meet the same faults. Without any rate it changes nothing.
///
/// Stops when it is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use artifact_test_servers::FaultProxy;
///
/// let server = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let proxy = FaultProxy::before(server.local_addr()?).seed(7).break_one_in(10).start().await?;
/// assert!(proxy.endpoint().starts_with("http://127.0.0.1:"));
/// assert_eq!(proxy.faults().exchanges, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

/// What a [`FaultProxy`] does, and how often.
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing listens before `start`"]
pub struct FaultProxyBuilder {
    server: SocketAddr,
    seed: u64,
    rates: Rates,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Faults {
    /// Requests that came, whatever became of them.
    pub exchanges: u64,
    /// Connections that were broken while a request passed.
    pub broken_requests: u64,
    /// Connections that were broken before, within or right after an answer.
    pub broken_answers: u64,
    /// Requests of which a bit was flipped.
    pub flipped_requests: u64,
    /// Answers of which a bit was flipped.
    pub flipped_answers: u64,
    /// Answers that were held back.
    pub delayed: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Rates {
    breaks: u32,
    flipped_requests: u32,
    flipped_answers: u32,
    delays: u32,
    longest_delay: Duration,
}

#[derive(Debug)]
struct Shared {
    rates: Rates,
    random: Mutex<fastrand::Rng>,
    calm: AtomicBool,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    exchanges: AtomicU64,
    broken_requests: AtomicU64,
    broken_answers: AtomicU64,
    flipped_requests: AtomicU64,
    flipped_answers: AtomicU64,
    delayed: AtomicU64,
}

impl FaultProxyBuilder {
    /// What the random numbers begin with; 0, if not given.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Breaks the connection of one exchange in so many: by a reset or a clean close, in
    /// its request or its answer, before, within or right after it.
    pub fn break_one_in(mut self, exchanges: u32) -> Self {
        self.rates.breaks = exchanges;
        self
    }

    /// Flips one bit in the body of one request in so many. Requests without a body,
    /// and those that come in chunks, are left alone.
    pub fn flip_one_request_in(mut self, requests: u32) -> Self {
        self.rates.flipped_requests = requests;
        self
    }

    /// Flips one bit in the body of one answer in so many. XML is left alone, as it
    /// carries no checksum: nobody could notice. So are bodies that come in chunks.
    pub fn flip_one_answer_in(mut self, answers: u32) -> Self {
        self.rates.flipped_answers = answers;
        self
    }

    /// Holds back one answer in so many, for up to so long.
    pub fn delay_one_in(mut self, answers: u32, longest: Duration) -> Self {
        (self.rates.delays, self.rates.longest_delay) = (answers, longest);
        self
    }

    /// Listens on a free port. Needs a tokio runtime, on which it then runs.
    pub async fn start(self) -> io::Result<FaultProxy> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            rates: self.rates,
            random: Mutex::new(fastrand::Rng::with_seed(self.seed)),
            calm: AtomicBool::new(false),
            counts: Counts::default(),
        });
        let accepting = tokio::spawn(accept(listener, self.server, Arc::clone(&shared)));
        Ok(FaultProxy { address, shared, accepting })
    }
}

impl FaultProxy {
    /// Says what it stands before.
    pub fn before(server: SocketAddr) -> FaultProxyBuilder {
        FaultProxyBuilder { server, seed: 0, rates: Rates::default() }
    }

    /// Where it listens, as a URL.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it did so far.
    #[must_use]
    pub fn faults(&self) -> Faults {
        let counts = &self.shared.counts;
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Faults {
            exchanges: of(&counts.exchanges),
            broken_requests: of(&counts.broken_requests),
            broken_answers: of(&counts.broken_answers),
            flipped_requests: of(&counts.flipped_requests),
            flipped_answers: of(&counts.flipped_answers),
            delayed: of(&counts.delayed),
        }
    }

    /// Lets every exchange that begins from now on pass as it is.
    pub fn calm(&self) {
        self.shared.calm.store(true, Ordering::Relaxed);
    }
}

impl Drop for FaultProxy {
    /// Stops at once, with every connection.
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    /// What happens to the next exchange.
    fn plan(&self) -> Plan {
        self.counts.exchanges.fetch_add(1, Ordering::Relaxed);
        // Drawn in any case, so that the numbers after it are the same.
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = Plan::draw(&self.rates, &mut random);
        if self.calm.load(Ordering::Relaxed) { Plan::default() } else { plan }
    }

    fn broke(&self, direction: Direction) {
        self.counts.of_breaks(direction).fetch_add(1, Ordering::Relaxed);
    }

    fn flipped(&self, direction: Direction) {
        let count = match direction {
            Direction::Request => &self.counts.flipped_requests,
            Direction::Answer => &self.counts.flipped_answers,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn delayed(&self) {
        self.counts.delayed.fetch_add(1, Ordering::Relaxed);
    }
}

impl Counts {
    fn of_breaks(&self, direction: Direction) -> &AtomicU64 {
        match direction {
            Direction::Request => &self.broken_requests,
            Direction::Answer => &self.broken_answers,
        }
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    connections.spawn(relay::relay(client, server, Arc::clone(&shared)));
                }
                // Out of descriptors, most likely: they come back as connections end.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
