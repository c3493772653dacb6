use artifact_s3::{
    Body, Bucket, DeleteOptions, GetOptions, ListOptions, Listing, Object, ObjectInfo, ObjectKey,
    PutOptions, S3Client, S3Error, WriteCondition,
};

/// Honours `If-None-Match` on writes, and ignores `If-Match`, as some services do.
#[derive(Debug)]
pub struct Overwriting<C>(pub C);

fn without_if_match(options: &PutOptions) -> PutOptions {
    let mut options = options.clone();
    if matches!(options.condition, WriteCondition::IfMatch(_)) {
        options.condition = WriteCondition::Unconditional;
    }
    options
}

#[async_trait::async_trait]
impl<C: S3Client> S3Client for Overwriting<C> {
    async fn put_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.0.put_object(bucket, key, body, &without_if_match(options)).await
    }

    async fn get_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<Object, S3Error> {
        self.0.get_object(bucket, key, options).await
    }

    async fn head_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.0.head_object(bucket, key, options).await
    }

    async fn delete_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<(), S3Error> {
        self.0.delete_object(bucket, key, options).await
    }

    async fn copy_object(
        &self,
        bucket: &Bucket,
        source: &ObjectKey,
        key: &ObjectKey,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.0.copy_object(bucket, source, key, &without_if_match(options)).await
    }

    async fn list_objects(
        &self,
        bucket: &Bucket,
        options: &ListOptions,
    ) -> Result<Listing, S3Error> {
        self.0.list_objects(bucket, options).await
    }
}
