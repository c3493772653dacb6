//! Apache Arrow's `object_store`. Payloads are not hashed (`with_unsigned_payload`);
//! files and streams go up through its `BufWriter` and `WriteMultipart`, as its
//! documentation says of large ones.

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::{
    ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart,
    aws::{AmazonS3, AmazonS3Builder},
    buffered::BufWriter,
    path::Path,
};
use tokio::{fs::File, io::AsyncWriteExt};

use super::{PARALLEL, PART, REGION, Service, Source, Target, chunks, drain};

#[derive(Clone)]
pub(crate) struct ObjectStoreClient(Arc<AmazonS3>);

pub(super) fn connect(service: &Service) -> anyhow::Result<ObjectStoreClient> {
    let store = AmazonS3Builder::new()
        .with_endpoint(&service.endpoint)
        .with_allow_http(true)
        .with_region(REGION)
        .with_bucket_name(&service.bucket)
        .with_access_key_id(&service.access_key_id)
        .with_secret_access_key(&service.secret_access_key)
        .with_unsigned_payload(true)
        // One request that is small, rather than one for up to a thousand objects.
        .with_disable_bulk_delete(true)
        .build()?;
    Ok(ObjectStoreClient(Arc::new(store)))
}

impl ObjectStoreClient {
    pub(super) async fn put(&self, key: &str, source: Source) -> anyhow::Result<()> {
        let path = Path::from(key);
        match source {
            Source::Memory(bytes) => {
                self.0.put(&path, PutPayload::from_bytes(bytes)).await?;
            }
            Source::File(file) => {
                let mut file = File::open(file).await?;
                let store: Arc<dyn ObjectStore> = Arc::clone(&self.0) as _;
                let writer = BufWriter::with_capacity(store, path, PART);
                let mut writer = writer.with_max_concurrency(PARALLEL);
                tokio::io::copy(&mut file, &mut writer).await?;
                writer.shutdown().await?;
            }
            Source::Stream(length) => {
                let upload = self.0.put_multipart(&path).await?;
                let mut writer = WriteMultipart::new_with_chunk_size(upload, PART);
                let mut chunks = chunks(length);
                while let Some(chunk) = chunks.try_next().await? {
                    writer.wait_for_capacity(PARALLEL).await?;
                    writer.put(chunk);
                }
                writer.finish().await?;
            }
        }
        Ok(())
    }

    pub(super) async fn get(&self, key: &str, target: Target) -> anyhow::Result<u64> {
        let found = self.0.get(&Path::from(key)).await?;
        match target {
            Target::Memory => Ok(found.bytes().await?.len() as u64),
            _ => drain(found.into_stream(), &target).await,
        }
    }

    pub(super) async fn head(&self, key: &str) -> anyhow::Result<()> {
        self.0.head(&Path::from(key)).await?;
        Ok(())
    }

    pub(super) async fn delete(&self, key: &str) -> anyhow::Result<()> {
        Ok(self.0.delete(&Path::from(key)).await?)
    }
}
