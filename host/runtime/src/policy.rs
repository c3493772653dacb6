use std::{path::Path, sync::Arc};

use artifact_guests::policies;

use crate::{
    Error, Instances, Limits, Operation, PolicyGrant, Sandbox,
    component::{Prepared, Source},
    layer::{Beneath, Layer, Place},
    link::Link,
    log_import::Log,
    settings::Settings,
    supervisor::Supervisor,
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
    pub(crate) source: Source,
    pub(crate) name: Option<String>,
    settings: Settings,
    grant: PolicyGrant,
    limits: Option<Limits>,
    instances: Instances,
    on_failure: OnFailure,
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

    /// The bundled policy `content-addressed`, with every operation and the digest
    /// granted: the last segment of a key must be the SHA-256 of the bytes, or, with
    /// the setting `mode` = `assign`, becomes it where it is `{sha256}`. See
    /// `guest/policies/content-addressed/README.md`.
    #[must_use]
    pub fn content_addressed() -> Self {
        Self::bundled(policies::CONTENT_ADDRESSED, "content-addressed")
            .grant(PolicyGrant::all().digest(true))
    }

    /// The bundled policy `retention`, with every operation and the clock granted:
    /// artifacts are neither overwritten nor deleted before a date. Its settings are
    /// `keep-for` and `keep-until`; without either it refuses every call. See
    /// `guest/policies/retention/README.md`.
    ///
    /// ```
    /// let policy = artifact_store::Policy::retention().setting("keep-for", "30d");
    /// ```
    #[must_use]
    pub fn retention() -> Self {
        Self::bundled(policies::RETENTION, "retention").grant(PolicyGrant::all().clock(true))
    }

    /// The bundled policy `audit`, with every operation granted: writes one record of
    /// every call through `tracing`, up to 100 in a second; the grant of `log` says
    /// otherwise. See `guest/policies/audit/README.md`.
    #[must_use]
    pub fn audit() -> Self {
        Self::bundled(policies::AUDIT, "audit").grant(PolicyGrant::all().log(100))
    }

    fn bundled(bytes: &'static [u8], name: &str) -> Self {
        Self::new(Source::bundled(bytes, &format!("the policy {name}")), Some(name.to_owned()))
    }

    fn new(source: Source, name: Option<String>) -> Self {
        Self {
            source,
            name,
            settings: Settings::default(),
            grant: PolicyGrant::none(),
            limits: None,
            instances: Instances::Fresh,
            on_failure: OnFailure::Closed,
        }
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
        self.settings.set(name, value);
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

    /// What instances its calls are made into. Default: [`Instances::Fresh`], also for
    /// the bundled ones.
    #[must_use]
    pub fn instances(mut self, instances: Instances) -> Self {
        self.instances = instances;
        self
    }

    /// What happens to a call of it that it fails itself. Default:
    /// [`OnFailure::Closed`].
    #[must_use]
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    /// What errors call it.
    pub(crate) fn called(&self) -> String {
        self.name.as_ref().map_or("the policy".to_owned(), |name| format!("the policy {name:?}"))
    }

    pub(crate) async fn prepare(&self, sandbox: &Sandbox) -> Result<Prepared, Error> {
        let source = self.source.called(&self.called());
        let prepared = source.prepare(sandbox, World::Policy, self.grant.imports()).await?;
        Ok(prepared.with(self.instances, sandbox))
    }

    pub(crate) fn in_front_of(
        &self,
        next: Arc<dyn Link>,
        sandbox: &Sandbox,
        ready: (Prepared, Arc<Supervisor>),
    ) -> Arc<dyn Link> {
        let (component, supervisor) = ready;
        let (name, grant) = (self.called(), self.grant.clone());
        Arc::new(Layer {
            place: Arc::new(Place {
                settings: self.settings.to_variables(),
                log: grant.records_per_second().map(|rate| Log::new(&name, rate)),
                beneath: Beneath::Store { grant, next },
                name: name.into(),
            }),
            sandbox: sandbox.clone(),
            limits: self.limits.clone().unwrap_or_else(|| sandbox.limits().clone()),
            component,
            supervisor: Some(supervisor),
            on_failure: self.on_failure,
        })
    }
}

/// What happens to a call when a policy fails it: when it traps, goes over a limit, or
/// is set aside. A refusal is no failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The call fails. What a policy is there to refuse stays refused.
    #[default]
    Closed,
    /// The call goes on without the policy, as if it were not there.
    ///
    /// For policies that nothing depends on, such as one that writes records. It may
    /// never change a key: the host refuses its calls of the next store under any key
    /// but the one that it was called with, or a put without it would store somewhere
    /// else. A write that it had begun fails all the same, since it may have happened.
    Open,
}
