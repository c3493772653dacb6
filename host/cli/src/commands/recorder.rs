use std::fmt::{self, Display};

use artifact_store::{
    Body, DeleteOptions, GetOptions, ListOptions, Listing, ObjectInfo, PutOptions,
    s3::{Bucket, Object, ObjectKey, S3Client, S3Error},
};
use async_trait::async_trait;

use crate::output::options;

/// One call of S3, and what came of it.
#[derive(Debug)]
pub struct S3Call {
    pub operation: &'static str,
    pub bucket: String,
    /// The key, or the prefix of a listing.
    pub key: String,
    /// The options that were given, as `name: value`.
    pub options: Vec<String>,
    pub outcome: Result<String, String>,
}

/// Passes every call on, and tells `seen` of it.
pub struct Recorder<C, F> {
    pub inner: C,
    pub seen: F,
}

impl<C: fmt::Debug, F> fmt::Debug for Recorder<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<C, F: Fn(S3Call)> Recorder<C, F> {
    fn record<T>(
        &self,
        operation: &'static str,
        place: (&Bucket, &str),
        options: Vec<String>,
        answer: Result<T, S3Error>,
        came: impl FnOnce(&T) -> String,
    ) -> Result<T, S3Error> {
        let outcome = answer.as_ref().map(came).map_err(ToString::to_string);
        let (bucket, key) = (place.0.to_string(), place.1.to_owned());
        (self.seen)(S3Call { operation, bucket, key, options, outcome });
        answer
    }
}

fn bytes(size: impl Display) -> String {
    format!("{size} bytes")
}

#[async_trait]
impl<C: S3Client, F: Fn(S3Call) + Send + Sync + 'static> S3Client for Recorder<C, F> {
    async fn put_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        let answer = self.inner.put_object(bucket, key, body, options).await;
        let place = (bucket, key.as_str());
        self.record("PutObject", place, options::of_put(options), answer, |info| bytes(info.size))
    }

    async fn get_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<Object, S3Error> {
        let answer = self.inner.get_object(bucket, key, options).await;
        let came = |object: &Object| bytes(object.body.length().unwrap_or(object.info.size));
        self.record("GetObject", (bucket, key.as_str()), options::of_get(options), answer, came)
    }

    async fn head_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<ObjectInfo, S3Error> {
        let answer = self.inner.head_object(bucket, key, options).await;
        let place = (bucket, key.as_str());
        self.record("HeadObject", place, options::of_get(options), answer, |info| bytes(info.size))
    }

    async fn delete_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<(), S3Error> {
        let answer = self.inner.delete_object(bucket, key, options).await;
        let place = (bucket, key.as_str());
        self.record("DeleteObject", place, options::of_delete(options), answer, |()| {
            "deleted".to_owned()
        })
    }

    async fn copy_object(
        &self,
        bucket: &Bucket,
        source: &ObjectKey,
        key: &ObjectKey,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        let answer = self.inner.copy_object(bucket, source, key, options).await;
        let mut shown = vec![format!("from: {source}")];
        shown.extend(options::of_put(options));
        self.record("CopyObject", (bucket, key.as_str()), shown, answer, |info| bytes(info.size))
    }

    async fn list_objects(
        &self,
        bucket: &Bucket,
        options: &ListOptions,
    ) -> Result<Listing, S3Error> {
        let answer = self.inner.list_objects(bucket, options).await;
        let came =
            |page: &Listing| format!("listed {}", page.objects.len() + page.common_prefixes.len());
        let shown = options::of_list(options);
        self.record("ListObjectsV2", (bucket, &options.prefix), shown, answer, came)
    }
}
