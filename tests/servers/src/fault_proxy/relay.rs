use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
};

use super::{
    Shared,
    framing::{self, Chunks, Framing},
    plan::{Direction, Manner, Place, Plan, part_of},
};

/// Bytes passed on at a time.
const CHUNK: usize = 64 * 1024;
/// More than any head has.
const MAX_HEAD: usize = 256 * 1024;

/// Passes one connection on, to its end.
pub(super) async fn relay(mut client: TcpStream, server: SocketAddr, shared: Arc<Shared>) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    // Small messages would wait for acknowledgements.
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    let ended = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let exchanges = Exchanges::default();
        let requests = requests(from_client, to_server, &exchanges, &shared);
        let broken = async {
            match requests.await {
                Ended::Broken(manner) => manner,
                // Its answers may still be on their way.
                Ended::Passed => std::future::pending().await,
            }
        };
        tokio::select! {
            manner = broken => Ended::Broken(manner),
            ended = answers(from_server, to_client, &exchanges, &shared) => ended,
        }
    };
    if let Ended::Broken(Manner::Reset) = ended {
        let _ = client.set_zero_linger();
        let _ = server.set_zero_linger();
    }
}

/// How a half of a connection ended.
enum Ended {
    /// As the two sides wanted.
    Passed,
    Broken(Manner),
}

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self::Passed
    }
}

/// Requests that wait for their answers: what happens to them, and whether they are `HEAD`.
#[derive(Default)]
struct Exchanges(Mutex<VecDeque<(Plan, bool)>>);

impl Exchanges {
    fn push(&self, plan: Plan, is_head: bool) {
        self.lock().push_back((plan, is_head));
    }

    fn first(&self) -> (Plan, bool) {
        self.lock().front().copied().unwrap_or_default()
    }

    fn pop(&self) {
        self.lock().pop_front();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<(Plan, bool)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn requests(
    from: ReadHalf<'_>,
    to: WriteHalf<'_>,
    exchanges: &Exchanges,
    shared: &Shared,
) -> Ended {
    let mut pipe = Pipe::new(from, to, Direction::Request, shared);
    loop {
        let Ok(Some(head)) = pipe.head().await else {
            let _ = pipe.to.shutdown().await;
            return Ended::Passed;
        };
        let plan = shared.plan();
        exchanges.push(plan, framing::is_head_request(&head));
        let framing = Framing::of_request(&head);
        if let Err(ended) = pipe.message(head, framing, &plan).await {
            let _ = pipe.to.shutdown().await;
            return ended;
        }
    }
}

async fn answers(
    from: ReadHalf<'_>,
    to: WriteHalf<'_>,
    exchanges: &Exchanges,
    shared: &Shared,
) -> Ended {
    let mut pipe = Pipe::new(from, to, Direction::Answer, shared);
    loop {
        let Ok(Some(head)) = pipe.head().await else {
            return Ended::Passed;
        };
        let (mut plan, to_head) = exchanges.first();
        let framing = Framing::of_answer(&head, to_head);
        if framing::is_interim(&head) {
            plan = Plan::default();
        } else {
            exchanges.pop();
        }
        if framing::is_xml(&head) {
            plan.flip_answer = None;
        }
        if let Some(delay) = plan.delay {
            shared.delayed();
            tokio::time::sleep(delay).await;
        }
        if let Err(ended) = pipe.message(head, framing, &plan).await {
            return ended;
        }
    }
}

/// One direction of a connection.
struct Pipe<'a> {
    from: ReadHalf<'a>,
    to: WriteHalf<'a>,
    direction: Direction,
    shared: &'a Shared,
    /// Read, and not passed on yet.
    ready: Vec<u8>,
}

/// What happens at which byte of a message.
#[derive(Default)]
struct Course {
    sent: u64,
    cut: Option<(u64, Manner)>,
    flip: Option<(u64, u8)>,
}

impl<'a> Pipe<'a> {
    fn new(
        from: ReadHalf<'a>,
        to: WriteHalf<'a>,
        direction: Direction,
        shared: &'a Shared,
    ) -> Self {
        Self { from, to, direction, shared, ready: Vec::new() }
    }

    /// The next head; none where the connection ends.
    async fn head(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(length) = framing::head_length(&self.ready) {
                let rest = self.ready.split_off(length);
                return Ok(Some(std::mem::replace(&mut self.ready, rest)));
            }
            if self.ready.len() > MAX_HEAD || !self.read().await? {
                return Ok(None);
            }
        }
    }

    /// Passes a message on, and does to it what is planned.
    async fn message(
        &mut self,
        mut head: Vec<u8>,
        framing: Framing,
        plan: &Plan,
    ) -> Result<(), Ended> {
        let head_length = head.len() as u64;
        // Where the length is not said, half a megabyte is as good as any.
        let body_length = if let Framing::Length(length) = framing { length } else { 1 << 19 };
        let cut = plan.break_of(self.direction).map(|(place, manner)| {
            let at = match place {
                Place::Start => 0,
                Place::Head(part) => part_of(head_length, part),
                Place::Body(part) => head_length + part_of(body_length, part),
                Place::End => head_length + body_length,
            };
            (at, manner)
        });
        let flip = plan.flip_of(self.direction).filter(|_| matches!(framing, Framing::Length(1..)));
        let flip = flip.map(|(part, bit)| (head_length + part_of(body_length, part), bit));
        let mut course = Course { sent: 0, cut, flip };
        self.send(&mut head, &mut course).await?;
        match framing {
            Framing::Length(mut left) => {
                while left > 0 {
                    let mut piece = self.piece(left).await?;
                    left -= piece.len() as u64;
                    self.send(&mut piece, &mut course).await?;
                }
            }
            Framing::Chunked => {
                let mut chunks = Chunks::default();
                loop {
                    let mut piece = self.piece(u64::MAX).await?;
                    let (length, ended) = chunks.take(&piece);
                    let rest = piece.split_off(length);
                    self.ready.splice(..0, rest);
                    self.send(&mut piece, &mut course).await?;
                    if ended {
                        break;
                    }
                }
            }
            Framing::UntilClose => loop {
                let mut piece = self.piece(u64::MAX).await?;
                self.send(&mut piece, &mut course).await?;
            },
        }
        // At its end, or past it, where the body was shorter than was guessed.
        match course.cut {
            Some((_, manner)) => Err(self.cut(manner).await),
            None => Ok(()),
        }
    }

    /// Sends these bytes of a message, changed or cut as its course says.
    async fn send(&mut self, bytes: &mut [u8], course: &mut Course) -> Result<(), Ended> {
        let (start, end) = (course.sent, course.sent + bytes.len() as u64);
        let within = |at: u64| usize::try_from(at.checked_sub(start)?).ok();
        if let Some((at, bit)) = course.flip
            && let Some(byte) = within(at).and_then(|at| bytes.get_mut(at))
        {
            *byte ^= bit;
            course.flip = None;
            self.shared.flipped(self.direction);
        }
        if let Some((at, manner)) = course.cut
            && at < end
        {
            let kept = within(at).unwrap_or(0);
            self.to.write_all(&bytes[..kept]).await?;
            return Err(self.cut(manner).await);
        }
        course.sent = end;
        self.to.write_all(bytes).await?;
        Ok(())
    }

    async fn cut(&mut self, manner: Manner) -> Ended {
        self.shared.broke(self.direction);
        let _ = self.to.flush().await;
        Ended::Broken(manner)
    }

    /// Some of the bytes to come, at most so many; an end where there are none.
    async fn piece(&mut self, most: u64) -> Result<Vec<u8>, Ended> {
        if self.ready.is_empty() && !self.read().await? {
            return Err(Ended::Passed);
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(self.ready.len());
        let rest = self.ready.split_off(most);
        Ok(std::mem::replace(&mut self.ready, rest))
    }

    /// Reads more; false at the end.
    async fn read(&mut self) -> io::Result<bool> {
        let before = self.ready.len();
        self.ready.resize(before + CHUNK, 0);
        let read = self.from.read(&mut self.ready[before..]).await;
        self.ready.truncate(before + read.as_ref().copied().unwrap_or(0));
        Ok(read? > 0)
    }
}
