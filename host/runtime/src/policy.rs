use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

use artifact_guests::policies;

use crate::{
    Error, Limits, Operation, Sandbox,
    component::Source,
    error::{Blame, ErrorKind},
    layer::{Beneath, Layer},
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
        Ok(Layer {
            name: self.name.map_or("the policy".to_owned(), |name| format!("the policy {name:?}")),
            sandbox: sandbox.clone(),
            limits: self.limits.unwrap_or_else(|| sandbox.limits().clone()),
            component: self.source.compile(sandbox, World::Policy).await?,
            settings: Arc::new(self.settings.into_iter().collect()),
            beneath: Beneath::Store { grant: Arc::new(self.grant), next },
        })
    }
}

/// What a policy may do on the store behind it. Deny by default.
///
/// ```
/// use artifact_store::{Operation, PolicyGrant};
///
/// let reader = PolicyGrant::none().operations([Operation::Get, Operation::Head]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyGrant {
    operations: HashSet<Operation>,
    keys_under: String,
    next_calls: usize,
    wall_time: Option<Duration>,
}

impl PolicyGrant {
    /// Nothing: a policy with it can only refuse.
    #[must_use]
    pub fn none() -> Self {
        Self {
            operations: HashSet::new(),
            keys_under: String::new(),
            next_calls: 8,
            wall_time: None,
        }
    }

    /// Every operation, on every key of the store. For a policy that is trusted to
    /// do what it says.
    #[must_use]
    pub fn all() -> Self {
        use Operation::{Delete, Get, Head, List, Put};
        Self::none().operations([Put, Get, Head, Delete, List])
    }

    /// The operations that it may call, whatever it was called for itself.
    ///
    /// Stops a policy that deletes while it is asked to put. Default: none.
    #[must_use]
    pub fn operations(mut self, operations: impl IntoIterator<Item = Operation>) -> Self {
        self.operations = operations.into_iter().collect();
        self
    }

    /// The beginning of every key that it may name, and of every listing.
    ///
    /// Stops a policy of one tenant that reaches for another's artifacts. Default:
    /// empty, which is every key of the store.
    #[must_use]
    pub fn keys_under(mut self, prefix: impl Into<String>) -> Self {
        self.keys_under = prefix.into();
        self
    }

    /// Calls of the next store in one call of its own.
    ///
    /// Stops a policy that turns one request into thousands. Default 8: a put that
    /// looks first, and its like, take two or three.
    #[must_use]
    pub fn next_calls(mut self, calls: usize) -> Self {
        self.next_calls = calls;
        self
    }

    /// How long one call of it may take until its answer, with all that it calls.
    ///
    /// Stops a policy that asks the next store again and again, each time within its
    /// other limits, while its caller waits. Default: none but the store's own
    /// [`deadline`](crate::StoreBuilder::deadline), since a put takes as long as
    /// its bytes do.
    #[must_use]
    pub fn wall_time(mut self, at_most: Duration) -> Self {
        self.wall_time = Some(at_most);
        self
    }

    pub(crate) fn max_next_calls(&self) -> usize {
        self.next_calls
    }

    pub(crate) fn max_wall_time(&self) -> Option<Duration> {
        self.wall_time
    }

    /// Whether the policy may make this call; `key` is a listing's prefix, too.
    pub(crate) fn admit(&self, operation: Operation, key: &str) -> Result<(), Error> {
        let refusal = if !self.operations.contains(&operation) {
            format!("the operation `{}`", operation.as_str())
        } else if !key.starts_with(&self.keys_under) {
            format!("keys that do not begin with {:?}", self.keys_under)
        } else {
            return Ok(());
        };
        let message = format!("not granted: {refusal}");
        Err(Error::new(ErrorKind::PolicyDenied, Blame::Policy, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_granted_by_default() {
        for operation in [Operation::Put, Operation::Get, Operation::List] {
            assert!(PolicyGrant::none().admit(operation, "k").is_err());
        }
        let grant = PolicyGrant::none().operations([Operation::Get]).keys_under("a/");
        assert!(grant.admit(Operation::Get, "a/k").is_ok());
        let refusal = |operation, key| grant.admit(operation, key).unwrap_err().to_string();
        assert_eq!(refusal(Operation::Put, "a/k"), "not granted: the operation `put`");
        assert_eq!(
            refusal(Operation::Get, "b/k"),
            r#"not granted: keys that do not begin with "a/""#
        );
    }
}
