//! Objects that were read are kept in a folder of this machine.

mod entry;
mod folder;

use std::{fmt, io, path::Path, sync::Arc};

use async_trait::async_trait;
use futures::{TryStreamExt, stream};

use self::{
    entry::{Draft, Identity},
    folder::Folder,
};
use crate::{
    Body, Bucket, DeleteOptions, GetOptions, ListOptions, Listing, Object, ObjectInfo, ObjectKey,
    Operation, PutOptions, S3Client, S3Error, S3ErrorKind, http::target,
};

/// Keeps objects that were read in a folder, and reads them from there while they are
/// what the service has.
///
/// Each get of a kept object asks the service for its description (`HeadObject`). The
/// kept bytes are used if key, etag, size, time and version are those of the object that
/// was kept, and the answer carries the description that just came. So a get never
/// gives anything older than itself, writes need no invalidation, whoever makes them,
/// and who may no longer read an object is refused as ever. It is not done with
/// `If-None-Match`, as a `304` tells no metadata: an object that is written again with
/// the same bytes and other metadata keeps its etag.
///
/// - Whole objects only: a get with a range, a condition, a version or any other option
///   goes through, as do all other calls.
/// - An object goes through that has no etag or a weak one, or is larger than
///   [`max_object`](Self::max_object).
/// - An object is kept once its body was read to the end without an error. A body that
///   is dropped midway leaves nothing. Two that read one object at the same time both
///   ask the service.
/// - Each file has a checksum, and all of it is checked before a byte of it is handed
///   out. A file that is damaged, cut, or gone is as if it had never been; so is one that
///   cannot be written.
/// - The folder outlives the process, and several processes may share it: a file appears
///   whole under its name, or not at all.
/// - What was not read for longest goes first when the folder is full. The bound holds
///   for one process to the byte. Each further one may be over it by a sixteenth, or by
///   one object; bodies on their way are not counted.
/// - The files hold the objects as they are, readable to this user alone. Give each
///   service a folder of its own: bucket and key name the file.
///
/// `s3.client.read_cache` counts the gets that could be answered from the folder, with
/// the label `result`: `hit` or `miss`.
///
/// # Example
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use artifact_s3::{Bucket, MemoryS3, ObjectKey, S3Client, layers::ReadCache};
///
/// # let temporary = tempfile::tempdir()?;
/// # let folder = temporary.path().join("objects");
/// let s3 = ReadCache::open(folder, 1 << 30, MemoryS3::new()).await?;
///
/// let (bucket, key) = (Bucket::parse("artifacts")?, ObjectKey::parse("a")?);
/// s3.put_object(&bucket, &key, "abc".into(), &Default::default()).await?;
/// for _ in 0..2 {
///     // The second time the bytes come from the folder.
///     let object = s3.get_object(&bucket, &key, &Default::default()).await?;
///     assert_eq!(object.body.bytes().await?, "abc");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ReadCache<C> {
    folder: Arc<Folder>,
    max_object: u64,
    client: C,
}

impl<C> ReadCache<C> {
    /// Keeps what is read through `client` in this folder, at most `max_bytes` in all.
    ///
    /// The folder is made, for this user alone, where there is none. It fails where the
    /// folder cannot be written, belongs to another user, or can be written by others,
    /// who could then put false bytes there.
    pub async fn open(folder: impl AsRef<Path>, max_bytes: u64, client: C) -> io::Result<Self> {
        let path = folder.as_ref().to_owned();
        let opening = tokio::task::spawn_blocking(move || Folder::open(path, max_bytes));
        let folder = Arc::new(opening.await.map_err(io::Error::other)??);
        Ok(Self { folder, max_object: max_bytes / 8, client })
    }

    /// Objects of more bytes go through: an eighth of the folder's bound, by default,
    /// and at most half of it.
    #[must_use]
    pub fn max_object(self, bytes: u64) -> Self {
        Self { max_object: bytes.min(self.folder.max_bytes() / 2), ..self }
    }

    /// The client inside.
    pub fn client(&self) -> &C {
        &self.client
    }
}

impl<C: S3Client> ReadCache<C> {
    /// The object as it was kept, if that is what the service has.
    async fn kept(
        &self,
        name: &str,
        bucket: &Bucket,
        key: &ObjectKey,
    ) -> Result<Option<Object>, S3Error> {
        let Some(entry) = self.blocking(name, |folder, name| folder.find(name)).await else {
            return Ok(None);
        };
        let info = match self.client.head_object(bucket, key, &GetOptions::default()).await {
            Ok(info) => info,
            // A service that is not well is not asked a second time.
            Err(error) if error.is_retryable() => {
                return Err(error.on(Operation::GetObject, target(bucket, Some(key))));
            }
            // The answer to a HEAD has no body: the get that follows says what it is.
            Err(error) => {
                if error.kind() == S3ErrorKind::NoSuchKey {
                    self.blocking(name, |folder, name| folder.remove(name)).await;
                }
                return Ok(None);
            }
        };
        if !Identity::of(bucket, key, &info).is_some_and(|identity| entry.is(&identity)) {
            return Ok(None);
        }
        let whole = self.blocking(name, |folder, name| folder.check(name, entry)).await;
        Ok(whole.map(|entry| Object { info, body: entry.into_body() }))
    }

    /// The same object; it is kept when its body was read.
    async fn keeping(
        &self,
        name: String,
        bucket: &Bucket,
        key: &ObjectKey,
        object: Object,
    ) -> Object {
        let Object { info, body } = object;
        let fits = info.size <= self.max_object && body.length() == Some(info.size);
        let draft = match Identity::of(bucket, key, &info).filter(|_| fits) {
            Some(identity) => {
                self.blocking(&name, |folder, name| Draft::new(folder, name, identity)).await
            }
            None => None,
        };
        let Some(draft) = draft else {
            return Object { info, body };
        };
        let body = body.by_way_of(|bytes| {
            stream::try_unfold((bytes, Some(draft)), |state| async move {
                let (mut bytes, draft) = state;
                match (bytes.try_next().await?, draft) {
                    (Some(chunk), Some(draft)) => {
                        let draft = draft.write(&chunk).await;
                        Ok(Some((chunk, (bytes, draft))))
                    }
                    (Some(chunk), None) => Ok(Some((chunk, (bytes, None)))),
                    (None, draft) => {
                        if let Some(draft) = draft {
                            draft.keep().await;
                        }
                        Ok(None)
                    }
                }
            })
        });
        Object { info, body }
    }

    /// Runs what waits for a disk where it holds nobody up.
    async fn blocking<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&Arc<Folder>, &str) -> Option<T> + Send + 'static,
    ) -> Option<T> {
        let (folder, name) = (Arc::clone(&self.folder), name.to_owned());
        tokio::task::spawn_blocking(move || work(&folder, &name)).await.ok().flatten()
    }
}

#[async_trait]
impl<C: S3Client> S3Client for ReadCache<C> {
    async fn put_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.client.put_object(bucket, key, body, options).await
    }

    async fn get_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<Object, S3Error> {
        if *options != GetOptions::default() {
            return self.client.get_object(bucket, key, options).await;
        }
        let name = Folder::name(bucket, key);
        if let Some(object) = self.kept(&name, bucket, key).await? {
            metrics::counter!("s3.client.read_cache", "result" => "hit").increment(1);
            return Ok(object);
        }
        metrics::counter!("s3.client.read_cache", "result" => "miss").increment(1);
        let object = self.client.get_object(bucket, key, options).await?;
        Ok(self.keeping(name, bucket, key, object).await)
    }

    async fn head_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.client.head_object(bucket, key, options).await
    }

    async fn delete_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<(), S3Error> {
        self.client.delete_object(bucket, key, options).await
    }

    async fn copy_object(
        &self,
        bucket: &Bucket,
        source: &ObjectKey,
        key: &ObjectKey,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.client.copy_object(bucket, source, key, options).await
    }

    async fn list_objects(
        &self,
        bucket: &Bucket,
        options: &ListOptions,
    ) -> Result<Listing, S3Error> {
        self.client.list_objects(bucket, options).await
    }
}

impl<C: fmt::Display> fmt::Display for ReadCache<C> {
    /// With the folder's bound, in bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadCache({}, {})", self.folder.max_bytes(), self.client)
    }
}
