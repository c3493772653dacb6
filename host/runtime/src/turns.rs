use std::{
    io,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering, fence},
    },
    thread::{self, Thread},
    time::Duration,
};

use tokio::sync::Semaphore;
use wasmtime::Engine;

/// After so long a running component lets other tasks have the thread.
pub(crate) const TURN: Duration = Duration::from_millis(10);

/// How soon the clock of a sandbox that is gone stops.
const REST: Duration = Duration::from_secs(1);

/// Ends the turn of all that runs in a sandbox, again and again; while nothing runs, it
/// rests.
pub(crate) struct Clock {
    resting: Arc<AtomicBool>,
    thread: Thread,
}

impl Clock {
    /// Something runs as long as any of the `all` permits of `room` is taken.
    pub(crate) fn start(engine: &Engine, room: &Arc<Semaphore>, all: usize) -> io::Result<Self> {
        let (engine, room) = (engine.weak(), Arc::downgrade(room));
        let resting = Arc::new(AtomicBool::new(false));
        let rests = Arc::clone(&resting);
        let count = move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                if runs(&room, all) {
                    thread::sleep(TURN);
                    continue;
                }
                rests.store(true, Ordering::Relaxed);
                // With the one in `wake`: either a call's room is seen here, or the rest there.
                fence(Ordering::SeqCst);
                if !runs(&room, all) {
                    thread::park_timeout(REST);
                }
                rests.store(false, Ordering::Relaxed);
            }
        };
        let thread = thread::Builder::new().name("artifact-turns".to_owned()).spawn(count)?;
        Ok(Self { resting, thread: thread.thread().clone() })
    }

    /// A call has taken its room.
    pub(crate) fn wake(&self) {
        fence(Ordering::SeqCst);
        if self.resting.load(Ordering::Relaxed) {
            self.thread.unpark();
        }
    }
}

fn runs(room: &Weak<Semaphore>, all: usize) -> bool {
    room.upgrade().is_some_and(|room| room.available_permits() < all)
}
