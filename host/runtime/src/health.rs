use std::time::Duration;

/// How the policies and filters of a store fare, in the order of the chain.
///
/// Source: [`ArtifactStore::health`](crate::ArtifactStore::health).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// One for each, the one that meets a put first before the others.
    pub policies: Vec<PolicyHealth>,
}

impl Health {
    /// Whether all of them serve.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.policies.iter().all(|policy| policy.state == PolicyState::Serving)
    }
}

/// How one policy or filter fares in one store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyHealth {
    /// What errors call it: `the policy "tenant"`.
    pub name: String,
    /// Whether it is called.
    pub state: PolicyState,
    /// Calls of it so far.
    pub calls: u64,
    /// How many of them it failed itself; refusals are none.
    pub failures: u64,
    /// What the last failure said.
    pub last_failure: Option<String>,
}

/// Whether a policy or filter is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyState {
    /// It is.
    Serving,
    /// It kept failing and is left alone for so long.
    SetAside {
        /// Until a call tries it again.
        retry_in: Duration,
    },
    /// One call is trying it; the others still fail.
    Probing,
}
