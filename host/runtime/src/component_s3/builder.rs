use std::{collections::BTreeMap, path::Path, sync::Arc};

use super::{ComponentS3, bindings::S3ClientPre, host::Host};
use crate::{Error, Limits, Sandbox, component::Source, layer::Place, world::World};

/// Configures a client; [`start`](Self::start) checks all of it.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `start`"]
pub struct ComponentS3Builder {
    source: Source,
    name: Option<String>,
    settings: BTreeMap<String, String>,
    limits: Option<Limits>,
    sandbox: Option<Sandbox>,
}

impl ComponentS3Builder {
    pub(super) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self::new(Source::from_bytes(bytes, "the S3 client"), None)
    }

    pub(super) async fn from_file(path: &Path) -> Result<Self, Error> {
        let source = Source::from_file(path, "the S3 client").await?;
        Ok(Self::new(source, path.file_stem().map(|name| name.to_string_lossy().into_owned())))
    }

    fn new(source: Source, name: Option<String>) -> Self {
        Self { source, name, settings: BTreeMap::new(), limits: None, sandbox: None }
    }

    /// The name that errors call it by.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// A setting that it reads through `wasi:config/store`.
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// What it may use. Memory (at most the sandbox's) and tables are for its life, fuel
    /// and bytes handed to the host for each call into it, handles for the bodies that are
    /// open at one time. `s3_calls` and `concurrent_calls` mean nothing to it.
    ///
    /// Without: those of the sandbox, but as many handles as that has room for calls.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Where it runs. Without one: [`Sandbox::shared`].
    pub fn sandbox(mut self, sandbox: Sandbox) -> Self {
        self.sandbox = Some(sandbox);
        self
    }

    /// Checks the component and makes its instance.
    pub async fn start(self) -> Result<ComponentS3, Error> {
        let Self { source, name, settings, limits, sandbox } = self;
        let name: Arc<str> = match name {
            Some(name) => format!("the S3 client {name:?}").into(),
            None => "the S3 client".into(),
        };
        let sandbox = match sandbox {
            Some(sandbox) => sandbox,
            None => Sandbox::shared()?,
        };
        let limits = limits.unwrap_or_else(|| {
            let shared = sandbox.limits().clone();
            let handles = shared.handles.max(shared.concurrent_calls as usize);
            Limits { handles, ..shared }
        });
        let (asked, most) = (limits.memory_bytes, sandbox.limits().memory_bytes);
        if asked > most {
            return Err(Error::config(format!(
                "{name} is to have {asked} bytes of memory, and a component of the sandbox has at \
                 most {most}: raise `memory_bytes` of the sandbox's limits"
            )));
        }
        let pre = source.compile(&sandbox, World::S3Client, Vec::new(), S3ClientPre::new).await?;
        let room = sandbox.room_to_stay().await?;
        let place = Place::alone(name, Arc::new(settings.into_iter().collect()));
        let host = Host::new(place, sandbox, limits, pre, room);
        host.run(|_| Box::pin(async { Ok(()) })).await.map_err(|error| {
            Error::config(format!("no instance of {} can be made", host.place.name))
                .caused_by(error)
        })?;
        Ok(ComponentS3(host))
    }
}
