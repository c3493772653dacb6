//! A bucket in memory that answers as S3 does, for tests.

mod answers;
mod conditions;
mod listing;
mod object;
mod range;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

pub use self::object::MemoryObject;
use crate::{
    Body, Bucket, DeleteOptions, GetOptions, InvalidBucket, ListOptions, Listing, Object,
    ObjectInfo, ObjectKey, Operation, PutOptions, S3Client, S3Error,
};

/// A test double that behaves as S3 does, and keeps everything in memory.
///
/// - Clones share their objects; each call is atomic.
/// - [`MemoryS3::new`] makes buckets as they are named; with
///   [`MemoryS3::with_buckets`] any other bucket answers `NoSuchBucket`.
/// - Etags are the MD5 of the bytes; conditions, ranges, listings, copies and errors
///   are S3's, with status, code, message and a request id.
/// - A body is kept as it came where it is one chunk, and every read hands out the
///   same bytes without a copy.
///
/// What it makes of the options:
///
/// | option | here |
/// |---|---|
/// | content headers, metadata, tags, storage class, ACL | kept; [`MemoryS3::object`] shows them |
/// | checksum | accepted: the bytes that are kept are the bytes that came |
/// | conditions, range | honoured |
/// | encryption | refused: nothing here is encrypted |
/// | version id | refused, but for `null`: no versions are kept |
///
/// # Example: what did my code store?
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use artifact_s3::{Bucket, MemoryS3, ObjectKey, PutOptions, S3Client, WriteCondition};
///
/// let s3 = MemoryS3::new();
/// let (bucket, key) = (Bucket::parse("artifacts")?, ObjectKey::parse("asm/patch-1")?);
/// let once = PutOptions { condition: WriteCondition::IfAbsent, ..Default::default() };
/// s3.put_object(&bucket, &key, "diff".into(), &once).await?;
///
/// let again = s3.put_object(&bucket, &key, "other".into(), &once).await.unwrap_err();
/// assert_eq!(again.status(), Some(412));
/// assert_eq!(s3.keys("artifacts"), ["asm/patch-1"]);
/// assert_eq!(s3.object("artifacts", "asm/patch-1").unwrap().bytes, "diff");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryS3 {
    state: Arc<Mutex<State>>,
    clock: Clock,
}

type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;
type Objects = BTreeMap<String, MemoryObject>;

struct State {
    buckets: HashMap<String, Objects>,
    /// Whether a bucket is made when it is first named.
    any_bucket: bool,
    failures: u64,
}

impl Default for MemoryS3 {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryS3 {
    /// An empty one, where every bucket exists.
    #[must_use]
    pub fn new() -> Self {
        Self::of(State { buckets: HashMap::new(), any_bucket: true, failures: 0 })
    }

    /// An empty one with these buckets and no others.
    pub fn with_buckets<B: Into<String>>(
        names: impl IntoIterator<Item = B>,
    ) -> Result<Self, InvalidBucket> {
        let mut buckets = HashMap::new();
        for name in names {
            buckets.insert(Bucket::parse(name)?.as_str().to_owned(), Objects::new());
        }
        Ok(Self::of(State { buckets, any_bucket: false, failures: 0 }))
    }

    fn of(state: State) -> Self {
        Self { state: Arc::new(Mutex::new(state)), clock: Arc::new(now) }
    }

    /// Takes the time from `clock`, in seconds since the Unix epoch, so that a test
    /// decides when an object was modified.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The keys in a bucket, in order; none where there is no such bucket.
    #[must_use]
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let state = self.lock();
        state
            .buckets
            .get(bucket)
            .map(|objects| objects.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// The object at a key, and everything that was stored with it.
    #[must_use]
    pub fn object(&self, bucket: &str, key: &str) -> Option<MemoryObject> {
        self.lock().buckets.get(bucket)?.get(key).cloned()
    }

    /// How many objects there are, in all buckets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().buckets.values().map(BTreeMap::len).sum()
    }

    /// Whether there are no objects.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The state is whole between any two statements, so a panic in some test thread
    /// does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one call on a bucket. The lock is held no longer than that.
    fn in_bucket<T>(
        &self,
        bucket: &Bucket,
        call: impl FnOnce(&mut Objects) -> Result<T, S3Error>,
    ) -> Result<T, S3Error> {
        let mut state = self.lock();
        let any_bucket = state.any_bucket;
        match state.buckets.get_mut(bucket.as_str()) {
            Some(objects) => call(objects),
            None if any_bucket => {
                call(state.buckets.entry(bucket.as_str().to_owned()).or_default())
            }
            None => Err(answers::no_such_bucket()),
        }
    }

    /// Says of an error which call it was, and gives it a request id if the
    /// "service" answered.
    fn failed(&self, error: S3Error, operation: Operation, target: String) -> S3Error {
        let error = error.on(operation, target);
        let Some(status) = error.status() else {
            return error;
        };
        let mut state = self.lock();
        state.failures += 1;
        // The answer to a HEAD has no body, so no code either.
        let code = error.code().filter(|_| operation != Operation::HeadObject).map(str::to_owned);
        error.answered(status, code, Some(format!("MEMORY{:010}", state.failures)))
    }

    fn find(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<(MemoryObject, std::ops::Range<usize>), S3Error> {
        options.check()?;
        check_version(options.version_id.as_deref())?;
        self.in_bucket(bucket, |objects| {
            let object = objects.get(key.as_str()).ok_or_else(answers::no_such_key)?;
            conditions::check_read(&object.info, options)?;
            let range = range::resolve(options.range, object.bytes.len())?;
            Ok((object.clone(), range))
        })
    }

    async fn put(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        object::check_options(options)?;
        // Asked before the body is read, as a service does.
        self.in_bucket(bucket, |_| Ok(()))?;
        let bytes = object::collect(body).await?;
        let object = MemoryObject::new(bytes, options, (self.clock)());
        self.in_bucket(bucket, |objects| {
            let current = objects.get(key.as_str()).map(|object| &object.info);
            conditions::check_write(current, &options.condition)?;
            let info = object.info.clone();
            objects.insert(key.as_str().to_owned(), object);
            Ok(info)
        })
    }

    fn copy(
        &self,
        bucket: &Bucket,
        source: &ObjectKey,
        key: &ObjectKey,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        object::check_options(options)?;
        if source == key && !options.describes() && options.storage_class.is_none() {
            return Err(answers::copy_changes_nothing());
        }
        let now = (self.clock)();
        self.in_bucket(bucket, |objects| {
            let copy =
                objects.get(source.as_str()).ok_or_else(answers::no_such_key)?.copied(options, now);
            let current = objects.get(key.as_str()).map(|object| &object.info);
            conditions::check_write(current, &options.condition)?;
            let info = copy.info.clone();
            objects.insert(key.as_str().to_owned(), copy);
            Ok(info)
        })
    }

    fn delete(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<(), S3Error> {
        options.check()?;
        check_version(options.version_id.as_deref())?;
        self.in_bucket(bucket, |objects| {
            if let Some(etag) = &options.if_match {
                let object = objects.get(key.as_str()).ok_or_else(answers::precondition_failed)?;
                conditions::require_match(etag, &object.info)?;
            }
            objects.remove(key.as_str());
            Ok(())
        })
    }
}

#[async_trait]
impl S3Client for MemoryS3 {
    async fn put_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        let put = self.put(bucket, key, body, options).await;
        put.map_err(|e| self.failed(e, Operation::PutObject, target(bucket, key)))
    }

    async fn get_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<Object, S3Error> {
        let (object, range) = self
            .find(bucket, key, options)
            .map_err(|e| self.failed(e, Operation::GetObject, target(bucket, key)))?;
        Ok(Object { info: object.info, body: object.bytes.slice(range).into() })
    }

    async fn head_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.find(bucket, key, options)
            .map(|(object, _)| object.info)
            .map_err(|e| self.failed(e, Operation::HeadObject, target(bucket, key)))
    }

    async fn delete_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<(), S3Error> {
        self.delete(bucket, key, options)
            .map_err(|e| self.failed(e, Operation::DeleteObject, target(bucket, key)))
    }

    async fn copy_object(
        &self,
        bucket: &Bucket,
        source: &ObjectKey,
        key: &ObjectKey,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.copy(bucket, source, key, options)
            .map_err(|e| self.failed(e, Operation::CopyObject, target(bucket, key)))
    }

    async fn list_objects(
        &self,
        bucket: &Bucket,
        options: &ListOptions,
    ) -> Result<Listing, S3Error> {
        options
            .check()
            .and_then(|()| self.in_bucket(bucket, |objects| listing::page(objects, options)))
            .map_err(|e| self.failed(e, Operation::ListObjectsV2, bucket.to_string()))
    }
}

impl fmt::Debug for MemoryS3 {
    /// Shows the buckets and how much they hold, and no bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let counts: BTreeMap<_, _> =
            state.buckets.iter().map(|(name, objects)| (name, objects.len())).collect();
        f.debug_struct("MemoryS3").field("objects", &counts).finish_non_exhaustive()
    }
}

impl fmt::Display for MemoryS3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryS3")
    }
}

fn check_version(version_id: Option<&str>) -> Result<(), S3Error> {
    match version_id {
        // `null` is S3's name for the one version of a bucket without versions.
        None | Some("null") => Ok(()),
        Some(_) => {
            Err(answers::refuse("the store in memory keeps no versions: leave version-id out"))
        }
    }
}

fn target(bucket: &Bucket, key: &ObjectKey) -> String {
    format!("{bucket}/{key}")
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map(|since| since.as_secs()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
