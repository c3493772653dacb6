use std::sync::{Arc, Mutex};

use artifact_store::{
    Body, DeleteOptions, GetOptions, ListOptions, Listing, ObjectInfo, PutOptions,
    s3::{Bucket, HttpS3, Object, ObjectKey, S3Client, S3Error},
};
use async_trait::async_trait;

/// Writes down what the component asks of S3, and passes it on.
#[derive(Debug)]
pub struct Recorder {
    pub inner: HttpS3,
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    fn record(&self, operation: &str, bucket: &Bucket, key: &str) {
        super::add(&self.asked, format!("{operation} {bucket}/{key}"));
    }
}

#[async_trait]
impl S3Client for Recorder {
    async fn put_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.record("PutObject", bucket, key.as_str());
        self.inner.put_object(bucket, key, body, options).await
    }

    async fn get_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<Object, S3Error> {
        self.record("GetObject", bucket, key.as_str());
        self.inner.get_object(bucket, key, options).await
    }

    async fn head_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.record("HeadObject", bucket, key.as_str());
        self.inner.head_object(bucket, key, options).await
    }

    async fn delete_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<(), S3Error> {
        self.record("DeleteObject", bucket, key.as_str());
        self.inner.delete_object(bucket, key, options).await
    }

    async fn copy_object(
        &self,
        bucket: &Bucket,
        source: &ObjectKey,
        key: &ObjectKey,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.record("CopyObject", bucket, key.as_str());
        self.inner.copy_object(bucket, source, key, options).await
    }

    async fn list_objects(
        &self,
        bucket: &Bucket,
        options: &ListOptions,
    ) -> Result<Listing, S3Error> {
        self.record("ListObjectsV2", bucket, &options.prefix);
        self.inner.list_objects(bucket, options).await
    }
}
