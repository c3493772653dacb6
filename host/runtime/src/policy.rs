use std::{collections::BTreeMap, path::Path, sync::Arc};

use artifact_guests::policies;

use crate::{
    Error, Limits, Operation, PolicyGrant, Sandbox,
    component::Source,
    layer::{Beneath, Layer},
    log_import::Log,
    world::World,
};

/// A policy in front of a store: a component that allows, denies, renames or
/// describes anew, from somebody who need not be trusted.
///
/// It is of the world `policy`: it imports its settings and the next store, and
/// nothing else. It sees keys, options and errors; bytes it holds as handles, and
/// it knows no bucket. What it may do on the next store, its [`PolicyGrant`] says.
///
/// What it cannot do, whatever it tries: read or make bytes; claim a put that did
/// not happen; touch the caller's call once that has ended; keep anything from
/// one call to the next; go on for ever.
///
/// # Example: let the tenant's own component choose keys under `acme/`
///
/// ```no_run
/// # async fn example() -> Result<(), artifact_store::Error> {
/// use artifact_store::{ArtifactStore, Operation, Policy, PolicyGrant, s3::MemoryS3};
///
/// let grant = PolicyGrant::none()
///     .operations([Operation::Put, Operation::Get])
///     .keys_under("acme/");
/// let policy = Policy::from_file("tenant.wasm").await?.name("acme").grant(grant);
/// let store = ArtifactStore::builder()
///     .bucket("my-artifacts")
///     .client(MemoryS3::new())
///     .policy(policy)
///     .start()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Policy {
    source: Source,
    name: Option<String>,
    settings: BTreeMap<String, String>,
    grant: PolicyGrant,
    limits: Option<Limits>,
}

impl Policy {
    /// A policy from memory. It is checked at the start of the store.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Source::from_bytes(bytes.into(), "the policy"), None)
    }

    /// A policy from a file, named after it.
    pub async fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let source = Source::from_file(path, "the policy").await?;
        Ok(Self::new(source, path.file_stem().map(|name| name.to_string_lossy().into_owned())))
    }

    /// The bundled policy `read-only`, with its grant: refuses put and delete.
    #[must_use]
    pub fn read_only() -> Self {
        use Operation::{Get, Head, List};
        Self::bundled(policies::READ_ONLY, "read-only")
            .grant(PolicyGrant::none().operations([Get, Head, List]))
    }

    /// The bundled policy `tenant`, with its grant: keeps artifacts under
    /// `{tenant}/`, and shows nothing else. The name of the tenant has 1 to 64
    /// letters, digits, `-` and `_`.
    #[must_use]
    pub fn tenant(tenant: &str) -> Self {
        Self::bundled(policies::TENANT, "tenant")
            .setting("tenant", tenant)
            .grant(PolicyGrant::all().keys_under(format!("{tenant}/")))
    }

    /// The bundled policy `key-rules`, with every operation granted: refuses what
    /// its settings (`allow`, `deny`, `max-bytes`, `require-metadata`,
    /// `content-types`) do not allow. See `guest/policies/key-rules/README.md`.
    #[must_use]
    pub fn key_rules() -> Self {
        Self::bundled(policies::KEY_RULES, "key-rules").grant(PolicyGrant::all())
    }

    fn bundled(bytes: &'static [u8], name: &str) -> Self {
        Self::new(Source::bundled(bytes, &format!("the policy {name}")), Some(name.to_owned()))
    }

    fn new(source: Source, name: Option<String>) -> Self {
        Self { source, name, settings: BTreeMap::new(), grant: PolicyGrant::none(), limits: None }
    }

    /// The name that errors call it by.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// A setting that it reads through `wasi:config/store`. It sees no other
    /// policy's, and not the store's.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// What it may do on the next store. Without a grant: nothing.
    #[must_use]
    pub fn grant(mut self, grant: PolicyGrant) -> Self {
        self.grant = grant;
        self
    }

    /// What it may do on the next store, as it stands.
    #[must_use]
    pub fn granted(&self) -> &PolicyGrant {
        &self.grant
    }

    /// What one call of it may use, where that is not what the sandbox allows:
    /// memory (at most the sandbox's), fuel, handles, bytes handed to the host.
    /// `s3_calls` and `concurrent_calls` mean nothing to a policy.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    pub(crate) async fn in_front_of(
        self,
        next: Arc<Layer>,
        sandbox: &Sandbox,
    ) -> Result<Layer, Error> {
        let Self { source, name, settings, grant, limits } = self;
        let name = name.map_or("the policy".to_owned(), |name| format!("the policy {name:?}"));
        Ok(Layer {
            sandbox: sandbox.clone(),
            limits: limits.unwrap_or_else(|| sandbox.limits().clone()),
            component: source.compile(sandbox, World::Policy, grant.imports()).await?,
            settings: Arc::new(settings.into_iter().collect()),
            log: grant.records_per_second().map(|rate| Arc::new(Log::new(&name, rate))),
            beneath: Beneath::Store { grant: Arc::new(grant), next },
            name,
        })
    }
}
