use std::{
    collections::BTreeMap,
    future::Future,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use artifact_s3::{Bucket, HttpS3, ObjectKey, S3Error};

use crate::{
    content::{self, Content},
    model::Key,
    races::Races,
    report::{Counts, Violation},
};

/// Keys of one task that are written to by turns, as far as it is known what they hold.
const KEYS: usize = 4;
/// Most keys of one task, with those of which it is not known.
const MOST_KEYS: usize = 400;

/// What all tasks share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) bucket: Bucket,
    pub(crate) begun: Instant,
    pub(crate) until: Instant,
    pub(crate) races: Races,
    /// For bodies that come from a file.
    pub(crate) folder: tempfile::TempDir,
}

/// One task, and the keys that nobody else writes to.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) number: u32,
    pub(crate) s3: HttpS3,
    pub(crate) world: Arc<World>,
    pub(crate) random: fastrand::Rng,
    pub(crate) keys: Vec<Key>,
    pub(crate) counts: BTreeMap<&'static str, Counts>,
    contents: u64,
}

/// How an operation ended, as the caller sees it.
pub(crate) enum Ended<T> {
    Ok(T),
    Err(S3Error),
    Dropped,
}

impl Worker {
    pub(crate) fn new(number: u32, s3: HttpS3, world: Arc<World>, seed: u64) -> Self {
        let seed = seed.wrapping_mul(1_000_003).wrapping_add(u64::from(number));
        Self {
            number,
            s3,
            world,
            random: fastrand::Rng::with_seed(seed),
            keys: Vec::new(),
            counts: BTreeMap::new(),
            contents: 0,
        }
    }

    /// Does one thing after the other until time is up, or something is wrong.
    pub(crate) async fn run(&mut self) -> Result<(), Violation> {
        while Instant::now() < self.world.until {
            let at = self.choose()?;
            if self.keys[at].can_settle() {
                self.settle(at).await?;
            }
            match self.random.u8(..100) {
                0..8 => self.race().await?,
                8..14 => self.list().await?,
                14..28 => self.get(at).await?,
                28..36 => self.get_range(at).await?,
                36..44 => self.head(at).await?,
                // It is not known what the others hold, nor what may still happen to them.
                _ if self.keys[at].settled().is_none() => self.get(at).await?,
                44..60 => self.delete(at).await?,
                60..68 => self.copy(at).await?,
                _ => self.put(at).await?,
            }
        }
        Ok(())
    }

    /// One of the keys; another is begun where too few can be written to.
    fn choose(&mut self) -> Result<usize, Violation> {
        let writable = self.keys.iter().filter(|key| key.settled().is_some()).count();
        if writable < KEYS && self.keys.len() < MOST_KEYS {
            let name = format!("{}{}", self.prefix(), self.keys.len());
            let key = ObjectKey::parse(name).map_err(|error| Violation {
                key: self.prefix(),
                what: error.to_string(),
                log: Vec::new(),
            })?;
            self.keys.push(Key::new(key, self.world.begun));
            return Ok(self.keys.len() - 1);
        }
        Ok(self.random.usize(..self.keys.len()))
    }

    pub(crate) fn prefix(&self) -> String {
        format!("task-{}/", self.number)
    }

    /// Bytes that no object had before.
    pub(crate) fn content(&mut self) -> Content {
        self.contents += 1;
        let length = content::length(&mut self.random);
        Content::new(u64::from(self.number) << 32 | self.contents, length)
    }

    /// Runs an operation, and now and then drops it midway.
    pub(crate) async fn ended<T>(
        &mut self,
        operation: impl Future<Output = Result<T, S3Error>>,
    ) -> Ended<T> {
        let patience =
            (self.random.u8(..20) == 0).then(|| Duration::from_micros(self.random.u64(..60_000)));
        let outcome = match patience {
            Some(patience) => match tokio::time::timeout(patience, operation).await {
                Ok(outcome) => outcome,
                Err(_) => return Ended::Dropped,
            },
            None => operation.await,
        };
        match outcome {
            Ok(value) => Ended::Ok(value),
            Err(error) => Ended::Err(error),
        }
    }

    pub(crate) fn count<T>(&mut self, operation: &'static str, ended: &Ended<T>) {
        let counts = self.counts.entry(operation).or_default();
        match ended {
            Ended::Ok(_) => counts.done += 1,
            // It is what had to be answered, or the caller finds fault with it.
            Ended::Err(error) if !is_broken(error) => counts.done += 1,
            Ended::Err(_) => counts.failed += 1,
            Ended::Dropped => counts.dropped += 1,
        }
    }
}

impl<T> Ended<T> {
    /// For the log of a key.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Ok(_) => "ok".to_owned(),
            Self::Err(error) => {
                format!("{} after {} attempts: {error}", error.kind(), error.attempts())
            }
            Self::Dropped => "dropped".to_owned(),
        }
    }
}

/// Whether a broken connection explains the error.
pub(crate) fn is_broken(error: &S3Error) -> bool {
    error.kind().is_transient()
}

/// The S3 error with which a body ended.
pub(crate) fn of_body(error: io::Error) -> S3Error {
    match error.downcast::<S3Error>() {
        Ok(error) => error,
        Err(error) => {
            S3Error::new(artifact_s3::S3ErrorKind::Service, format!("a bare error: {error}"))
        }
    }
}
