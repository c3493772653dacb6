use async_trait::async_trait;

use crate::{
    Artifact, Body, DeleteOptions, Error, GetOptions, ListOptions, Listing, ObjectInfo, PutOptions,
};

/// The port that applications depend on: artifacts by key, no bucket in sight.
///
/// [`ArtifactStore`](crate::ArtifactStore) implements it; so may a test double.
/// It mirrors the interface `store` of the contract (`wit/store.wit`).
///
/// ```
/// use artifact_store::{Error, Store};
///
/// async fn size_of(store: &dyn Store, key: &str) -> Result<u64, Error> {
///     Ok(store.head(key, &Default::default()).await?.size)
/// }
/// ```
#[async_trait]
pub trait Store: Send + Sync {
    /// Stores the bytes under the key, over whatever was there.
    async fn put(&self, key: &str, body: Body, options: &PutOptions) -> Result<ObjectInfo, Error>;

    /// Opens the artifact; its bytes follow in the [`Artifact`].
    async fn get(&self, key: &str, options: &GetOptions) -> Result<Artifact, Error>;

    /// Describes the artifact.
    async fn head(&self, key: &str, options: &GetOptions) -> Result<ObjectInfo, Error>;

    /// Deletes the artifact; succeeds where there is none.
    async fn delete(&self, key: &str, options: &DeleteOptions) -> Result<(), Error>;

    /// Lists one page.
    async fn list(&self, options: &ListOptions) -> Result<Listing, Error>;
}
