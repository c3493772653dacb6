use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::{
    Body, Bucket, DeleteOptions, GetOptions, ListOptions, Listing, Object, ObjectInfo, ObjectKey,
    PutOptions, S3Error,
};

/// The S3 calls that a store makes, whoever answers them.
///
/// What every implementation promises:
/// - bucket and key are used exactly as given;
/// - an option that it cannot honour is refused with
///   [`InvalidRequest`](crate::S3ErrorKind::InvalidRequest), never ignored;
/// - calls run side by side, and a dropped future stops the call;
/// - no default methods: a wrapper that forgets one does not compile.
///
/// The calls are those of the [S3 API reference][api].
///
/// [api]: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
///
/// # Example: a client of one's own
///
/// See `examples/own_client.rs` of the crate `artifact-store`.
#[async_trait]
pub trait S3Client: fmt::Debug + Send + Sync + 'static {
    /// Stores `body` under `key`, over whatever was there (`PutObject`).
    ///
    /// Gives the description of what was stored; nothing is stored when the body
    /// fails, or turns out shorter or longer than it said.
    async fn put_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error>;

    /// Opens the object at `key` (`GetObject`).
    ///
    /// Returns once the description is there; the bytes follow in the body. A
    /// body that breaks, or ends before its length, fails with the [`S3Error`]
    /// inside the `io::Error`.
    async fn get_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<Object, S3Error>;

    /// Describes the object at `key` (`HeadObject`).
    async fn head_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<ObjectInfo, S3Error>;

    /// Deletes the object at `key` (`DeleteObject`).
    ///
    /// Where there is none, S3 says that it succeeded.
    async fn delete_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<(), S3Error>;

    /// Copies an object within its bucket (`CopyObject`).
    ///
    /// Metadata, content headers and tags are those of the source, unless
    /// `options` gives any: then all of them are as `options` says (S3's
    /// `REPLACE`).
    async fn copy_object(
        &self,
        bucket: &Bucket,
        source: &ObjectKey,
        key: &ObjectKey,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error>;

    /// Lists one page of a bucket, in the order of the keys' bytes (`ListObjectsV2`).
    async fn list_objects(
        &self,
        bucket: &Bucket,
        options: &ListOptions,
    ) -> Result<Listing, S3Error>;
}

/// A client that is shared is a client, so that layers can wrap one behind `dyn`.
#[async_trait]
impl<C: S3Client + ?Sized> S3Client for Arc<C> {
    async fn put_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        (**self).put_object(bucket, key, body, options).await
    }

    async fn get_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<Object, S3Error> {
        (**self).get_object(bucket, key, options).await
    }

    async fn head_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<ObjectInfo, S3Error> {
        (**self).head_object(bucket, key, options).await
    }

    async fn delete_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<(), S3Error> {
        (**self).delete_object(bucket, key, options).await
    }

    async fn copy_object(
        &self,
        bucket: &Bucket,
        source: &ObjectKey,
        key: &ObjectKey,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        (**self).copy_object(bucket, source, key, options).await
    }

    async fn list_objects(
        &self,
        bucket: &Bucket,
        options: &ListOptions,
    ) -> Result<Listing, S3Error> {
        (**self).list_objects(bucket, options).await
    }
}
