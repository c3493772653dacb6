use std::{path::Path, sync::Arc};

use artifact_guests::filters;

use crate::{
    Error, Limits, Sandbox,
    bindings::filter::ContentFilterPre,
    coder::{Coding, PreparedFilter},
    component::Source,
    filter_layer::FilterLayer,
    layer::Place,
    link::Link,
    settings::Settings,
    supervisor::Supervisor,
    world::World,
};

/// A filter in front of a store: a component that changes the bytes on their way in,
/// and undoes that on their way out.
///
/// It is of the world `content-filter`: it imports its settings and nothing else, so
/// what sees the bytes can reach nothing. The host drives it chunk by chunk, as fast
/// as the bytes are read, in memory that does not grow with the artifact.
///
/// Filters and policies form one chain, in the order in which they are added; a get
/// undoes the filters in the reverse order.
///
/// - The description of an artifact (size, etag) is that of the stored bytes.
/// - A range cannot be read through a filter: the call is refused.
/// - A filter that has a content encoding puts it behind the one that the caller gave,
///   and takes it off again.
///
/// # Example: compress what is stored
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), artifact_store::Error> {
/// use artifact_store::{ArtifactStore, Filter, s3::MemoryS3};
///
/// let store = ArtifactStore::builder()
///     .bucket("my-artifacts")
///     .client(MemoryS3::new())
///     .filter(Filter::gzip())
///     .start()
///     .await?;
/// let info = store.put("zeros", vec![0; 100_000]).await?;
/// assert_eq!(store.get("zeros").await?.bytes().await?.len(), 100_000);
/// assert!(store.head("zeros").await?.size < 1_000);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Filter {
    pub(crate) source: Source,
    pub(crate) name: Option<String>,
    settings: Settings,
    grant: FilterGrant,
    limits: Option<Limits>,
}

impl Filter {
    /// A filter from memory. It is checked at the start of the store.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Source::from_bytes(bytes.into(), "the filter"), None)
    }

    /// A filter from a file, named after it.
    pub async fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let source = Source::from_file(path, "the filter").await?;
        Ok(Self::new(source, path.file_stem().map(|name| name.to_string_lossy().into_owned())))
    }

    /// The bundled filter `gzip`, with its grant: stores compressed bytes with the
    /// content encoding `gzip`. See `guest/filters/gzip/README.md`.
    #[must_use]
    pub fn gzip() -> Self {
        // No byte of a gzip file stands for more than 1,032.
        Self::bundled(filters::GZIP, "gzip").grant(FilterGrant::default().growth(1100))
    }

    /// The bundled filter `encrypt`: stores bytes that nobody reads or changes unseen
    /// without the key, 64 hexadecimal digits. Its setting `old-keys` holds those that
    /// only decrypt. See `guest/filters/encrypt/README.md`.
    ///
    /// Whatever stands in front of it sees the bytes as they are: add it last.
    #[must_use]
    pub fn encrypt(key: &str) -> Self {
        Self::bundled(filters::ENCRYPT, "encrypt").setting("key", key)
    }

    fn bundled(bytes: &'static [u8], name: &str) -> Self {
        Self::new(Source::bundled(bytes, &format!("the filter {name}")), Some(name.to_owned()))
    }

    fn new(source: Source, name: Option<String>) -> Self {
        let grant = FilterGrant::default();
        Self { source, name, settings: Settings::default(), grant, limits: None }
    }

    /// The name that errors call it by.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// A setting that it reads through `wasi:config/store`. It sees no one else's.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.set(name, value);
        self
    }

    /// How much it may make of what it is given.
    #[must_use]
    pub fn grant(mut self, grant: FilterGrant) -> Self {
        self.grant = grant;
        self
    }

    /// How much it may make of what it is given, as it stands.
    #[must_use]
    pub fn granted(&self) -> &FilterGrant {
        &self.grant
    }

    /// What it may use, where that is not what the sandbox allows: memory (at most the
    /// sandbox's) for one artifact, fuel and bytes handed to the host for one chunk.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// What errors call it.
    pub(crate) fn called(&self) -> String {
        self.name.as_ref().map_or("the filter".to_owned(), |name| format!("the filter {name:?}"))
    }

    pub(crate) async fn prepare(&self, sandbox: &Sandbox) -> Result<PreparedFilter, Error> {
        let source = self.source.called(&self.called());
        let pre = source.compile(sandbox, World::ContentFilter, Vec::new(), ContentFilterPre::new);
        Ok(PreparedFilter { pre: pre.await?, trusted: self.source.is_trusted() })
    }

    pub(crate) fn in_front_of(
        &self,
        next: Arc<dyn Link>,
        sandbox: &Sandbox,
        ready: (PreparedFilter, Arc<Supervisor>),
    ) -> Arc<dyn Link> {
        let (component, supervisor) = ready;
        let coding = Coding {
            place: Arc::new(Place::alone(self.called().into(), self.settings.to_variables())),
            sandbox: sandbox.clone(),
            limits: self.limits.clone().unwrap_or_else(|| sandbox.limits().clone()),
            component,
            grant: self.grant.clone(),
        };
        Arc::new(FilterLayer::new(coding, supervisor, next))
    }
}

/// How much a filter may make of what it is given.
///
/// ```
/// use artifact_store::FilterGrant;
///
/// let grant = FilterGrant::default().growth(1100).output_bytes(1 << 30);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterGrant {
    pub(crate) growth: u32,
    pub(crate) output_bytes: u64,
}

impl Default for FilterGrant {
    fn default() -> Self {
        Self { growth: 4, output_bytes: 5 << 30 }
    }
}

impl FilterGrant {
    /// Bytes that it may give for each byte that it was given, besides 64 KiB for
    /// what stands before and after.
    ///
    /// Stops a filter that turns a little into as much as the storage, or the reader's
    /// disk, will take: a decompression bomb. Default 4.
    #[must_use]
    pub fn growth(mut self, times: u32) -> Self {
        self.growth = times;
        self
    }

    /// Bytes that it may give for one artifact in either direction.
    ///
    /// Stops the same where the artifact is large to begin with. Default 5 GiB, which
    /// is the most that one `PutObject` takes.
    #[must_use]
    pub fn output_bytes(mut self, at_most: u64) -> Self {
        self.output_bytes = at_most;
        self
    }
}
