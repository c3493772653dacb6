//! Our store.

use artifact_store::{ArtifactStore, GetOptions, ParallelDownload, Policy, PolicyGrant};

use super::{Service, Source, Target, drain, http_s3};

#[derive(Clone)]
pub(crate) struct Store(ArtifactStore);

/// A policy as from somebody nobody knows: from bytes, with a fresh instance for each call.
pub(super) fn tenant() -> Policy {
    Policy::from_bytes(artifact_guests::policies::TENANT)
        .name("tenant")
        .setting("tenant", "acme")
        .grant(PolicyGrant::all().keys_under("acme/"))
}

pub(super) async fn connect(service: &Service, policy: Option<Policy>) -> anyhow::Result<Store> {
    let client = http_s3::client(service).await?;
    let mut builder = ArtifactStore::builder().bucket(&service.bucket).client(client);
    if let Some(policy) = policy {
        builder = builder.policy(policy);
    }
    Ok(Store(builder.start().await?))
}

impl Store {
    pub(super) async fn put(&self, key: &str, source: Source) -> anyhow::Result<()> {
        self.0.put(key, http_s3::body(source).await?).await?;
        Ok(())
    }

    pub(super) async fn get(&self, key: &str, target: Target) -> anyhow::Result<u64> {
        match &target {
            Target::Memory => Ok(self.0.get(key).await?.bytes().await?.len() as u64),
            Target::File(path) => {
                let file = tokio::fs::File::create(path).await?.into_std().await;
                let download = ParallelDownload::default();
                let options = GetOptions::default();
                Ok(self.0.get_to_file(key, &options, &file, &download).await?.size)
            }
            Target::Stream => drain(self.0.get(key).await?.into_stream(), &target).await,
        }
    }

    pub(super) async fn head(&self, key: &str) -> anyhow::Result<()> {
        self.0.head(key).await?;
        Ok(())
    }

    pub(super) async fn delete(&self, key: &str) -> anyhow::Result<()> {
        Ok(self.0.delete(key).await?)
    }
}
