use std::sync::Arc;

use artifact_s3::{
    Body, Bucket, ByteRange, DeleteOptions, GetOptions, HttpS3, ListOptions, Object, ObjectInfo,
    ObjectKey, PutOptions, S3Client, S3Error, S3ErrorKind,
};
use bytes::Bytes;
use libtest_mimic::Failed;

/// How a case ends.
pub type CaseResult = Result<(), Failed>;

/// What a case works with: a client, a bucket, and keys that no other case uses.
#[derive(Clone, Debug)]
pub struct Context {
    /// The client that is tested.
    pub s3: Arc<dyn S3Client>,
    /// A bucket that exists.
    pub bucket: Bucket,
    /// Begins each key of the case. Ends in `/`.
    pub prefix: String,
    /// The client again, where it is one over HTTP, for what only those can.
    pub http: Option<HttpS3>,
}

impl Context {
    /// A key of this case.
    pub fn key(&self, name: &str) -> Result<ObjectKey, Failed> {
        Ok(self.object_key(name)?)
    }

    /// The same, where the case looks at the call's own error.
    pub(super) fn object_key(&self, name: &str) -> Result<ObjectKey, S3Error> {
        ObjectKey::parse(format!("{}{name}", self.prefix))
            .map_err(|e| S3Error::new(S3ErrorKind::InvalidRequest, e.to_string()))
    }

    /// Stores bytes, with no options.
    pub async fn put(&self, name: &str, body: impl Into<Body>) -> Result<ObjectInfo, Failed> {
        Ok(self.put_with(name, body, &PutOptions::default()).await?)
    }

    /// Stores bytes.
    pub async fn put_with(
        &self,
        name: &str,
        body: impl Into<Body>,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        let key = self.object_key(name)?;
        self.s3.put_object(&self.bucket, &key, body.into(), options).await
    }

    /// Opens an object.
    pub async fn get(&self, name: &str, options: &GetOptions) -> Result<Object, S3Error> {
        let key = self.object_key(name)?;
        self.s3.get_object(&self.bucket, &key, options).await
    }

    /// Describes an object.
    pub async fn head(&self, name: &str, options: &GetOptions) -> Result<ObjectInfo, S3Error> {
        let key = self.object_key(name)?;
        self.s3.head_object(&self.bucket, &key, options).await
    }

    /// All bytes of an object.
    pub async fn read(&self, name: &str) -> Result<Bytes, Failed> {
        Ok(self.get(name, &GetOptions::default()).await?.body.bytes().await?)
    }

    /// Some bytes of an object.
    pub async fn read_range(&self, name: &str, range: ByteRange) -> Result<Bytes, Failed> {
        let options = GetOptions { range: Some(range), ..Default::default() };
        Ok(self.get(name, &options).await?.body.bytes().await?)
    }

    /// Deletes an object, with no options.
    pub async fn delete(&self, name: &str) -> CaseResult {
        let key = self.key(name)?;
        Ok(self.s3.delete_object(&self.bucket, &key, &DeleteOptions::default()).await?)
    }

    /// Lists one page under the case's prefix, to which `options.prefix` is added.
    pub async fn list(&self, mut options: ListOptions) -> Result<artifact_s3::Listing, S3Error> {
        options.prefix = format!("{}{}", self.prefix, options.prefix);
        options.start_after = options.start_after.map(|key| format!("{}{key}", self.prefix));
        self.s3.list_objects(&self.bucket, &options).await
    }

    /// The names under the case's prefix, without it.
    pub async fn names(&self) -> Result<Vec<String>, Failed> {
        let page = self.list(ListOptions::default()).await?;
        self.names_of(&page)
    }

    /// The names in a page, without the case's prefix.
    pub fn names_of(&self, page: &artifact_s3::Listing) -> Result<Vec<String>, Failed> {
        page.objects.iter().map(|object| self.without_prefix(&object.key)).collect()
    }

    /// A key or common prefix without the case's prefix.
    pub fn without_prefix(&self, key: &str) -> Result<String, Failed> {
        let name = key.strip_prefix(&self.prefix);
        Ok(name.ok_or_else(|| format!("{key:?} is not of this case"))?.to_owned())
    }
}

/// The kind of an error that must be there.
pub(super) fn refused<T>(result: Result<T, S3Error>) -> Result<S3ErrorKind, Failed> {
    match result {
        Ok(_) => Err("it succeeded, and should have failed".into()),
        Err(error) => Ok(error.kind()),
    }
}

/// The same bytes for the same seed; no two seeds alike. Xorshift: quick, and hard to
/// compress or to get right by accident.
#[must_use]
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
