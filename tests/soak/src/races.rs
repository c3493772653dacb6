//! Keys that all tasks write to, on conditions.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use artifact_s3::{
    Body, GetOptions, MemoryS3, ObjectKey, PutOptions, S3Client, S3Error, S3ErrorKind,
    WriteCondition,
};

use crate::{
    report::Violation,
    worker::{Ended, Worker, is_broken, of_body},
};

/// Where the counter is.
pub(crate) const COUNTER: &str = "races/counter";

/// Tries for a key before the next key's race begins.
const TRIES: u64 = 8;

/// What came of the races, as the tasks saw it.
#[derive(Debug, Default)]
pub(crate) struct Races {
    tries: AtomicU64,
    once: Mutex<BTreeMap<String, Once>>,
    counted: AtomicU64,
    maybe_counted: AtomicU64,
}

/// One key that only the first may put.
#[derive(Debug, Default)]
struct Once {
    won: Vec<String>,
    may_have_won: Vec<String>,
    log: Vec<String>,
}

impl Races {
    fn once(&self) -> MutexGuard<'_, BTreeMap<String, Once>> {
        self.once.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a race was for this key.
    pub(crate) fn knows(&self, key: &str) -> bool {
        key == COUNTER || self.once().contains_key(key)
    }

    /// How many races have a winner that knows of it, and how often the counter went up.
    pub(crate) fn totals(&self) -> (usize, u64) {
        let won = self.once().values().filter(|once| !once.won.is_empty()).count();
        (won, self.counted.load(Ordering::Relaxed))
    }

    /// What is wrong at the end.
    pub(crate) fn violations(&self, memory: &MemoryS3, bucket: &str) -> Vec<Violation> {
        let stored = |key: &str| {
            let object = memory.object(bucket, key)?;
            Some(String::from_utf8_lossy(&object.bytes).into_owned())
        };
        let mut wrong = Vec::new();
        for (key, once) in self.once().iter() {
            let stored = stored(key);
            let fits = match (&once.won[..], &stored) {
                ([winner], Some(stored)) => winner == stored,
                ([], Some(stored)) => once.may_have_won.contains(stored),
                // All were refused, or nobody knows.
                ([], None) => once.log.len() == once.may_have_won.len(),
                _ => false,
            };
            if !fits {
                let (won, maybe) = (&once.won, &once.may_have_won);
                wrong.push(Violation {
                    key: key.clone(),
                    what: format!("{stored:?} is there, {won:?} won, {maybe:?} may have"),
                    log: once.log.clone(),
                });
            }
        }
        let counted = self.counted.load(Ordering::Relaxed);
        let most = counted + self.maybe_counted.load(Ordering::Relaxed);
        let value = stored(COUNTER).and_then(|text| text.parse::<u64>().ok());
        if !value.is_some_and(|value| (counted..=most).contains(&value)) {
            wrong.push(Violation {
                key: COUNTER.to_owned(),
                what: format!("{value:?} after {counted} to {most} updates"),
                log: Vec::new(),
            });
        }
        wrong
    }
}

impl Worker {
    pub(crate) async fn race(&mut self) -> Result<(), Violation> {
        if self.random.bool() { self.put_once().await } else { self.count_up().await }
    }

    /// Puts a key that must not be there, as others do at the same time.
    async fn put_once(&mut self) -> Result<(), Violation> {
        let number = self.world.races.tries.fetch_add(1, Ordering::Relaxed);
        let name = format!("races/once-{}", number / TRIES);
        let mine = format!("try {number} of task {}", self.number);
        let condition = WriteCondition::IfAbsent;
        let ended = self.put_shared(&name, mine.clone(), condition).await?;
        self.count("put if absent", &ended);
        let mut all = self.world.races.once();
        let once = all.entry(name.clone()).or_default();
        once.log.push(format!("{mine}: {}", ended.told()));
        match ended {
            Ended::Ok(()) => once.won.push(mine),
            Ended::Err(error) if error.kind() == S3ErrorKind::PreconditionFailed => {
                // A try before may have been the one that this one met.
                if error.attempts() > 1 {
                    once.may_have_won.push(mine);
                }
            }
            Ended::Err(error) if !is_broken(&error) => return Err(unexpected(&name, &error)),
            Ended::Err(_) | Ended::Dropped => once.may_have_won.push(mine),
        }
        Ok(())
    }

    /// Reads the counter, and puts one more over what was read.
    async fn count_up(&mut self) -> Result<(), Violation> {
        let (s3, bucket) = (self.s3.clone(), self.world.bucket.clone());
        let key = parse(COUNTER)?;
        let read = async {
            let object = s3.get_object(&bucket, &key, &GetOptions::default()).await?;
            let bytes = object.body.bytes().await.map_err(of_body)?;
            Ok::<_, S3Error>((object.info.etag, bytes))
        };
        let (etag, bytes) = match read.await {
            Ok((Some(etag), bytes)) => (etag, bytes),
            Ok((None, _)) => return Err(violated(COUNTER, "it has no etag".to_owned())),
            // Changed between two tries.
            Err(error) if error.kind() == S3ErrorKind::PreconditionFailed => return Ok(()),
            Err(error) if is_broken(&error) => return Ok(()),
            Err(error) => return Err(unexpected(COUNTER, &error)),
        };
        let value = std::str::from_utf8(&bytes).ok().and_then(|text| text.parse::<u64>().ok());
        let Some(value) = value else {
            return Err(violated(COUNTER, format!("it holds {bytes:?}")));
        };
        let condition = WriteCondition::IfMatch(etag);
        let ended = self.put_shared(COUNTER, (value + 1).to_string(), condition).await?;
        self.count("put if match", &ended);
        let races = &self.world.races;
        match ended {
            Ended::Ok(()) => {
                races.counted.fetch_add(1, Ordering::Relaxed);
            }
            Ended::Err(error)
                if error.kind() == S3ErrorKind::PreconditionFailed && error.attempts() == 1 => {}
            Ended::Err(error)
                if !is_broken(&error) && error.kind() != S3ErrorKind::PreconditionFailed =>
            {
                return Err(unexpected(COUNTER, &error));
            }
            Ended::Err(_) | Ended::Dropped => {
                races.maybe_counted.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    async fn put_shared(
        &mut self,
        key: &str,
        text: String,
        condition: WriteCondition,
    ) -> Result<Ended<()>, Violation> {
        let (s3, bucket, key) = (self.s3.clone(), self.world.bucket.clone(), parse(key)?);
        let options = PutOptions { condition, ..PutOptions::default() };
        let put = async { s3.put_object(&bucket, &key, Body::from(text), &options).await };
        Ok(self.ended(async { put.await.map(drop) }).await)
    }
}

fn parse(key: &str) -> Result<ObjectKey, Violation> {
    ObjectKey::parse(key).map_err(|error| violated(key, error.to_string()))
}

fn unexpected(key: &str, error: &S3Error) -> Violation {
    violated(key, format!("an unexpected error: {error:?}"))
}

fn violated(key: &str, what: String) -> Violation {
    Violation { key: key.to_owned(), what, log: Vec::new() }
}
