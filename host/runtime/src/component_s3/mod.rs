//! An S3 client that is a component of the world `s3-client`.
//!
//! Unlike a store or a policy it lives on from call to call, because what it knows (its
//! connections, or all of its objects) it keeps in its memory. So there is one instance,
//! and calls enter it one after the other; see [`Host`](host::Host) for how, and
//! `upload.rs` and `download.rs` for how the bytes cross.

mod answer;
mod bindings;
mod builder;
mod download;
mod handle;
mod host;
mod instance;
mod upload;

use std::{fmt, path::Path, sync::Arc};

use artifact_s3::{Bucket, Object, ObjectKey, Operation, S3Client, S3Error};
use async_trait::async_trait;

pub use self::builder::ComponentS3Builder;
use self::host::Host;
use crate::{Body, DeleteOptions, Error, GetOptions, ListOptions, Listing, ObjectInfo, PutOptions};

/// An S3 client that a component brings: of the world `s3-client`, run in the sandbox.
///
/// It gets its settings and nothing else: no network, no clock, no file. So it can keep
/// objects in its memory, or make up answers for a test; one that makes requests would
/// need an import for them, which the world does not have.
///
/// - **One instance** serves all calls and clones, one call at a time. While bytes are on
///   their way (a body that is stored or read) it is free between two chunks of 64 KiB, so
///   slow bodies hold up nobody.
/// - **Limits:** each call into it has its fuel anew; its memory is bounded for its life.
///   As many bodies are open at one time as [`Limits::handles`](crate::Limits) says; a call
///   that would open another waits until one of them is dropped.
/// - **A component that traps**, or goes over a limit, loses what it kept. That call
///   fails; bodies that are half stored or half read fail and are
///   [retryable](S3Error::is_retryable); the next call meets a fresh instance.
/// - **Its answers are checked:** descriptions and listings hold what S3 could say, a put
///   gives a receipt for as many bytes as were sent, a body is as long as its description
///   says. It is believed as a service is: what bytes it hands out is its own affair.
/// - It takes the room of one call in its [`Sandbox`](crate::Sandbox) until its last clone
///   and body are gone.
///
/// Calls need a tokio runtime. A call whose future is dropped ends in the component all
/// the same, since a component that is stopped in the middle could not go on.
///
/// # Example: a store over a client from somebody else
///
/// ```no_run
/// # async fn example() -> Result<(), artifact_store::Error> {
/// use artifact_store::{ArtifactStore, ComponentS3};
///
/// let client = ComponentS3::from_file("client.wasm")
///     .await?
///     .setting("buckets", "my-artifacts")
///     .start()
///     .await?;
/// let store = ArtifactStore::builder().bucket("my-artifacts").client(client).start().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ComponentS3(Arc<Host>);

impl ComponentS3 {
    /// A client from memory. It is checked when it is started.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> ComponentS3Builder {
        ComponentS3Builder::from_bytes(bytes.into())
    }

    /// A client from a file, named after it.
    pub async fn from_file(path: impl AsRef<Path>) -> Result<ComponentS3Builder, Error> {
        ComponentS3Builder::from_file(path.as_ref()).await
    }
}

#[async_trait]
impl S3Client for ComponentS3 {
    async fn put_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        let put = self.0.put(bucket, key, body, options).await;
        put.map_err(|error| error.on(Operation::PutObject, format!("{bucket}/{key}")))
    }

    async fn get_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<Object, S3Error> {
        let get = self.0.get(bucket, key, options).await;
        get.map_err(|error| error.on(Operation::GetObject, format!("{bucket}/{key}")))
    }

    async fn head_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<ObjectInfo, S3Error> {
        let head = self.0.head(bucket, key, options).await;
        head.map_err(|error| error.on(Operation::HeadObject, format!("{bucket}/{key}")))
    }

    async fn delete_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<(), S3Error> {
        let delete = self.0.delete(bucket, key, options).await;
        delete.map_err(|error| error.on(Operation::DeleteObject, format!("{bucket}/{key}")))
    }

    async fn copy_object(
        &self,
        bucket: &Bucket,
        source: &ObjectKey,
        key: &ObjectKey,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        let copy = self.0.copy(bucket, source, key, options).await;
        copy.map_err(|error| error.on(Operation::CopyObject, format!("{bucket}/{key}")))
    }

    async fn list_objects(
        &self,
        bucket: &Bucket,
        options: &ListOptions,
    ) -> Result<Listing, S3Error> {
        let list = self.0.list(bucket, options).await;
        list.map_err(|error| error.on(Operation::ListObjectsV2, bucket.to_string()))
    }
}

impl fmt::Display for ComponentS3 {
    /// `ComponentS3(memory-s3)`, with its name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ComponentS3({})", self.0.place.name)
    }
}

impl fmt::Debug for ComponentS3 {
    /// Shows its name and limits, and no settings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComponentS3")
            .field("name", &self.0.place.name)
            .field("limits", &self.0.limits)
            .finish_non_exhaustive()
    }
}
