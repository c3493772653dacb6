//! Apache `OpenDAL`, without layers that cost. It does not hash payloads; files and streams
//! go up through its writer, in parts of the size and number that ours has too.

use futures::{SinkExt, TryStreamExt};
use opendal::{Operator, services::S3};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use super::{CHUNK, PARALLEL, PART, REGION, Service, Source, Target, chunks, drain};

#[derive(Clone)]
pub(crate) struct OpenDalClient(Operator);

pub(super) fn connect(service: &Service) -> anyhow::Result<OpenDalClient> {
    let builder = S3::default()
        .endpoint(&service.endpoint)
        .region(REGION)
        .bucket(&service.bucket)
        .access_key_id(&service.access_key_id)
        .secret_access_key(&service.secret_access_key)
        .disable_config_load()
        .disable_ec2_metadata();
    Ok(OpenDalClient(Operator::new(builder)?))
}

impl OpenDalClient {
    pub(super) async fn put(&self, key: &str, source: Source) -> anyhow::Result<()> {
        let writer = || async {
            let writer = self.0.writer_with(key).chunk(PART).concurrent(PARALLEL).await?;
            anyhow::Ok(writer.into_bytes_sink())
        };
        match source {
            Source::Memory(bytes) => {
                self.0.write(key, bytes).await?;
            }
            Source::File(path) => {
                let file = ReaderStream::with_capacity(File::open(path).await?, CHUNK);
                let mut writer = writer().await?;
                writer.send_all(&mut file.into_stream()).await?;
                writer.close().await?;
            }
            Source::Stream(length) => {
                let mut writer = writer().await?;
                writer.send_all(&mut chunks(length).into_stream()).await?;
                writer.close().await?;
            }
        }
        Ok(())
    }

    pub(super) async fn get(&self, key: &str, target: Target) -> anyhow::Result<u64> {
        if let Target::Memory = target {
            return Ok(self.0.read(key).await?.to_bytes().len() as u64);
        }
        let reader = self.0.reader(key).await?;
        drain(reader.into_bytes_stream(..).await?, &target).await
    }

    pub(super) async fn head(&self, key: &str) -> anyhow::Result<()> {
        self.0.stat(key).await?;
        Ok(())
    }

    pub(super) async fn delete(&self, key: &str) -> anyhow::Result<()> {
        Ok(self.0.delete(key).await?)
    }
}
