//! An S3 client without a service, so that what stands before it is measured.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use artifact_s3::{
    Body, Bucket, ContentHeaders, DeleteOptions, GetOptions, ListOptions, Listing, Object,
    ObjectInfo, ObjectKey, PutOptions, S3Client, S3Error, S3ErrorKind,
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;

/// Answers every call as if there were an object, at once unless told otherwise.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nowhere {
    /// How long each answer takes, on the clock and not on a core.
    pub(crate) latency: Duration,
    /// Bodies are read only where there is something to keep them in.
    pub(crate) kept: Option<Kept>,
}

/// One object: its content headers, and its bytes in the chunks in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept(Arc<Mutex<(ContentHeaders, Vec<Bytes>)>>);

impl Kept {
    pub(crate) fn chunks(&self) -> Vec<Bytes> {
        self.object().1
    }

    fn object(&self) -> (ContentHeaders, Vec<Bytes>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What is said of every object: as much as services say.
pub(crate) const SIZE: u64 = 4096;
pub(crate) const ETAG: &str = "620f0b67a91f7f74151bc5be745b7110";

impl Nowhere {
    async fn answer(&self) -> ObjectInfo {
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        let last_modified = Some(1_764_000_000);
        ObjectInfo { size: SIZE, etag: Some(ETAG.to_owned()), last_modified, ..Default::default() }
    }
}

#[async_trait]
impl S3Client for Nowhere {
    async fn put_object(
        &self,
        _: &Bucket,
        _: &ObjectKey,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        if let Some(Kept(kept)) = &self.kept {
            let chunks = body.into_stream().try_collect().await.map_err(|error| {
                S3Error::new(S3ErrorKind::BodyFailed, "the body failed").caused_by(error)
            })?;
            *kept.lock().unwrap_or_else(PoisonError::into_inner) =
                (options.content.clone(), chunks);
        }
        Ok(self.answer().await)
    }

    async fn get_object(
        &self,
        _: &Bucket,
        _: &ObjectKey,
        _: &GetOptions,
    ) -> Result<Object, S3Error> {
        let (content, chunks) = self.kept.as_ref().map(Kept::object).unwrap_or_default();
        let info = ObjectInfo { content, ..self.answer().await };
        Ok(Object { info, body: Body::from_chunks(chunks) })
    }

    async fn head_object(
        &self,
        _: &Bucket,
        _: &ObjectKey,
        _: &GetOptions,
    ) -> Result<ObjectInfo, S3Error> {
        Ok(self.answer().await)
    }

    async fn delete_object(
        &self,
        _: &Bucket,
        _: &ObjectKey,
        _: &DeleteOptions,
    ) -> Result<(), S3Error> {
        self.answer().await;
        Ok(())
    }

    async fn copy_object(
        &self,
        _: &Bucket,
        _: &ObjectKey,
        _: &ObjectKey,
        _: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        Ok(self.answer().await)
    }

    async fn list_objects(&self, _: &Bucket, _: &ListOptions) -> Result<Listing, S3Error> {
        self.answer().await;
        Ok(Listing::default())
    }
}
