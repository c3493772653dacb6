use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use artifact_s3::{Bucket, ObjectKey};
use s3s::dto::{Checksum, ChecksumType, ETag, ETagCondition};

/// Objects of which something is remembered. Of any more nothing is: they have the
/// etag of the client behind the server, and no checksum.
const MOST: usize = 100_000;

/// What S3 keeps of objects and an `S3Client` does not give back.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<HashMap<(String, String), Memory>>);

/// Of one object. It holds for as long as the client behind has the same etag for it,
/// so a write past this server is noticed.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// The etag that the client behind has.
    pub(super) etag: String,
    /// What a multipart upload made of its parts; none after a put.
    pub(super) completed: Option<Completed>,
    /// Of all bytes.
    pub(super) checksum: Checksum,
    pub(super) tags: Vec<(String, String)>,
}

/// What a multipart upload makes of its parts, and nobody can tell from the bytes.
#[derive(Clone, Debug)]
pub(crate) struct Completed {
    pub(crate) etag: String,
    pub(crate) checksum: Checksum,
    pub(crate) checksum_type: ChecksumType,
}

impl Memory {
    /// The etag that callers see.
    pub(super) fn shown_etag(&self) -> &str {
        self.completed.as_ref().map_or(&self.etag, |completed| &completed.etag)
    }

    /// The checksum that callers see, and of what it is.
    pub(super) fn shown_checksum(&self) -> (Checksum, ChecksumType) {
        match &self.completed {
            Some(completed) => (completed.checksum.clone(), completed.checksum_type.clone()),
            None => (self.checksum.clone(), ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
        }
    }
}

impl Remembered {
    pub(super) fn keep(&self, bucket: &Bucket, key: &ObjectKey, memory: Memory) {
        let mut all = self.lock();
        let place = place(bucket, key.as_str());
        if all.len() < MOST || all.contains_key(&place) {
            all.insert(place, memory);
        }
    }

    pub(super) fn forget(&self, bucket: &Bucket, key: &ObjectKey) {
        self.lock().remove(&place(bucket, key.as_str()));
    }

    /// What is remembered of the object that has this etag behind.
    pub(super) fn of(&self, bucket: &Bucket, key: &str, etag: Option<&str>) -> Option<Memory> {
        let all = self.lock();
        let memory = all.get(&place(bucket, key))?;
        (Some(memory.etag.as_str()) == etag).then(|| memory.clone())
    }

    /// The etag that callers see.
    pub(super) fn shown(&self, bucket: &Bucket, key: &str, etag: Option<String>) -> Option<ETag> {
        let memory = self.of(bucket, key, etag.as_deref());
        memory.map(|memory| memory.shown_etag().to_owned()).or(etag).map(ETag::Strong)
    }

    /// The condition as the client behind the server has to be asked it.
    pub(super) fn behind(
        &self,
        bucket: &Bucket,
        key: &str,
        condition: Option<ETagCondition>,
    ) -> Option<ETagCondition> {
        condition.map(|condition| match condition {
            ETagCondition::ETag(ETag::Strong(etag)) => {
                ETagCondition::ETag(ETag::Strong(self.behind_text(bucket, key, &etag)))
            }
            other => other,
        })
    }

    /// The etag behind an etag that callers see.
    pub(super) fn behind_text(&self, bucket: &Bucket, key: &str, etag: &str) -> String {
        let all = self.lock();
        let memory = all.get(&place(bucket, key));
        let memory = memory.filter(|memory| memory.shown_etag() == etag);
        memory.map_or(etag, |memory| &memory.etag).to_owned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), Memory>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(bucket: &Bucket, key: &str) -> (String, String) {
    (bucket.as_str().to_owned(), key.to_owned())
}
