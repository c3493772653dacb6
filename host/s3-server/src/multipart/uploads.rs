use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use s3s::{
    S3Result,
    dto::{Checksum, CreateMultipartUploadInput},
    s3_error,
};

use super::{
    checksum::UploadChecksum,
    part_file::{Extent, PartFile},
};

/// What the uploads of one server may take together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Uploads that are begun and not ended. Each holds a file open.
    pub(crate) uploads: usize,
    /// Bytes of parts, in temporary files.
    pub(crate) bytes: u64,
}

impl Default for Limits {
    /// Below the descriptors that a process usually has, and what a disk usually holds.
    fn default() -> Self {
        Self { uploads: 500, bytes: 64 * 1024 * 1024 * 1024 }
    }
}

/// An upload that was begun, and neither completed nor aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnfinishedUpload {
    /// The bucket.
    pub bucket: String,
    /// The key that the object would have.
    pub key: String,
    /// What names the upload.
    pub upload_id: String,
    /// How many parts are there.
    pub parts: usize,
}

/// The uploads that were begun, and neither completed nor aborted.
#[derive(Debug)]
pub(crate) struct Uploads {
    limits: Limits,
    used: Arc<AtomicU64>,
    begun: AtomicU64,
    /// By their ids, which are in the order in which uploads were begun.
    open: Mutex<BTreeMap<String, Arc<Upload>>>,
}

#[derive(Debug)]
pub(super) struct Upload {
    pub(super) id: String,
    pub(super) checksum: UploadChecksum,
    pub(super) initiated: SystemTime,
    pub(super) file: Arc<PartFile>,
    pub(super) parts: Mutex<BTreeMap<i32, Arc<Part>>>,
    /// Held by the one call that ends the upload.
    pub(super) ending: tokio::sync::Mutex<()>,
    /// What was said when it began.
    pub(super) created: CreateMultipartUploadInput,
}

#[derive(Debug)]
pub(super) struct Part {
    pub(super) md5: [u8; 16],
    pub(super) checksum: Checksum,
    pub(super) bytes: Arc<Extent>,
    pub(super) modified: SystemTime,
}

impl Uploads {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, used: Arc::default(), begun: AtomicU64::new(0), open: Mutex::default() }
    }

    /// Those that are there, in the order in which they were begun.
    pub(crate) fn unfinished(&self) -> Vec<UnfinishedUpload> {
        let of = |upload: &Arc<Upload>| UnfinishedUpload {
            bucket: upload.created.bucket.clone(),
            key: upload.created.key.clone(),
            upload_id: upload.id.clone(),
            parts: upload.parts().len(),
        };
        self.open().values().map(of).collect()
    }

    pub(super) async fn begin(
        &self,
        created: CreateMultipartUploadInput,
        checksum: UploadChecksum,
    ) -> S3Result<Arc<Upload>> {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let upload = Arc::new(Upload {
            id: format!("{number:012x}{:016x}", rand::random::<u64>()),
            checksum,
            initiated: SystemTime::now(),
            file: PartFile::new(Arc::clone(&self.used), self.limits.bytes).await.map_err(failed)?,
            parts: Mutex::default(),
            ending: tokio::sync::Mutex::default(),
            created,
        });
        let mut open = self.open();
        if open.len() >= self.limits.uploads {
            return Err(s3_error!(
                InvalidRequest,
                "this server has {} uploads open, and takes no more: complete or abort some",
                open.len()
            ));
        }
        open.insert(upload.id.clone(), Arc::clone(&upload));
        Ok(upload)
    }

    /// The upload of this id, if it is for this object.
    pub(super) fn find(&self, id: &str, bucket: &str, key: &str) -> S3Result<Arc<Upload>> {
        let created =
            |upload: &&Arc<Upload>| upload.created.bucket == bucket && upload.created.key == key;
        self.open().get(id).filter(created).cloned().ok_or_else(no_such_upload)
    }

    /// Those in a bucket, in the order of key and begin.
    pub(super) fn of_bucket(&self, bucket: &str) -> Vec<Arc<Upload>> {
        let open = self.open();
        let mut found: Vec<Arc<Upload>> =
            open.values().filter(|upload| upload.created.bucket == bucket).cloned().collect();
        // Stable, so uploads for one key stay in the order of their ids.
        found.sort_by(|one, other| one.created.key.cmp(&other.created.key));
        found
    }

    /// Keeps a part, in the place of one that has its number, unless the upload ended
    /// meanwhile.
    pub(super) fn keep(&self, upload: &Upload, number: i32, part: Arc<Part>) -> S3Result<()> {
        let open = self.open();
        if !open.contains_key(&upload.id) {
            return Err(no_such_upload());
        }
        upload.parts().insert(number, part);
        Ok(())
    }

    /// Ends an upload; an error if it was ended before.
    pub(super) fn end(&self, upload: &Upload) -> S3Result<()> {
        self.open().remove(&upload.id).map(drop).ok_or_else(no_such_upload)
    }

    /// Whole between any two statements.
    fn open(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Upload>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upload {
    pub(super) fn parts(&self) -> MutexGuard<'_, BTreeMap<i32, Arc<Part>>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Part {
    pub(super) fn etag(&self) -> String {
        hex(&self.md5)
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A temporary file that cannot be used.
pub(super) fn failed(error: io::Error) -> s3s::S3Error {
    s3_error!(error, InternalError, "the parts of this upload cannot be kept: {error}")
}

fn no_such_upload() -> s3s::S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may \
         have been aborted or completed."
    )
}
