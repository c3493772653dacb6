//! Expectations that are checked when the mock is dropped.

use async_trait::async_trait;

use crate::{
    Body, Bucket, DeleteOptions, GetOptions, ListOptions, Listing, Object, ObjectInfo, ObjectKey,
    PutOptions, S3Client, S3Error,
};

mockall::mock! {
    /// An S3 client of which a test says beforehand what it will be asked.
    ///
    /// For those who know Mox: `expect_put_object()` is `expect`, with as many calls
    /// as `.times(n)` says; `.withf(…)` checks the arguments; `.returning(…)` answers.
    /// A call that nobody expects panics. An expected call that never came panics when
    /// the mock is dropped, which is `verify_on_exit!`; [`MockS3::checkpoint`] checks
    /// earlier. Calls in a fixed order take a [`mockall::Sequence`].
    ///
    /// For a test that only needs an S3 that works, [`MemoryS3`](crate::MemoryS3) is
    /// the shorter way.
    ///
    /// # Example: how do I check what is asked of S3?
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use artifact_s3::{Bucket, MockS3, ObjectInfo, ObjectKey, S3Client};
    ///
    /// let mut s3 = MockS3::new();
    /// s3.expect_put_object()
    ///     .times(1)
    ///     .withf(|bucket, key, body, options| {
    ///         bucket.as_str() == "test-bucket"
    ///             && key.as_str() == "asm/patch-abc123"
    ///             && body.as_chunks().is_some_and(|chunks| chunks.concat() == b"diff content")
    ///             && options.metadata.is_empty()
    ///     })
    ///     .returning(|_, _, body, _| {
    ///         Ok(ObjectInfo { size: body.length().unwrap_or_default(), ..Default::default() })
    ///     });
    ///
    /// // What is tested calls this. Here it is done by hand.
    /// let (bucket, key) = (Bucket::parse("test-bucket")?, ObjectKey::parse("asm/patch-abc123")?);
    /// let info = s3.put_object(&bucket, &key, "diff content".into(), &Default::default()).await?;
    /// assert_eq!(info.size, 12);
    /// # Ok(())
    /// # } // `s3` is dropped, and its expectations are checked.
    /// ```
    ///
    /// # Example: how do I make S3 fail?
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use artifact_s3::{Bucket, MockS3, ObjectKey, S3Client, S3Error, S3ErrorKind};
    ///
    /// let mut s3 = MockS3::new();
    /// s3.expect_get_object().times(1).returning(|_, _, _| {
    ///     Err(S3Error::new(S3ErrorKind::AccessDenied, "Access Denied")
    ///         .answered(403, Some("AccessDenied".to_owned()), Some("R1".to_owned())))
    /// });
    ///
    /// let (bucket, key) = (Bucket::parse("test-bucket")?, ObjectKey::parse("asm/a")?);
    /// let error = s3.get_object(&bucket, &key, &Default::default()).await.unwrap_err();
    /// assert_eq!(error.status(), Some(403));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Example: how do I mock the trait in my own crate?
    ///
    /// `MockS3` is there with the feature `mock`:
    /// `artifact-s3 = { version = "…", features = ["mock"] }` under
    /// `[dev-dependencies]`. To give a mock methods or traits of one's own, add
    /// `mockall` and `async-trait` and write:
    ///
    /// ```
    /// use artifact_s3::{
    ///     Body, Bucket, DeleteOptions, GetOptions, ListOptions, Listing, Object, ObjectInfo,
    ///     ObjectKey, PutOptions, S3Client, S3Error,
    /// };
    ///
    /// trait Health {
    ///     fn is_well(&self) -> bool;
    /// }
    ///
    /// mockall::mock! {
    ///     #[derive(Debug)]
    ///     MyS3 {}
    ///
    ///     impl Health for MyS3 {
    ///         fn is_well(&self) -> bool;
    ///     }
    ///
    ///     #[async_trait::async_trait]
    ///     impl S3Client for MyS3 {
    ///         async fn put_object(&self, bucket: &Bucket, key: &ObjectKey, body: Body, options: &PutOptions) -> Result<ObjectInfo, S3Error>;
    ///         async fn get_object(&self, bucket: &Bucket, key: &ObjectKey, options: &GetOptions) -> Result<Object, S3Error>;
    ///         async fn head_object(&self, bucket: &Bucket, key: &ObjectKey, options: &GetOptions) -> Result<ObjectInfo, S3Error>;
    ///         async fn delete_object(&self, bucket: &Bucket, key: &ObjectKey, options: &DeleteOptions) -> Result<(), S3Error>;
    ///         async fn copy_object(&self, bucket: &Bucket, source: &ObjectKey, key: &ObjectKey, options: &PutOptions) -> Result<ObjectInfo, S3Error>;
    ///         async fn list_objects(&self, bucket: &Bucket, options: &ListOptions) -> Result<Listing, S3Error>;
    ///     }
    /// }
    ///
    /// fn main() {
    ///     let mut s3 = MockMyS3::new();
    ///     s3.expect_is_well().return_const(true);
    ///     assert!(s3.is_well());
    ///     let _client: std::sync::Arc<dyn S3Client> = std::sync::Arc::new(s3);
    /// }
    /// ```
    #[derive(Debug)]
    pub S3 {}

    #[async_trait]
    impl S3Client for S3 {
        async fn put_object(
            &self,
            bucket: &Bucket,
            key: &ObjectKey,
            body: Body,
            options: &PutOptions,
        ) -> Result<ObjectInfo, S3Error>;

        async fn get_object(
            &self,
            bucket: &Bucket,
            key: &ObjectKey,
            options: &GetOptions,
        ) -> Result<Object, S3Error>;

        async fn head_object(
            &self,
            bucket: &Bucket,
            key: &ObjectKey,
            options: &GetOptions,
        ) -> Result<ObjectInfo, S3Error>;

        async fn delete_object(
            &self,
            bucket: &Bucket,
            key: &ObjectKey,
            options: &DeleteOptions,
        ) -> Result<(), S3Error>;

        async fn copy_object(
            &self,
            bucket: &Bucket,
            source: &ObjectKey,
            key: &ObjectKey,
            options: &PutOptions,
        ) -> Result<ObjectInfo, S3Error>;

        async fn list_objects(
            &self,
            bucket: &Bucket,
            options: &ListOptions,
        ) -> Result<Listing, S3Error>;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> (Bucket, ObjectKey) {
        (Bucket::parse("test-bucket").unwrap(), ObjectKey::parse("a").unwrap())
    }

    #[test]
    #[should_panic(expected = "MockS3::delete_object")]
    fn a_call_that_never_came_is_told_on_drop() {
        let mut s3 = MockS3::new();
        s3.expect_delete_object().times(1).returning(|_, _, _| Ok(()));
        drop(s3);
    }

    #[tokio::test]
    #[should_panic(expected = "MockS3::delete_object")]
    async fn a_call_with_other_arguments_panics() {
        let mut s3 = MockS3::new();
        s3.expect_delete_object()
            .withf(|_, key, _| key.as_str() == "b")
            .returning(|_, _, _| Ok(()));
        let (bucket, key) = names();
        let _ = s3.delete_object(&bucket, &key, &DeleteOptions::default()).await;
    }

    #[tokio::test]
    async fn an_expected_call_is_answered_through_the_trait() {
        let mut s3 = MockS3::new();
        s3.expect_delete_object().times(1).returning(|_, _, _| Ok(()));
        let client: Box<dyn S3Client> = Box::new(s3);
        let (bucket, key) = names();
        client.delete_object(&bucket, &key, &DeleteOptions::default()).await.unwrap();
    }
}
