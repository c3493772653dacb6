use std::fmt;

use async_trait::async_trait;
use futures::future::BoxFuture;

use crate::{
    Body, Bucket, DeleteOptions, GetOptions, ListOptions, Listing, Object, ObjectInfo, ObjectKey,
    Operation, PutOptions, S3Client, S3Error, WriteCondition, http::target,
};

/// Something that is done around each call of a client, whichever call it is.
///
/// Whoever implements it is an [`S3Client`]: its calls go through
/// [`around`](Self::around). It is for what is the same for all calls; a layer that
/// changes one of them implements [`S3Client`] itself.
///
/// # Example: a layer that counts
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use artifact_s3::{Body, MemoryS3, S3Error, layers::{Answer, Attempt, Call, Layer}};
///
/// #[derive(Debug)]
/// struct Counted<C> {
///     calls: AtomicU64,
///     client: C,
/// }
///
/// impl<C: artifact_s3::S3Client> Layer for Counted<C> {
///     type Client = C;
///
///     fn client(&self) -> &C {
///         &self.client
///     }
///
///     async fn around<T: Answer>(
///         &self,
///         _: Call<'_>,
///         body: Body,
///         attempt: &Attempt<'_, T>,
///     ) -> Result<T, S3Error> {
///         self.calls.fetch_add(1, Ordering::Relaxed);
///         attempt(body).await
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use artifact_s3::{Bucket, ListOptions, S3Client};
///
/// let s3 = Counted { calls: AtomicU64::new(0), client: MemoryS3::new() };
/// s3.list_objects(&Bucket::parse("artifacts")?, &ListOptions::default()).await?;
/// assert_eq!(s3.calls.into_inner(), 1);
/// # Ok(())
/// # }
/// ```
pub trait Layer: fmt::Debug + Send + Sync + 'static {
    /// The client inside.
    type Client: S3Client;

    /// The client inside.
    fn client(&self) -> &Self::Client;

    /// Makes the call with [`attempt`](Attempt): once, several times, or not at all.
    ///
    /// `body` is what is stored, and empty for all calls but a put.
    fn around<T: Answer>(
        &self,
        call: Call<'_>,
        body: Body,
        attempt: &Attempt<'_, T>,
    ) -> impl Future<Output = Result<T, S3Error>> + Send;
}

/// The call to the client inside. It can be made again with a body that was replayed.
pub type Attempt<'a, T> = dyn Fn(Body) -> BoxFuture<'a, Result<T, S3Error>> + Send + Sync + 'a;

/// Which call it is, and on what.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Its name.
    pub operation: Operation,
    /// The bucket.
    pub bucket: &'a Bucket,
    /// The key; none for a listing.
    pub key: Option<&'a ObjectKey>,
    /// What is copied, for a copy.
    pub source: Option<&'a ObjectKey>,
    /// Whether it writes on a condition: a second try could meet the first one's work.
    pub conditional_write: bool,
}

impl<'a> Call<'a> {
    fn new(operation: Operation, bucket: &'a Bucket, key: Option<&'a ObjectKey>) -> Self {
        Self { operation, bucket, key, source: None, conditional_write: false }
    }

    fn on_condition(self, conditional_write: bool) -> Self {
        Self { conditional_write, ..self }
    }

    /// What it is on, as errors name it: `bucket/key`.
    #[must_use]
    pub fn target(&self) -> String {
        target(self.bucket, self.key)
    }
}

/// What a call gives back: a description, an object, a page, or nothing.
pub trait Answer: Sized + Send + 'static {
    /// The same answer with another body, if it is an object.
    #[must_use]
    fn map_body(self, _: impl FnOnce(Body) -> Body) -> Self {
        self
    }

    /// The description, where there is one.
    fn info(&self) -> Option<&ObjectInfo> {
        None
    }
}

impl Answer for () {}

impl Answer for Listing {}

impl Answer for ObjectInfo {
    fn info(&self) -> Option<&ObjectInfo> {
        Some(self)
    }
}

impl Answer for Object {
    fn map_body(self, map: impl FnOnce(Body) -> Body) -> Self {
        Self { info: self.info, body: map(self.body) }
    }

    fn info(&self) -> Option<&ObjectInfo> {
        Some(&self.info)
    }
}

#[async_trait]
impl<L: Layer> S3Client for L {
    async fn put_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        let call = Call::new(Operation::PutObject, bucket, Some(key))
            .on_condition(options.condition != WriteCondition::Unconditional);
        let attempt = |body| self.client().put_object(bucket, key, body, options);
        self.around(call, body, &attempt).await
    }

    async fn get_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<Object, S3Error> {
        let call = Call::new(Operation::GetObject, bucket, Some(key));
        let attempt = |_| self.client().get_object(bucket, key, options);
        self.around(call, Body::empty(), &attempt).await
    }

    async fn head_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<ObjectInfo, S3Error> {
        let call = Call::new(Operation::HeadObject, bucket, Some(key));
        let attempt = |_| self.client().head_object(bucket, key, options);
        self.around(call, Body::empty(), &attempt).await
    }

    async fn delete_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<(), S3Error> {
        let call = Call::new(Operation::DeleteObject, bucket, Some(key))
            .on_condition(options.if_match.is_some());
        let attempt = |_| self.client().delete_object(bucket, key, options);
        self.around(call, Body::empty(), &attempt).await
    }

    async fn copy_object(
        &self,
        bucket: &Bucket,
        source: &ObjectKey,
        key: &ObjectKey,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        let call = Call::new(Operation::CopyObject, bucket, Some(key))
            .on_condition(options.condition != WriteCondition::Unconditional);
        let call = Call { source: Some(source), ..call };
        let attempt = |_| self.client().copy_object(bucket, source, key, options);
        self.around(call, Body::empty(), &attempt).await
    }

    async fn list_objects(
        &self,
        bucket: &Bucket,
        options: &ListOptions,
    ) -> Result<Listing, S3Error> {
        let call = Call::new(Operation::ListObjectsV2, bucket, None);
        let attempt = |_| self.client().list_objects(bucket, options);
        self.around(call, Body::empty(), &attempt).await
    }
}
