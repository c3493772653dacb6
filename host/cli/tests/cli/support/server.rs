use std::sync::{Arc, Mutex};

use artifact_s3_server::{Exchange, LocalServer};
use artifact_store::{
    PutOptions,
    s3::{Bucket, Credentials, HttpS3, MemoryS3, ObjectKey, S3Client, UnfinishedUpload},
};
use artifact_test_servers::{Careless, Overwriting};
use tokio::runtime::Runtime;

pub const BUCKET: &str = "test-bucket";
pub const PREFIX: &str = "asm/";

/// An S3 server that keeps one bucket in memory and checks signatures.
pub struct Server {
    // Dropped before its runtime.
    local: LocalServer,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
    memory: MemoryS3,
    runtime: Runtime,
}

impl Server {
    pub fn start() -> Self {
        Self::of(|memory| Arc::new(memory))
    }

    /// One that ignores conditions.
    pub fn careless() -> Self {
        Self::of(|memory| Arc::new(Careless(memory)))
    }

    /// One that honours `If-None-Match` and ignores `If-Match`.
    pub fn overwriting() -> Self {
        Self::of(|memory| Arc::new(Overwriting(memory)))
    }

    fn of(client: impl FnOnce(MemoryS3) -> Arc<dyn S3Client>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let exchanges = Arc::new(Mutex::new(Vec::new()));
        let seen = exchanges.clone();
        let memory = MemoryS3::with_buckets([BUCKET]).unwrap();
        let local = runtime
            .block_on(
                LocalServer::builder()
                    .client(client(memory.clone()))
                    .on_exchange(move |exchange| seen.lock().unwrap().push(exchange))
                    .start(),
            )
            .unwrap();
        Self { local, exchanges, memory, runtime }
    }

    pub fn endpoint(&self) -> String {
        self.local.endpoint()
    }

    pub fn access_key(&self) -> &str {
        self.local.access_key()
    }

    pub fn secret_key(&self) -> &str {
        self.local.secret_key().expose()
    }

    /// The requests that came, as `METHOD target`.
    pub fn requests(&self) -> Vec<String> {
        let exchanges = self.exchanges.lock().unwrap();
        exchanges.iter().map(|seen| format!("{} {}", seen.method, seen.target)).collect()
    }

    /// The keys of all objects.
    pub fn keys(&self) -> Vec<String> {
        self.memory.keys(BUCKET)
    }

    /// The uploads that were begun and not ended.
    pub fn unfinished(&self) -> Vec<UnfinishedUpload> {
        let client = HttpS3::builder()
            .endpoint(self.endpoint())
            .credentials(Credentials::key(self.access_key(), self.secret_key()));
        self.runtime.block_on(async {
            let client = client.build().await.unwrap();
            client.unfinished_uploads(&Bucket::parse(BUCKET).unwrap(), "").await.unwrap()
        })
    }

    /// Stores empty artifacts, past the program: many at once.
    pub fn fill(&self, keys: &[String]) {
        let bucket = Bucket::parse(BUCKET).unwrap();
        let options = PutOptions::default();
        for key in keys {
            let key = ObjectKey::parse(format!("{PREFIX}{key}")).unwrap();
            let put = self.memory.put_object(&bucket, &key, "".into(), &options);
            self.runtime.block_on(put).unwrap();
        }
    }
}
