use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use artifact_s3::S3Client;
use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::{
    Artifact, Body, DeleteOptions, Error, GetOptions, Health, ListOptions, ListedObject, Listing,
    ObjectInfo, Operation, PutOptions, Sandbox, Store, StoreBuilder,
    error::{Blame, ErrorKind},
    grant::Grant,
    link::{Link, links},
    names,
    plan::{Chain, Plan},
    supervisor::Supervisor,
};

/// A running store: artifacts by key, in one bucket under one prefix.
///
/// Cheap to clone; clones are handles on the same store. Calls run side by side:
/// a slow one holds up nobody. Dropping a call's future ends the call.
///
/// Keys have 1 to 1,024 bytes once the prefix is on, no segment `.` or `..`, no
/// control characters, and no `/` in front where there is no prefix. Everything
/// else is kept to the byte.
///
/// # Example: describe what is stored, and write only if it is new
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), artifact_store::Error> {
/// use artifact_store::{ArtifactStore, ErrorKind, PutOptions, WriteCondition, s3::MemoryS3};
///
/// let store = ArtifactStore::builder().bucket("demo").client(MemoryS3::new()).start().await?;
/// let new = PutOptions { condition: WriteCondition::IfAbsent, ..Default::default() };
/// store.put_with("snapshot", "v1", &new).await?;
/// let error = store.put_with("snapshot", "v2", &new).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
/// assert_eq!(store.head("snapshot").await?.size, 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ArtifactStore(Arc<Running>);

/// What the handles of a store share.
pub(crate) struct Running {
    pub(crate) name: Option<String>,
    pub(crate) grant: Arc<Grant>,
    pub(crate) client: Arc<dyn S3Client>,
    pub(crate) sandbox: Sandbox,
    pub(crate) chain: RwLock<Arc<Chain>>,
    /// What the chain was built from. Locked while it is built again.
    pub(crate) plan: Mutex<Plan>,
    pub(crate) deadline: Duration,
    pub(crate) stopped: AtomicBool,
}

impl ArtifactStore {
    /// Begins to configure a store.
    pub fn builder() -> StoreBuilder {
        StoreBuilder::default()
    }

    pub(crate) fn new(running: Arc<Running>) -> Self {
        Self(running)
    }

    /// The running store of this name, from anywhere in the process.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), artifact_store::Error> {
    /// use artifact_store::{ArtifactStore, s3::MemoryS3};
    ///
    /// let builder = ArtifactStore::builder().bucket("demo").client(MemoryS3::new());
    /// let store = builder.name("patches").start().await?;
    /// assert!(ArtifactStore::named("patches").is_some());
    /// store.stop();
    /// assert!(ArtifactStore::named("patches").is_none());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        names::find(name).map(Self)
    }

    /// The name that [`ArtifactStore::named`] finds it by.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Stores `body` under `key`, over whatever was there.
    pub async fn put(&self, key: &str, body: impl Into<Body>) -> Result<ObjectInfo, Error> {
        self.0.put(key, body.into(), &PutOptions::default()).await
    }

    /// [`put`](Self::put), with options.
    pub async fn put_with(
        &self,
        key: &str,
        body: impl Into<Body>,
        options: &PutOptions,
    ) -> Result<ObjectInfo, Error> {
        self.0.put(key, body.into(), options).await
    }

    /// Opens the artifact at `key`; its bytes follow in the [`Artifact`].
    pub async fn get(&self, key: &str) -> Result<Artifact, Error> {
        self.0.get(key, &GetOptions::default()).await
    }

    /// [`get`](Self::get), with options: a range, a version, conditions.
    pub async fn get_with(&self, key: &str, options: &GetOptions) -> Result<Artifact, Error> {
        self.0.get(key, options).await
    }

    /// Describes the artifact at `key`.
    pub async fn head(&self, key: &str) -> Result<ObjectInfo, Error> {
        self.0.head(key, &GetOptions::default()).await
    }

    /// [`head`](Self::head), with options.
    pub async fn head_with(&self, key: &str, options: &GetOptions) -> Result<ObjectInfo, Error> {
        self.0.head(key, options).await
    }

    /// Deletes the artifact at `key`; succeeds where there is none.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        self.0.delete(key, &DeleteOptions::default()).await
    }

    /// [`delete`](Self::delete), with options.
    pub async fn delete_with(&self, key: &str, options: &DeleteOptions) -> Result<(), Error> {
        self.0.delete(key, options).await
    }

    /// Lists every artifact whose key begins with `prefix`, in order.
    ///
    /// Reads page after page and keeps all of it; [`list_with`](Self::list_with)
    /// gives one page at a time, for more than fits into memory, and for a component
    /// that is not trusted to come to an end: all pages together have the time of one call.
    pub async fn list(&self, prefix: &str) -> Result<Vec<ListedObject>, Error> {
        let mut options = ListOptions { prefix: prefix.to_owned(), ..Default::default() };
        let mut objects = Vec::new();
        let begin = Instant::now();
        loop {
            let page = self.0.list(&options).await?;
            objects.extend(page.objects);
            if page.continuation.is_none() {
                return Ok(objects);
            }
            if page.continuation == options.continuation {
                let message = "the listing goes on where it was, and would never end";
                return Err(Error::new(ErrorKind::PolicyFailed, Blame::Policy, message)
                    .on(Operation::List, None));
            }
            let deadline = self.0.deadline;
            if begin.elapsed() > deadline {
                let message = format!(
                    "the listing was not at its end within {deadline:?}: read it page by page"
                );
                return Err(Error::new(ErrorKind::Timeout, Blame::Policy, message)
                    .on(Operation::List, None));
            }
            options.continuation = page.continuation;
        }
    }

    /// Lists one page, as the options say.
    pub async fn list_with(&self, options: &ListOptions) -> Result<Listing, Error> {
        self.0.list(options).await
    }

    /// How the policies and filters fare: which serve, and which are set aside because
    /// they keep failing.
    ///
    /// The same shows in the metrics `artifact_store_failures_total`,
    /// `artifact_store_calls_refused_total` and `artifact_store_component_serving`, each
    /// by `component`, for whatever recorder of the crate `metrics` is installed.
    #[must_use]
    pub fn health(&self) -> Health {
        let chain = self.0.chain();
        let supervisors = links(&*chain.top).filter_map(Link::supervisor);
        Health { policies: supervisors.map(Supervisor::health).collect() }
    }

    /// Reads again the files that components, policies and filters are from, and puts
    /// those that changed in place of the old ones. Gives their names.
    ///
    /// No call is lost: those under way end on what they began with, and later ones
    /// meet the new. Where a new file cannot be read, is no such component, or needs
    /// what it is not granted, everything stays as it was.
    ///
    /// A policy that changed begins anew: it is no longer set aside.
    pub async fn reload(&self) -> Result<Vec<String>, Error> {
        let mut current = self.0.plan.lock().await;
        let mut plan = current.clone();
        let changed = plan.read_again().await?;
        if !changed.is_empty() {
            let chain = Arc::new(plan.build().await?);
            *current = plan;
            *self.0.chain.write().unwrap_or_else(PoisonError::into_inner) = chain;
        }
        Ok(changed)
    }

    /// Stops the store: its name is free at once, calls under way end as they
    /// would have, and later ones, from any handle, fail with
    /// [`Stopped`](crate::ErrorKind::Stopped).
    ///
    /// Dropping the last handle does the same.
    pub fn stop(self) {
        self.0.stop();
    }
}

impl Running {
    pub(crate) fn chain(&self) -> Arc<Chain> {
        Arc::clone(&self.chain.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn stop(&self) {
        if !self.stopped.swap(true, Ordering::Relaxed)
            && let Some(name) = &self.name
        {
            names::release(name, self);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

#[async_trait]
impl Store for ArtifactStore {
    async fn put(&self, key: &str, body: Body, options: &PutOptions) -> Result<ObjectInfo, Error> {
        self.0.put(key, body, options).await
    }

    async fn get(&self, key: &str, options: &GetOptions) -> Result<Artifact, Error> {
        self.0.get(key, options).await
    }

    async fn head(&self, key: &str, options: &GetOptions) -> Result<ObjectInfo, Error> {
        self.0.head(key, options).await
    }

    async fn delete(&self, key: &str, options: &DeleteOptions) -> Result<(), Error> {
        self.0.delete(key, options).await
    }

    async fn list(&self, options: &ListOptions) -> Result<Listing, Error> {
        self.0.list(options).await
    }
}

impl fmt::Debug for ArtifactStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArtifactStore")
            .field("name", &self.0.name)
            .field("bucket", &self.0.grant.bucket().as_str())
            .field("prefix", &self.0.grant.prefix())
            .field("client", &self.0.client)
            .finish_non_exhaustive()
    }
}
