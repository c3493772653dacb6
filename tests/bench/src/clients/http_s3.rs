//! Our S3 client alone.

use artifact_s3::{
    Body, Bucket, Credentials, DeleteOptions, GetOptions, HttpS3, ObjectKey, ParallelDownload,
    PutOptions, S3Client,
};

use super::{REGION, Service, Source, Target, drain};

#[derive(Clone)]
pub(crate) struct HttpS3Client {
    client: HttpS3,
    bucket: Bucket,
}

/// As it is by default, but that it does not hash payloads, as its peers do not here.
pub(super) async fn client(service: &Service) -> anyhow::Result<HttpS3> {
    let credentials = Credentials::key(&service.access_key_id, &service.secret_access_key);
    let builder = HttpS3::builder().endpoint(&service.endpoint).region(REGION);
    let builder = builder.unsigned_payload(true);
    Ok(builder.credentials(credentials).build().await?)
}

pub(super) async fn connect(service: &Service) -> anyhow::Result<HttpS3Client> {
    Ok(HttpS3Client { client: client(service).await?, bucket: Bucket::parse(&service.bucket)? })
}

impl HttpS3Client {
    pub(super) async fn put(&self, key: &str, source: Source) -> anyhow::Result<()> {
        let (key, body) = (ObjectKey::parse(key)?, body(source).await?);
        self.client.put_object(&self.bucket, &key, body, &PutOptions::default()).await?;
        Ok(())
    }

    pub(super) async fn get(&self, key: &str, target: Target) -> anyhow::Result<u64> {
        let (key, options) = (ObjectKey::parse(key)?, GetOptions::default());
        if let Target::File(path) = &target {
            let file = tokio::fs::File::create(path).await?.into_std().await;
            let get = |options: GetOptions| {
                let key = &key;
                async move { self.client.get_object(&self.bucket, key, &options).await }
            };
            return Ok(ParallelDownload::default().to_file(get, &options, &file).await?.size);
        }
        let body = self.client.get_object(&self.bucket, &key, &options).await?.body;
        match target {
            Target::Memory => Ok(body.bytes().await?.len() as u64),
            _ => drain(body.into_stream(), &target).await,
        }
    }

    pub(super) async fn head(&self, key: &str) -> anyhow::Result<()> {
        let key = ObjectKey::parse(key)?;
        self.client.head_object(&self.bucket, &key, &GetOptions::default()).await?;
        Ok(())
    }

    pub(super) async fn delete(&self, key: &str) -> anyhow::Result<()> {
        let key = ObjectKey::parse(key)?;
        Ok(self.client.delete_object(&self.bucket, &key, &DeleteOptions::default()).await?)
    }
}

/// A body as a caller of ours makes it.
pub(super) async fn body(source: Source) -> anyhow::Result<Body> {
    Ok(match source {
        Source::Memory(bytes) => bytes.into(),
        Source::File(path) => Body::from_file(path).await?,
        Source::Stream(length) => Body::from_stream(super::chunks(length), Some(length)),
    })
}
