use std::{fmt, fs::File, future::Future, io, ops::Range, sync::Arc};

use futures::future::{try_join, try_join_all};

use crate::{GetOptions, Object, ObjectInfo, S3Error, S3ErrorKind, http::ToldChecksum};

mod parts;
mod sink;
use parts::{FromBack, Parts};
use sink::{Observer, Sink};

/// Reads a large object into a file, by several requests at a time.
///
/// - The first request is that of a plain get, and reads from the front, so a small
///   object takes one request. Others join it, one after the other, where no part has
///   come to its end for 10 ms. They read parts from the back, until they meet.
/// - All parts are of one object: each is asked for with `If-Match` on the first
///   one's etag. If the object changes meanwhile, that is an error.
/// - The checksum that the service keeps of the whole object is compared, as by a
///   plain get.
/// - One request alone reads what cannot be read in parts: a range, an object without
///   a (strong) etag, bytes of unknown length (behind a filter), an object whose
///   checksum is a SHA-256, which cannot be put together from those of parts, and
///   whatever the service or a policy gives no parts of.
/// - Any failure fails all of it; dropping the future ends all requests. What the file
///   holds then is not the object, so write to a file that gets its name later.
///
/// # Example: an object of any size into a file
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use artifact_s3::{Bucket, GetOptions, MemoryS3, ObjectKey, ParallelDownload, S3Client};
///
/// let s3 = MemoryS3::with_buckets(["artifacts"])?;
/// let (bucket, key) = (Bucket::parse("artifacts")?, ObjectKey::parse("model")?);
/// s3.put_object(&bucket, &key, vec![7; 100_000].into(), &Default::default()).await?;
///
/// let file = tempfile::tempfile()?;
/// let get = |options: GetOptions| {
///     let (s3, bucket, key) = (&s3, &bucket, &key);
///     async move { s3.get_object(bucket, key, &options).await }
/// };
/// let download = ParallelDownload::default().part_size(10_000);
/// let info = download.to_file(get, &GetOptions::default(), &file).await?;
/// assert_eq!((info.size, file.metadata()?.len()), (100_000, 100_000));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct ParallelDownload {
    part_size: u64,
    parallel: usize,
    observer: Option<Observer>,
}

impl Default for ParallelDownload {
    fn default() -> Self {
        Self { part_size: 8 * 1024 * 1024, parallel: 4, observer: None }
    }
}

impl ParallelDownload {
    /// Bytes of a part; 8 MiB, if nothing is said, and at least 1.
    pub fn part_size(mut self, bytes: u64) -> Self {
        self.part_size = bytes.max(1);
        self
    }

    /// Most requests at a time; 4, if nothing is said, and at least 1. Each holds about
    /// 1 MiB in memory.
    pub fn parallel(mut self, requests: usize) -> Self {
        self.parallel = requests.max(1);
        self
    }

    /// Calls `observer` with the number of bytes that have come, and that of all bytes,
    /// where it is known: when the object is open, and for every chunk.
    pub fn observed(mut self, observer: impl Fn(u64, Option<u64>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Reads what `get` opens into `file`, from its beginning, and makes it as long.
    ///
    /// `get` is called with the options, and then with those for parts of the same
    /// object. Gives the description of the object.
    pub async fn to_file<E, F, G>(
        &self,
        get: G,
        options: &GetOptions,
        file: &File,
    ) -> Result<ObjectInfo, DownloadError<E>>
    where
        E: ReadError,
        F: Future<Output = Result<Object, E>>,
        G: Fn(GetOptions) -> F,
    {
        let Object { info, body } = get(options.clone()).await.map_err(DownloadError::Get)?;
        let told = body.told_checksum().cloned();
        let etag = info.strong_etag().filter(|_| {
            options.range.is_none()
                && body.length() == Some(info.size)
                && told.as_ref().is_none_or(ToldChecksum::is_of_parts)
        });
        let parts = match etag {
            Some(_) => Parts::new(info.size, self.part_size),
            None => Parts::one(body.length()),
        };
        let first = parts.take_front().unwrap_or(0..0);
        // What comes in one part is compared by the body itself.
        let told = told.filter(|_| parts.count() > 1);
        let file = file.try_clone().map_err(DownloadError::File)?;
        let sink = Sink::new(file, told, parts.end(), self.observer.clone());

        let front = sink.fill(body, first, parts.end(), || parts.take_front());
        let of_object = |part: &Range<u64>| get(options.of_part(part, etag.unwrap_or_default()));
        let others = self.parallel.saturating_sub(1).min(parts.others());
        let others = (0..others).map(|_| from_back(&parts, &sink, &info, &of_object));
        try_join(async { Ok(front.await?) }, try_join_all(others)).await?;
        sink.finish().await?;
        Ok(info)
    }
}

impl fmt::Debug for ParallelDownload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParallelDownload")
            .field("part_size", &self.part_size)
            .field("parallel", &self.parallel)
            .finish_non_exhaustive()
    }
}

/// Asks for parts from the back, one after the other, if it is worth while.
async fn from_back<E, F>(
    parts: &Parts,
    sink: &Sink,
    info: &ObjectInfo,
    of_object: &impl Fn(&Range<u64>) -> F,
) -> Result<(), DownloadError<E>>
where
    E: ReadError,
    F: Future<Output = Result<Object, E>>,
{
    let Some(turn) = parts.turn().await else { return Ok(()) };
    let (mut part, mut object);
    if *turn == FromBack::Given {
        drop(turn);
        let Some(last) = parts.take_back() else { return Ok(()) };
        object = of_object(&last).await.map_err(of_part)?;
        part = last;
    } else {
        // One is asked for before the others.
        let Some(last) = parts.ask_back() else { return Ok(()) };
        let answer = tokio::select! {
            answer = of_object(&last) => answer,
            () = parts.taken_over() => return Ok(()),
        };
        match answer {
            Ok(first) => {
                if !parts.given(turn) {
                    return Ok(());
                }
                object = first;
            }
            Err(error) if error.is_changed() => return Err(of_part(error)),
            Err(_) => {
                parts.refused(turn);
                return Ok(());
            }
        }
        part = last;
    }
    loop {
        if object.info.etag != info.etag || object.info.size != info.size {
            return Err(DownloadError::Get(E::changed(None)));
        }
        let end = Some(part.end);
        sink.fill(object.body, part, end, || None).await?;
        let Some(next) = parts.take_back() else { return Ok(()) };
        object = of_object(&next).await.map_err(of_part)?;
        part = next;
    }
}

fn of_part<E: ReadError>(error: E) -> DownloadError<E> {
    DownloadError::Get(if error.is_changed() { E::changed(Some(error)) } else { error })
}

/// Why an object was not read into a file. What the file holds is not the object.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError<E> {
    /// The object was not opened, changed, broke off, or is damaged.
    #[error(transparent)]
    Get(E),
    /// The file cannot be written.
    #[error("the file cannot be written")]
    File(#[source] io::Error),
}

/// What a [`ParallelDownload`] needs of the errors of reading.
pub trait ReadError: Sized {
    /// Whether a part was refused because the object is no longer the one that was begun.
    fn is_changed(&self) -> bool;

    /// The object changed while it was read, as a refusal shows, or an answer.
    fn changed(refusal: Option<Self>) -> Self;

    /// The bytes broke off, or are damaged. An [`S3Error`] made of it tells more.
    fn broken(body: io::Error) -> Self;
}

impl ReadError for S3Error {
    /// It has another etag, or is gone, or is shorter.
    fn is_changed(&self) -> bool {
        matches!(
            self.kind(),
            S3ErrorKind::PreconditionFailed | S3ErrorKind::NoSuchKey | S3ErrorKind::InvalidRange
        )
    }

    /// Of the kind [`PreconditionFailed`](S3ErrorKind::PreconditionFailed).
    fn changed(refusal: Option<Self>) -> Self {
        let changed = Self::new(
            S3ErrorKind::PreconditionFailed,
            "the object changed while it was read, and what was read is of the object as it was \
             before; read it again from its beginning",
        );
        match refusal {
            Some(refusal) => changed.caused_by(refusal),
            None => changed,
        }
    }

    fn broken(body: io::Error) -> Self {
        Self::from(body)
    }
}
