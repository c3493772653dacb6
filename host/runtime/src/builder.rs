use std::{
    sync::{Arc, RwLock, atomic::AtomicBool},
    time::Duration,
};

use artifact_s3::{Bucket, HttpS3, S3Client};
use tokio::sync::Mutex;

use crate::{
    ArtifactStore, Error, Filter, Policy, Sandbox, StoreComponent, Supervision,
    artifact_store::Running,
    error::{Blame, ErrorKind},
    grant::Grant,
    limits::DEFAULT_DEADLINE,
    names,
    plan::{Added, Plan},
    settings::Settings,
};

/// Configures a store; [`start`](Self::start) checks all of it.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), artifact_store::Error> {
/// use artifact_store::{ArtifactStore, s3::MemoryS3};
///
/// let store = ArtifactStore::builder()
///     .bucket("my-artifacts") // required
///     .prefix("asm/")         // default: none
///     .client(MemoryS3::new()) // default: HttpS3, configured by the environment
///     .name("artifact-store") // default: none
///     .start()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "nothing happens before `start`"]
pub struct StoreBuilder {
    bucket: Option<String>,
    prefix: String,
    name: Option<String>,
    client: Option<Arc<dyn S3Client>>,
    component: Option<StoreComponent>,
    added: Vec<Added>,
    supervision: Supervision,
    settings: Settings,
    sandbox: Option<Sandbox>,
    deadline: Option<Duration>,
}

impl StoreBuilder {
    /// The bucket, which must exist. Required.
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = Some(bucket.into());
        self
    }

    /// What stands before every key, as it is: `asm/` and `k` make `asm/k`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Who makes the S3 calls. Without one: [`HttpS3::from_env`].
    pub fn client(self, client: impl S3Client) -> Self {
        self.shared_client(Arc::new(client))
    }

    /// A client that other stores use as well.
    pub fn shared_client(mut self, client: Arc<dyn S3Client>) -> Self {
        self.client = Some(client);
        self
    }

    /// The name that [`ArtifactStore::named`] finds the store by.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The component that decides. Without one: [`StoreComponent::bundled`].
    pub fn component(mut self, component: StoreComponent) -> Self {
        self.component = Some(component);
        self
    }

    /// A policy in front of the store. The first one that is added meets a call
    /// first; each stands in front of the next, and the store component is last.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.added.push(Added::Policy(policy, None));
        self
    }

    /// A filter in front of the store, in the same order as the policies: those that
    /// are added before it see the caller's bytes, those after it the filter's.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.added.push(Added::Filter(filter, None));
        self
    }

    /// When a policy or filter that keeps failing is set aside. Default:
    /// [`Supervision::default`].
    pub fn supervision(mut self, supervision: Supervision) -> Self {
        self.supervision = supervision;
        self
    }

    /// A setting that the store component reads through `wasi:config/store`.
    ///
    /// `bucket` and `prefix` are set by the builder's own methods.
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.set(name, value);
        self
    }

    /// Where the component runs. Without one: [`Sandbox::shared`].
    pub fn sandbox(mut self, sandbox: Sandbox) -> Self {
        self.sandbox = Some(sandbox);
        self
    }

    /// How long one call may take until its answer; default one hour.
    ///
    /// A put counts until all of its bytes are stored; a get until the first can
    /// be read. A service that falls silent is noticed by the S3 client, long
    /// before; this bounds a call that goes on and on.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Checks the configuration and the component, and starts the store.
    ///
    /// Nothing is sent: whether bucket and credentials are right shows in the
    /// first call.
    pub async fn start(self) -> Result<ArtifactStore, Error> {
        let bucket = self
            .bucket
            .ok_or_else(|| Error::config("a store needs a bucket: call `bucket` on the builder"))?;
        let bucket = Bucket::parse(bucket)
            .map_err(|error| Error::config(error.to_string()).caused_by(error))?;
        let grant = Grant::new(bucket, self.prefix).map_err(Error::config)?;
        let mut settings = self.settings;
        if let Some(name) = settings.names().find(|name| matches!(*name, "bucket" | "prefix")) {
            return Err(Error::config(format!(
                "the setting `{name}` belongs to the store: call `{name}` on the builder"
            )));
        }
        settings.set("bucket", grant.bucket().as_str());
        settings.set("prefix", grant.prefix());
        let client = match self.client {
            Some(client) => client,
            None => Arc::new(HttpS3::from_env().await.map_err(|error| {
                Error::config("the S3 client cannot be configured by the environment")
                    .caused_by(error)
            })?),
        };
        let sandbox = match self.sandbox {
            Some(sandbox) => sandbox,
            None => Sandbox::shared()?,
        };
        let grant = Arc::new(grant);
        let mut plan = Plan {
            grant: Arc::clone(&grant),
            client: Arc::clone(&client),
            sandbox: sandbox.clone(),
            component: self.component.unwrap_or_else(StoreComponent::bundled),
            settings: settings.to_variables(),
            added: self.added,
            supervision: self.supervision,
            ready: None,
        };
        let chain = plan.build().await?;
        let running = Arc::new(Running {
            name: self.name,
            grant,
            client,
            sandbox,
            chain: RwLock::new(Arc::new(chain)),
            plan: Mutex::new(plan),
            deadline: self.deadline.unwrap_or(DEFAULT_DEADLINE),
            stopped: AtomicBool::new(false),
        });
        if let Some(name) = &running.name
            && !names::register(name, &running)
        {
            return Err(Error::new(
                ErrorKind::NameInUse,
                Blame::Caller,
                format!("a store named {name:?} runs already: take another name, or stop that one"),
            ));
        }
        Ok(ArtifactStore::new(running))
    }
}
