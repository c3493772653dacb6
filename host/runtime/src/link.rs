use std::sync::Arc;

use artifact_s3::Object;
use async_trait::async_trait;

use crate::{
    Body, DeleteOptions, Error, GetOptions, ListOptions, Listing, ObjectInfo, PutOptions,
    instance::Waiting, supervisor::Supervisor,
};

/// One link of a store's chain: a policy, a filter, or the store component at its end.
///
/// Each has the one beneath it, and takes the five calls.
#[async_trait]
pub(crate) trait Link: Send + Sync {
    /// The one beneath; none at the end.
    fn next(&self) -> Option<&Arc<dyn Link>>;

    /// Who watches it; nobody at the end.
    fn supervisor(&self) -> Option<&Supervisor>;

    /// Makes an instance and drops it: whether calls can work at all.
    async fn try_out(&self) -> Result<(), Error>;

    async fn put(
        &self,
        key: &str,
        body: Body,
        options: &PutOptions,
        waiting: Waiting,
    ) -> Result<ObjectInfo, Error>;

    async fn get(&self, key: &str, options: &GetOptions, waiting: Waiting)
    -> Result<Object, Error>;

    async fn head(
        &self,
        key: &str,
        options: &GetOptions,
        waiting: Waiting,
    ) -> Result<ObjectInfo, Error>;

    async fn delete(
        &self,
        key: &str,
        options: &DeleteOptions,
        waiting: Waiting,
    ) -> Result<(), Error>;

    async fn list(&self, options: &ListOptions, waiting: Waiting) -> Result<Listing, Error>;
}

/// The links from this one to the end.
pub(crate) fn links(top: &dyn Link) -> impl Iterator<Item = &dyn Link> {
    std::iter::successors(Some(top), |link| link.next().map(AsRef::as_ref))
}
