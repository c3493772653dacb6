use std::{future::Future, sync::Arc};

use artifact_s3::{Object, S3Client};
use wasmtime_wasi_config::WasiConfigVariables;

use crate::{
    Body, DeleteOptions, Error, GetOptions, Limits, ListOptions, Listing, ObjectInfo, PolicyGrant,
    PutOptions, Sandbox, WriteCondition,
    component::Prepared,
    error::Blame,
    grant::Grant,
    instance::{Instance, Waiting, WaitsFor},
    log_import::Log,
};

/// One component of a store's chain: a policy, or the store component at its end.
pub(crate) struct Layer {
    /// How errors name it.
    pub(crate) name: String,
    pub(crate) sandbox: Sandbox,
    pub(crate) limits: Limits,
    pub(crate) component: Prepared,
    pub(crate) settings: Arc<WasiConfigVariables>,
    /// Where its records go, if it may write any.
    pub(crate) log: Option<Arc<Log>>,
    pub(crate) beneath: Beneath,
}

/// What a component's calls lead to.
#[derive(Clone)]
pub(crate) enum Beneath {
    /// S3, for the store component.
    S3 { grant: Arc<Grant>, client: Arc<dyn S3Client> },
    /// The next component in the chain, for a policy.
    Store { grant: Arc<PolicyGrant>, next: Arc<Layer> },
}

/// The five calls, each into a fresh [`Instance`].
impl Layer {
    /// How many instances one call takes: this one, and those beneath.
    pub(crate) fn depth(&self) -> u32 {
        match &self.beneath {
            Beneath::S3 { .. } => 1,
            Beneath::Store { next, .. } => 1 + next.depth(),
        }
    }

    /// Makes one instance of each component and drops it: whether calls can work
    /// at all.
    pub(crate) async fn try_out(&self) -> Result<(), Error> {
        let mut layer = Some(self);
        while let Some(tried) = layer {
            Instance::new(tried, Waiting::default()).await.map_err(|error| {
                Error::config(format!("no instance of {} can be made", tried.name)).caused_by(error)
            })?;
            layer = match &tried.beneath {
                Beneath::S3 { .. } => None,
                Beneath::Store { next, .. } => Some(next),
            };
        }
        Ok(())
    }

    pub(crate) async fn put(
        &self,
        key: &str,
        body: Body,
        options: &PutOptions,
        waiting: Waiting,
    ) -> Result<ObjectInfo, Error> {
        let call = async {
            let mut instance = Instance::new(self, waiting.clone()).await?;
            let (body, number) = instance.lend(body)?;
            let store = instance.guest.agent_artifacts_store();
            let options = options.clone().into();
            let answer = store.call_put(&mut instance.store, key, body, &options).await;
            let receipt = instance.answer(answer)?;
            let receipt = instance.reclaim(receipt)?;
            if receipt.body_id == Some(number) {
                Ok(receipt.info)
            } else {
                Err(self.failed("gave a receipt that belongs to another body"))
            }
        };
        self.in_time(call, &waiting, options.condition == WriteCondition::Unconditional).await
    }

    pub(crate) async fn get(
        &self,
        key: &str,
        options: &GetOptions,
        waiting: Waiting,
    ) -> Result<Object, Error> {
        let call = async {
            let mut instance = Instance::new(self, waiting.clone()).await?;
            let store = instance.guest.agent_artifacts_store();
            let options = options.clone().into();
            let answer = store.call_get(&mut instance.store, key, &options).await;
            let object = instance.answer(answer)?;
            let body = instance.reclaim(object.body)?.body;
            Ok(Object { info: object.info.into(), body })
        };
        self.in_time(call, &waiting, true).await
    }

    pub(crate) async fn head(
        &self,
        key: &str,
        options: &GetOptions,
        waiting: Waiting,
    ) -> Result<ObjectInfo, Error> {
        let call = async {
            let mut instance = Instance::new(self, waiting.clone()).await?;
            let store = instance.guest.agent_artifacts_store();
            let options = options.clone().into();
            let answer = store.call_head(&mut instance.store, key, &options).await;
            instance.answer(answer).map(Into::into)
        };
        self.in_time(call, &waiting, true).await
    }

    pub(crate) async fn delete(
        &self,
        key: &str,
        options: &DeleteOptions,
        waiting: Waiting,
    ) -> Result<(), Error> {
        let call = async {
            let mut instance = Instance::new(self, waiting.clone()).await?;
            let store = instance.guest.agent_artifacts_store();
            let options = options.clone().into();
            let answer = store.call_delete(&mut instance.store, key, &options).await;
            instance.answer(answer)
        };
        self.in_time(call, &waiting, true).await
    }

    pub(crate) async fn list(
        &self,
        options: &ListOptions,
        waiting: Waiting,
    ) -> Result<Listing, Error> {
        let call = async {
            let mut instance = Instance::new(self, waiting.clone()).await?;
            let store = instance.guest.agent_artifacts_store();
            let options = options.clone().into();
            let answer = store.call_list(&mut instance.store, &options).await;
            instance.answer(answer).map(Into::into)
        };
        self.in_time(call, &waiting, true).await
    }

    /// The call, within the wall time that is granted for it.
    async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, Error>>,
        waiting: &Waiting,
        repeatable: bool,
    ) -> Result<T, Error> {
        let granted = match &self.beneath {
            Beneath::S3 { .. } => None,
            Beneath::Store { grant, .. } => grant.max_wall_time(),
        };
        let Some(allowed) = granted else { return call.await };
        tokio::time::timeout(allowed, call).await.unwrap_or_else(|_| {
            let blame = match waiting.now() {
                WaitsFor::Storage => Blame::Storage,
                WaitsFor::Room | WaitsFor::Component => Blame::Policy,
            };
            // What waits now is the component in front of this one.
            waiting.set(WaitsFor::Component);
            let message = format!(
                "{} went over its limit of wall time: allowed {allowed:?}, asked for more",
                self.name
            );
            Err(Error::new(crate::ErrorKind::Timeout, blame, message).retryable(repeatable))
        })
    }

    /// The component's own failure.
    pub(crate) fn failed(&self, what: &str) -> Error {
        let message = format!("{} {what}", self.name);
        Error::new(crate::ErrorKind::PolicyFailed, Blame::Policy, message)
    }
}
