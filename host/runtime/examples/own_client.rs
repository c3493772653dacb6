//! An S3 client of one's own, around another one: it counts the bytes that are
//! written, and refuses those over a budget.
//!
//! ```sh
//! cargo run -p artifact-store --example own_client
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use artifact_store::{
    ArtifactStore, Body, DeleteOptions, ErrorKind, GetOptions, ListOptions, Listing, ObjectInfo,
    PutOptions,
    s3::{Bucket, MemoryS3, Object, ObjectKey, S3Client, S3Error, S3ErrorKind},
};
use async_trait::async_trait;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Over `HttpS3` it works the same.
    let s3 = Budget::new(MemoryS3::new(), 100);
    let written = s3.written();
    let store = ArtifactStore::builder().bucket("my-artifacts").client(s3).start().await?;

    store.put("small", vec![b'x'; 80]).await?;
    println!("stored `small`: {} bytes written", written.load(Ordering::Relaxed));

    let Err(error) = store.put("large", vec![b'x'; 80]).await else {
        return Err("the budget was overdrawn".into());
    };
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    println!("{error}");
    if let Some(cause) = error.s3() {
        println!("  caused by: {cause}");
    }
    assert_eq!(written.load(Ordering::Relaxed), 80);

    println!("`small` is still there: {} bytes", store.head("small").await?.size);
    Ok(())
}

/// Passes calls on, as long as the writes stay within a budget.
#[derive(Debug)]
struct Budget<C> {
    inner: C,
    limit: u64,
    written: Arc<AtomicU64>,
}

impl<C> Budget<C> {
    fn new(inner: C, limit: u64) -> Self {
        Self { inner, limit, written: Arc::default() }
    }

    /// How many bytes were written, also while the store has the client.
    fn written(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.written)
    }

    /// Takes `bytes` from the budget before they are sent: calls run side by side.
    fn reserve(&self, bytes: u64) -> Result<(), S3Error> {
        let add = |written: u64| written.checked_add(bytes).filter(|sum| *sum <= self.limit);
        match self.written.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add) {
            Ok(_) => Ok(()),
            Err(written) => Err(S3Error::new(
                S3ErrorKind::AccessDenied,
                format!("{written} of {} bytes are used, and this is {bytes} more", self.limit),
            )),
        }
    }
}

#[async_trait]
impl<C: S3Client> S3Client for Budget<C> {
    async fn put_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        // A stream may not know its length; what cannot be honoured is refused.
        let bytes = body.length().ok_or_else(|| {
            S3Error::new(S3ErrorKind::InvalidRequest, "give the length of what is to be stored")
        })?;
        self.reserve(bytes)?;
        let stored = self.inner.put_object(bucket, key, body, options).await;
        if stored.is_err() {
            self.written.fetch_sub(bytes, Ordering::Relaxed);
        }
        stored
    }

    async fn get_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<Object, S3Error> {
        self.inner.get_object(bucket, key, options).await
    }

    async fn head_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.inner.head_object(bucket, key, options).await
    }

    async fn delete_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<(), S3Error> {
        self.inner.delete_object(bucket, key, options).await
    }

    async fn copy_object(
        &self,
        bucket: &Bucket,
        source: &ObjectKey,
        key: &ObjectKey,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.inner.copy_object(bucket, source, key, options).await
    }

    async fn list_objects(
        &self,
        bucket: &Bucket,
        options: &ListOptions,
    ) -> Result<Listing, S3Error> {
        self.inner.list_objects(bucket, options).await
    }
}
