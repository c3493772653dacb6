use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use artifact_compiled::CompileError;
use bytes::Bytes;
use tokio::io::AsyncReadExt;
use wasmtime::component::InstancePre;

use crate::{
    Error, Inspection, Instances, Sandbox,
    guest::GuestPre,
    instance::CallState,
    instances::Idle,
    world::{Import, World},
};

/// A component that implements the world `artifact-store`: it decides what
/// objects are called, and what errors mean.
///
/// - It is a binary component of at most [`MAX_BYTES`](Self::MAX_BYTES): no core
///   module, no text, nothing precompiled (which could hold any machine code).
/// - It imports nothing but what its world names.
/// - It exports `agent:artifacts/store`.
///
/// All of it is checked when the store starts.
#[derive(Clone, Debug)]
pub struct StoreComponent {
    source: Source,
    instances: Instances,
}

impl StoreComponent {
    /// The largest component that is taken: compiling costs time and memory in
    /// proportion. One that carries an interpreter has 12 to 18 MB.
    pub const MAX_BYTES: usize = 32 << 20;

    /// The component that comes with this library: it puts the prefix before
    /// keys and maps errors. It keeps nothing, so the calls of all stores of a sandbox
    /// share its instances.
    #[must_use]
    pub fn bundled() -> Self {
        let source = Source::bundled(artifact_guests::STORE, "the bundled component");
        Self { source, instances: Instances::Reused }
    }

    /// A component from memory. It is checked at the start of the store.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        let source = Source::from_bytes(bytes.into(), "the component");
        Self { source, instances: Instances::Fresh }
    }

    /// A component from a file.
    pub async fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let source = Source::from_file(path.as_ref(), "the component").await?;
        Ok(Self { source, instances: Instances::Fresh })
    }

    /// What instances its calls are made into. Default: [`Instances::Reused`] for the
    /// bundled one, and [`Instances::Fresh`] for any other.
    #[must_use]
    pub fn instances(mut self, instances: Instances) -> Self {
        self.instances = instances;
        self
    }

    /// Compiles it; what came with this library is compiled once for a sandbox.
    pub(crate) async fn prepare(&self, sandbox: &Sandbox) -> Result<Prepared, Error> {
        let compile = || self.source.prepare(sandbox, World::ArtifactStore, Vec::new());
        let shared = || async { Ok(compile().await?.with(Instances::Reused, sandbox)) };
        let prepared =
            if self.source.trusted { sandbox.bundled(shared).await } else { compile().await };
        Ok(prepared?.with(self.instances, sandbox))
    }

    /// Reads the file again that it is from; whether that has changed.
    pub(crate) async fn read_again(&mut self) -> Result<bool, Error> {
        self.source.read_again().await
    }
}

/// A component's bytes, and where they are from.
#[derive(Clone)]
pub(crate) struct Source {
    bytes: Bytes,
    /// The file that it is from.
    path: Option<PathBuf>,
    origin: String,
    trusted: bool,
}

impl Source {
    /// One of ours: what it says of a caller's key is believed.
    pub(crate) fn bundled(bytes: &'static [u8], what: &str) -> Self {
        let bytes = Bytes::from_static(bytes);
        Self { bytes, path: None, origin: what.to_owned(), trusted: true }
    }

    pub(crate) fn from_bytes(bytes: Vec<u8>, what: &str) -> Self {
        Self { bytes: bytes.into(), path: None, origin: what.to_owned(), trusted: false }
    }

    pub(crate) async fn from_file(path: &Path, what: &str) -> Result<Self, Error> {
        let origin = format!("{what} {}", path.display());
        let bytes = read(path, &origin).await?;
        Ok(Self { bytes, path: Some(path.to_owned()), origin, trusted: false })
    }

    pub(crate) fn inspect(&self) -> Result<Inspection, Error> {
        let Self { bytes, origin, .. } = self;
        if bytes.len() > StoreComponent::MAX_BYTES {
            return Err(too_large(origin, bytes.len() as u64));
        }
        Inspection::read(bytes, origin)
    }

    /// As errors name it from now on; one from a file is named after that.
    pub(crate) fn called(&self, name: &str) -> Self {
        let mut source = self.clone();
        if self.path.is_none() && !self.trusted {
            name.clone_into(&mut source.origin);
        }
        source
    }

    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// Reads the file again that it is from; whether that has changed.
    pub(crate) async fn read_again(&mut self) -> Result<bool, Error> {
        let Some(path) = &self.path else { return Ok(false) };
        let bytes = read(path, &self.origin).await?;
        let changed = self.bytes != bytes;
        self.bytes = bytes;
        Ok(changed)
    }

    /// Compiles a component of a world that a store's chain is made of.
    pub(crate) async fn prepare(
        &self,
        sandbox: &Sandbox,
        world: World,
        granted: Vec<Import>,
    ) -> Result<Prepared, Error> {
        let pre = self.compile(sandbox, world, granted, GuestPre::new).await?;
        Ok(Prepared { pre, trusted: self.trusted, idle: None })
    }

    /// Compiles it, away from the async threads, and checks what it is; `typed` finds
    /// the exports of its world.
    pub(crate) async fn compile<T: Send + 'static>(
        &self,
        sandbox: &Sandbox,
        world: World,
        granted: Vec<Import>,
        typed: fn(InstancePre<CallState>) -> wasmtime::Result<T>,
    ) -> Result<T, Error> {
        // Compiling costs; what can be told without it is told first.
        let (source, asked) = (self.clone(), granted.clone());
        blocking(move || source.inspect()?.check(world, &asked)).await?;
        let compiler =
            if self.trusted { &sandbox.compiler().in_process() } else { sandbox.compiler() };
        let component = compiler.compile(sandbox.engine(), self.bytes.clone()).await;
        let component = component.map_err(|error| self.uncompiled(error))?;
        let (source, sandbox) = (self.clone(), sandbox.clone());
        blocking(move || {
            let unfit = |error: wasmtime::Error| source.unfit(world, error);
            let pre = sandbox.linker(world, &granted).instantiate_pre(&component).map_err(unfit)?;
            typed(pre).map_err(unfit)
        })
        .await
    }

    fn uncompiled(&self, error: CompileError) -> Error {
        let origin = &self.origin;
        match error {
            CompileError::Invalid(why) => {
                Error::config(format!("{origin} is not valid")).caused_by(why)
            }
            error => {
                Error::config(format!("{origin} cannot be compiled: {error}")).caused_by(error)
            }
        }
    }

    fn unfit(&self, world: World, error: wasmtime::Error) -> Error {
        let (origin, world) = (&self.origin, world.name());
        Error::config(format!("{origin} does not fit the world `{world}`")).caused_by(error)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("origin", &self.origin)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// A component that was compiled and checked: instances are made from it.
#[derive(Clone)]
pub(crate) struct Prepared {
    pub(crate) pre: GuestPre,
    /// Ours: what it says of a caller's key is believed.
    pub(crate) trusted: bool,
    /// Instances that wait for a call, where it is reused.
    pub(crate) idle: Option<Arc<Idle>>,
}

impl Prepared {
    pub(crate) fn with(mut self, instances: Instances, sandbox: &Sandbox) -> Self {
        match instances {
            Instances::Fresh => self.idle = None,
            Instances::Reused if self.idle.is_some() => {}
            Instances::Reused => self.idle = Some(Arc::new(sandbox.idle())),
        }
        self
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|panic| {
        Err(Error::config("the component cannot be compiled").caused_by(panic))
    })
}

fn too_large(origin: &str, bytes: u64) -> Error {
    Error::config(format!(
        "{origin} has {bytes} bytes, and at most {} are taken",
        StoreComponent::MAX_BYTES
    ))
}

async fn read(path: &Path, origin: &str) -> Result<Bytes, Error> {
    let unreadable = |error| Error::config(format!("{origin} cannot be read")).caused_by(error);
    let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
    let size = file.metadata().await.map_err(unreadable)?.len();
    // A device tells no size, and may have no end.
    let mut bytes = Vec::new();
    let most = StoreComponent::MAX_BYTES as u64;
    file.take(most + 1).read_to_end(&mut bytes).await.map_err(unreadable)?;
    if bytes.len() as u64 > most {
        return Err(too_large(origin, size.max(most + 1)));
    }
    Ok(bytes.into())
}
