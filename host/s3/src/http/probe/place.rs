use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::{
    Body, Bucket, DeleteOptions, GetOptions, ObjectInfo, ObjectKey, Operation, PutOptions,
    S3Client, S3Error, S3ErrorKind,
    http::{
        HttpS3,
        multipart::MultipartUpload,
        object_headers,
        payload::Payload,
        request::{Headers, Request, target},
        response::Reading,
    },
};

/// What the probe's objects hold, one after the other.
pub(super) const FIRST: &str = "written by a probe, first";
pub(super) const SECOND: &str = "written by a probe, second";

/// Where a probe works: keys of its own, which are all gone when it is.
pub(super) struct Place {
    pub(super) s3: HttpS3,
    pub(super) bucket: Bucket,
    prefix: String,
    traces: Arc<Mutex<Traces>>,
}

/// What is to be removed.
#[derive(Default)]
struct Traces {
    /// The versions of each key. Without any the key itself is deleted.
    objects: BTreeMap<ObjectKey, Vec<String>>,
    /// Those that ended are fine too.
    uploads: Vec<MultipartUpload>,
}

impl Place {
    pub(super) fn new(s3: HttpS3, bucket: &Bucket, key_prefix: &str) -> Self {
        let prefix = format!("{key_prefix}artifacts-probe-{:016x}/", fastrand::u64(..));
        Self { s3, bucket: bucket.clone(), prefix, traces: Arc::default() }
    }

    /// What the keys of the objects of this name begin with.
    pub(super) fn prefix(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(super) fn key(&self, name: &str) -> Result<ObjectKey, S3Error> {
        ObjectKey::parse(self.prefix(name)).map_err(|error| {
            let message = format!("no keys for a probe can be made below this prefix: {error}");
            S3Error::new(S3ErrorKind::InvalidRequest, message).caused_by(error)
        })
    }

    pub(super) async fn put(
        &self,
        name: &str,
        text: &'static str,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        let key = self.key(name)?;
        let known = self.traces().objects.contains_key(&key);
        let key = self.key_to_write(name)?;
        match self.s3.put_object(&self.bucket, &key, text.into(), options).await {
            Ok(info) => {
                self.wrote_version(key, info.version_id.clone());
                Ok(info)
            }
            Err(error) => {
                // A key that the service refuses to write, it may refuse to delete as well.
                let refused = error.status().is_some_and(|status| (400..500).contains(&status));
                if refused && error.attempts() == 1 && !known {
                    self.traces().objects.remove(&key);
                }
                Err(error)
            }
        }
    }

    /// A put with this header, which is sent as it is.
    pub(super) async fn put_with_header(
        &self,
        name: &str,
        text: &'static str,
        (header, value): (&str, &str),
    ) -> Result<(), S3Error> {
        let key = self.key_to_write(name)?;
        let operation = Operation::PutObject;
        let on = |error: S3Error| error.on(operation, target(&self.bucket, Some(&key)));
        let mut request =
            Request::new(operation, Method::PUT, &self.bucket, Some(&key), Reading::Whole);
        request.headers.set(header, value).map_err(on)?;
        request.payload = payload(text).await.map_err(on)?;
        let answer = self.s3.send(&request).await?;
        self.wrote(key.clone(), &answer.headers);
        Ok(())
    }

    pub(super) async fn copy(
        &self,
        source: &str,
        name: &str,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        let (source, key) = (self.key(source)?, self.key_to_write(name)?);
        let info = self.s3.copy_object(&self.bucket, &source, &key, options).await?;
        self.wrote_version(key, info.version_id.clone());
        Ok(info)
    }

    pub(super) async fn begin(&self, name: &str) -> Result<MultipartUpload, S3Error> {
        let key = self.key_to_write(name)?;
        let (s3, bucket) = (self.s3.clone(), self.bucket.clone());
        let upload = MultipartUpload::create(s3, bucket, key, Headers::default()).await?;
        self.traces().uploads.push(upload.clone());
        Ok(upload)
    }

    pub(super) async fn get(&self, name: &str, options: &GetOptions) -> Result<Bytes, S3Error> {
        let object = self.s3.get_object(&self.bucket, &self.key(name)?, options).await?;
        Ok(object.body.bytes().await?)
    }

    pub(super) async fn holds(&self, name: &str, text: &str) -> Result<bool, S3Error> {
        Ok(self.get(name, &GetOptions::default()).await? == text)
    }

    /// Whether the object is gone. Another error than that is one.
    pub(super) async fn is_gone(&self, name: &str) -> Result<bool, S3Error> {
        let key = self.key(name)?;
        match self.s3.head_object(&self.bucket, &key, &GetOptions::default()).await {
            Ok(_) => Ok(false),
            Err(error) if error.kind() == S3ErrorKind::NoSuchKey => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Deletes, and remembers the marker that a bucket with versions makes of it.
    pub(super) async fn delete(&self, name: &str, if_match: Option<&str>) -> Result<(), S3Error> {
        let key = self.key(name)?;
        let if_match = if_match.map(str::to_owned);
        let options = DeleteOptions { if_match, ..DeleteOptions::default() };
        let outcome = self.s3.delete_with_outcome(&self.bucket, &key, &options).await?;
        self.wrote_version(key, outcome.version_id);
        Ok(())
    }

    /// A key that something will be written to, if only by a call that fails midway.
    fn key_to_write(&self, name: &str) -> Result<ObjectKey, S3Error> {
        let key = self.key(name)?;
        self.traces().objects.entry(key.clone()).or_default();
        Ok(key)
    }

    pub(super) fn wrote(&self, key: ObjectKey, answer: &HeaderMap) {
        self.wrote_version(key, object_headers::written(answer).version_id);
    }

    fn wrote_version(&self, key: ObjectKey, version: Option<String>) {
        let version = version.filter(|version| version != "null");
        self.traces().objects.entry(key).or_default().extend(version);
    }

    fn traces(&self) -> MutexGuard<'_, Traces> {
        self.traces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes all that was written.
    pub(super) async fn clear(self) -> Result<(), S3Error> {
        // Taken only when it is gone: a future that is dropped here leaves it to `drop`.
        let (objects, uploads) = {
            let traces = self.traces();
            (traces.objects.clone(), traces.uploads.clone())
        };
        let outcome = remove(&self.s3, &self.bucket, objects, uploads).await;
        *self.traces() = Traces::default();
        outcome
    }
}

/// What a probe that was dropped has written, is removed in the background.
impl Drop for Place {
    fn drop(&mut self) {
        let Traces { objects, uploads } = std::mem::take(&mut *self.traces());
        if objects.is_empty() {
            return;
        }
        let (s3, bucket) = (self.s3.clone(), self.bucket.clone());
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        // Where `settle` waits for it.
        let background = s3.parts().background.clone();
        let work = async move {
            if let Err(error) = remove(&s3, &bucket, objects, uploads).await {
                tracing::warn!(%error, "an object of a probe stays behind");
            }
        };
        background.spawn_on(work, &runtime);
    }
}

/// Removes as much as it can. The error is the last of those that there were.
async fn remove(
    s3: &HttpS3,
    bucket: &Bucket,
    objects: BTreeMap<ObjectKey, Vec<String>>,
    uploads: Vec<MultipartUpload>,
) -> Result<(), S3Error> {
    let mut outcome = Ok(());
    for upload in uploads {
        outcome = upload.abort().await.and(outcome);
    }
    for (key, versions) in objects {
        let mut versions: Vec<_> = versions.into_iter().map(Some).collect();
        if versions.is_empty() {
            versions.push(None);
        }
        for version_id in versions {
            let options = DeleteOptions { version_id, if_match: None };
            outcome = s3.delete_object(bucket, &key, &options).await.and(outcome);
        }
    }
    outcome
}

pub(super) async fn payload(text: &'static str) -> Result<Payload, S3Error> {
    let mut payload = Payload::of(Body::from(text));
    payload.hash_if_in_memory().await?;
    Ok(payload)
}
