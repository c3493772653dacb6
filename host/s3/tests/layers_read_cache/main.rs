//! The layer `ReadCache`: never other bytes than the service's, and fewer of its bytes.
#![expect(clippy::unwrap_used, reason = "tests")]

mod damage;
mod folder;
mod property;
mod reading;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use artifact_s3::{
    Body, Bucket, GetOptions, MemoryS3, Object, ObjectInfo, ObjectKey, Operation, PutOptions,
    S3Client, S3Error,
    layers::{Faults, ReadCache},
};
use tempfile::TempDir;

const MIB: u64 = 1 << 20;

fn bucket() -> Bucket {
    Bucket::parse("test-bucket").unwrap()
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::parse(name).unwrap()
}

/// Counts the requests that come through.
#[derive(Clone, Debug, Default)]
struct Requests {
    gets: Arc<AtomicUsize>,
    heads: Arc<AtomicUsize>,
}

impl Requests {
    fn of(&self, client: MemoryS3) -> Faults<MemoryS3> {
        let seen = self.clone();
        let plan = move |operation: Operation, _: &str| {
            match operation {
                Operation::GetObject => seen.gets.fetch_add(1, Ordering::Relaxed),
                Operation::HeadObject => seen.heads.fetch_add(1, Ordering::Relaxed),
                _ => 0,
            };
            None
        };
        Faults::new(plan, client)
    }

    /// Gets and heads since this was last asked.
    fn take(&self) -> (usize, usize) {
        (self.gets.swap(0, Ordering::Relaxed), self.heads.swap(0, Ordering::Relaxed))
    }
}

struct Setup {
    folder: TempDir,
    memory: MemoryS3,
    requests: Requests,
    s3: ReadCache<Faults<MemoryS3>>,
}

impl Setup {
    async fn new(max_bytes: u64) -> Self {
        // A clock that stands: what is written anew is not told apart by its time.
        let (folder, memory) = (tempfile::tempdir().unwrap(), MemoryS3::new().with_clock(|| 1_000));
        let requests = Requests::default();
        let counted = requests.of(memory.clone());
        let s3 = ReadCache::open(folder.path(), max_bytes, counted).await.unwrap();
        Self { folder, memory, requests, s3 }
    }

    async fn put(&self, name: &str, body: impl Into<Body>) -> ObjectInfo {
        self.put_with(name, body, &PutOptions::default()).await
    }

    async fn put_with(
        &self,
        name: &str,
        body: impl Into<Body>,
        options: &PutOptions,
    ) -> ObjectInfo {
        self.s3.put_object(&bucket(), &key(name), body.into(), options).await.unwrap()
    }

    async fn get(&self, name: &str) -> Result<Object, S3Error> {
        self.s3.get_object(&bucket(), &key(name), &GetOptions::default()).await
    }

    async fn read(&self, name: &str) -> Vec<u8> {
        let object = self.get(name).await.unwrap();
        assert_eq!(object.body.length(), Some(object.info.size));
        object.body.bytes().await.unwrap().to_vec()
    }

    fn files(&self) -> Vec<PathBuf> {
        files(self.folder.path())
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn total(folder: &Path) -> u64 {
    files(folder).iter().map(|path| fs::metadata(path).unwrap().len()).sum()
}
