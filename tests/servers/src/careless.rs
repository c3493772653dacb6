use artifact_s3::{
    Body, Bucket, DeleteOptions, GetOptions, ListOptions, Listing, Object, ObjectInfo, ObjectKey,
    PutOptions, S3Client, S3Error, WriteCondition,
};

/// Does what it is asked whatever the conditions are, and says that all is well, as some
/// services do. It knows no versions either.
#[derive(Debug)]
pub struct Careless<C>(pub C);

#[async_trait::async_trait]
impl<C: S3Client> S3Client for Careless<C> {
    async fn put_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        let options = PutOptions { condition: WriteCondition::Unconditional, ..options.clone() };
        self.0.put_object(bucket, key, body, &options).await
    }

    async fn get_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
    ) -> Result<Object, S3Error> {
        let options = GetOptions { range: options.range, ..GetOptions::default() };
        self.0.get_object(bucket, key, &options).await
    }

    async fn head_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        _: &GetOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.0.head_object(bucket, key, &GetOptions::default()).await
    }

    async fn delete_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        _: &DeleteOptions,
    ) -> Result<(), S3Error> {
        self.0.delete_object(bucket, key, &DeleteOptions::default()).await
    }

    async fn copy_object(
        &self,
        bucket: &Bucket,
        source: &ObjectKey,
        key: &ObjectKey,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        let options = PutOptions { condition: WriteCondition::Unconditional, ..options.clone() };
        self.0.copy_object(bucket, source, key, &options).await
    }

    async fn list_objects(
        &self,
        bucket: &Bucket,
        options: &ListOptions,
    ) -> Result<Listing, S3Error> {
        self.0.list_objects(bucket, options).await
    }
}
