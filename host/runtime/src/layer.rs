use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use artifact_s3::{Object, S3Client};
use async_trait::async_trait;
use wasmtime_wasi_config::WasiConfigVariables;

use crate::{
    Body, DeleteOptions, Error, ErrorKind, GetOptions, Limits, ListOptions, Listing, ObjectInfo,
    OnFailure, PolicyGrant, PutOptions, Sandbox, WriteCondition,
    bindings::agent::artifacts::types as wit,
    component::Prepared,
    error::Blame,
    grant::Grant,
    instance::{Instance, Waiting, WaitsFor},
    link::Link,
    log_import::Log,
    spare::Spare,
    supervisor::Supervisor,
};

/// A component of a store's chain: a policy, or the store component at its end.
pub(crate) struct Layer {
    pub(crate) place: Arc<Place>,
    pub(crate) sandbox: Sandbox,
    pub(crate) limits: Limits,
    pub(crate) component: Prepared,
    /// Who sets it aside where it keeps failing; nobody for the store component.
    pub(crate) supervisor: Option<Arc<Supervisor>>,
    pub(crate) on_failure: OnFailure,
}

/// Where a component stands: all that its instances can reach.
#[derive(Default)]
pub(crate) struct Place {
    /// How errors name the component.
    pub(crate) name: Arc<str>,
    pub(crate) settings: Arc<WasiConfigVariables>,
    /// Where its records go, if it may write any.
    pub(crate) log: Option<Log>,
    pub(crate) beneath: Beneath,
}

impl Place {
    /// For a filter or an S3 client, which hold no handles of the host and reach nothing.
    pub(crate) fn alone(name: Arc<str>, settings: Arc<WasiConfigVariables>) -> Self {
        Self { name, settings, log: None, beneath: Beneath::Nothing }
    }
}

/// What a component's calls lead to.
#[derive(Default)]
pub(crate) enum Beneath {
    /// S3, for the store component.
    S3 { grant: Arc<Grant>, client: Arc<dyn S3Client> },
    /// The next link of the chain, for a policy.
    Store { grant: PolicyGrant, next: Arc<dyn Link> },
    /// Nothing, for a filter.
    #[default]
    Nothing,
}

/// Why a call of a component came to nothing.
pub(crate) enum Fault {
    /// It failed itself, which counts against it.
    Own(Error),
    /// It refused, or something beneath it failed.
    Told(Error),
}

impl Fault {
    pub(crate) fn into_error(self) -> Error {
        let (Self::Own(error) | Self::Told(error)) = self;
        error
    }
}

/// What a call of a component may name, and tells while it runs.
#[derive(Default)]
pub(crate) struct Entry {
    /// Ours: what goes on from it is the caller's, and not of its own making.
    pub(crate) trusted: bool,
    /// Where it fails open.
    pub(crate) open: Option<Open>,
}

/// What is held against a component whose calls go on without it if it fails.
pub(crate) struct Open {
    /// The only key that it may name.
    pub(crate) only_key: String,
    /// Whether it called the next store.
    pub(crate) reached: Arc<AtomicBool>,
}

/// How a call of a component ended that is not an error.
enum Outcome<T> {
    Done(T),
    /// It failed so, and the call goes on without it.
    Without(Arc<dyn Link>, Error),
}

/// Whether making a call again, from its beginning, could do harm.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    Harmless,
    /// What is stored would change, but to the same.
    Repeats,
    /// What the first call did could fail the second.
    Conflicts,
}

/// The five calls, each into an [`Instance`] of its own.
#[async_trait]
impl Link for Layer {
    fn next(&self) -> Option<&Arc<dyn Link>> {
        match &self.place.beneath {
            Beneath::Store { next, .. } => Some(next),
            Beneath::S3 { .. } | Beneath::Nothing => None,
        }
    }

    fn supervisor(&self) -> Option<&Supervisor> {
        self.supervisor.as_deref()
    }

    async fn try_out(&self) -> Result<(), Error> {
        let tried = Instance::fresh(self, Waiting::default(), self.entry("")).await;
        tried.and_then(Instance::check).map_err(|fault| {
            let message = format!("no instance of {} can be made", self.place.name);
            Error::config(message).caused_by(fault.into_error())
        })
    }

    async fn put(
        &self,
        key: &str,
        body: Body,
        options: &PutOptions,
        waiting: Waiting,
    ) -> Result<ObjectInfo, Error> {
        let (body, spare) = match self.on_failure {
            OnFailure::Closed => (body, None),
            OnFailure::Open => Spare::keep(body),
        };
        let again = match options.condition {
            WriteCondition::Unconditional => Again::Repeats,
            _ => Again::Conflicts,
        };
        let call = self.supervised(key, &waiting, again, |mut instance| async move {
            let (body, number) = instance.lend(body)?;
            let options = Box::new(options.clone().into());
            let answer = instance.guest.put(&mut instance.store, key, body, options).await;
            let receipt = instance.answer(answer).and_then(|receipt| instance.reclaim(receipt));
            let stored = receipt.and_then(|receipt| {
                if receipt.body_id == Some(number) {
                    Ok(receipt.info)
                } else {
                    Err(Fault::Own(self.failed("gave a receipt that belongs to another body")))
                }
            });
            instance.end(stored)
        });
        match call.await? {
            Outcome::Done(info) => Ok(info),
            Outcome::Without(next, failure) => match spare.and_then(Spare::take) {
                Some(body) => next.put(key, body, options, waiting).await,
                // Its bytes come once, and were read, for a digest.
                None => Err(failure),
            },
        }
    }

    async fn get(
        &self,
        key: &str,
        options: &GetOptions,
        waiting: Waiting,
    ) -> Result<Object, Error> {
        let call = self.supervised(key, &waiting, Again::Harmless, |mut instance| async move {
            let options = Box::new(options.clone().into());
            let answer = instance.guest.get(&mut instance.store, key, options).await;
            let opened = instance.answer(answer).and_then(|object| {
                let body = instance.reclaim(object.body)?.body;
                Ok(Object { info: self.described(object.info)?, body })
            });
            instance.end(opened)
        });
        match call.await? {
            Outcome::Done(object) => Ok(object),
            Outcome::Without(next, _) => next.get(key, options, waiting).await,
        }
    }

    async fn head(
        &self,
        key: &str,
        options: &GetOptions,
        waiting: Waiting,
    ) -> Result<ObjectInfo, Error> {
        let call = self.supervised(key, &waiting, Again::Harmless, |mut instance| async move {
            let options = Box::new(options.clone().into());
            let answer = instance.guest.head(&mut instance.store, key, options).await;
            let described = instance.answer(answer).and_then(|info| self.described(info));
            instance.end(described)
        });
        match call.await? {
            Outcome::Done(info) => Ok(info),
            Outcome::Without(next, _) => next.head(key, options, waiting).await,
        }
    }

    async fn delete(
        &self,
        key: &str,
        options: &DeleteOptions,
        waiting: Waiting,
    ) -> Result<(), Error> {
        let call = self.supervised(key, &waiting, Again::Repeats, |mut instance| async move {
            let options = Box::new(options.clone().into());
            let answer = instance.guest.delete(&mut instance.store, key, options).await;
            let deleted = instance.answer(answer);
            instance.end(deleted)
        });
        match call.await? {
            Outcome::Done(()) => Ok(()),
            Outcome::Without(next, _) => next.delete(key, options, waiting).await,
        }
    }

    async fn list(&self, options: &ListOptions, waiting: Waiting) -> Result<Listing, Error> {
        let call = self.supervised(
            &options.prefix,
            &waiting,
            Again::Harmless,
            |mut instance| async move {
                let options = Box::new(options.clone().into());
                let answer = instance.guest.list(&mut instance.store, options).await;
                let listed = instance.answer(answer).map(Into::into);
                instance.end(listed)
            },
        );
        match call.await? {
            Outcome::Done(listing) => Ok(listing),
            Outcome::Without(next, _) => next.list(options, waiting).await,
        }
    }
}

impl Layer {
    fn entry(&self, key: &str) -> Entry {
        let open = (self.on_failure == OnFailure::Open)
            .then(|| Open { only_key: key.to_owned(), reached: Arc::default() });
        Entry { trusted: self.component.trusted, open }
    }

    /// A call into an instance of its own, unless the component is set aside; how it ends is
    /// noted.
    async fn supervised<'a, T, C>(
        &'a self,
        key: &str,
        waiting: &Waiting,
        again: Again,
        call: impl FnOnce(Instance<'a>) -> C,
    ) -> Result<Outcome<T>, Error>
    where
        C: Future<Output = Result<T, Fault>>,
    {
        let entry = self.entry(key);
        let reached = entry.open.as_ref().map(|open| Arc::clone(&open.reached));
        let error = match self.supervisor.as_ref().map(Supervisor::admit).transpose() {
            Err(refusal) => refusal,
            Ok(admission) => {
                let call = pin!(async {
                    let instance = Instance::of(self, waiting.clone(), entry).await?;
                    let outside = instance.store.data().outside.clone();
                    outside.drive(call(instance)).await
                });
                let outcome = self.in_time(call, waiting, again).await;
                if let Some(admission) = admission {
                    admission.noted(outcome.as_ref().err());
                }
                match outcome {
                    Ok(value) => return Ok(Outcome::Done(value)),
                    Err(Fault::Told(error)) => return Err(error),
                    Err(Fault::Own(error)) => error,
                }
            }
        };
        // A write that may have happened is not made a second time.
        let untouched =
            |reached: &AtomicBool| again == Again::Harmless || !reached.load(Ordering::Relaxed);
        match (&self.place.beneath, reached) {
            (Beneath::Store { next, .. }, Some(reached)) if untouched(&reached) => {
                tracing::warn!(component = &*self.place.name, %error, "the call goes on without it");
                Ok(Outcome::Without(Arc::clone(next), error))
            }
            _ => Err(error),
        }
    }

    /// The call, within the wall time that is granted for it.
    async fn in_time<T>(
        &self,
        // Pinned where it is: what is moved from function to function costs.
        call: Pin<&mut impl Future<Output = Result<T, Fault>>>,
        waiting: &Waiting,
        again: Again,
    ) -> Result<T, Fault> {
        let granted = match &self.place.beneath {
            Beneath::Store { grant, .. } => grant.max_wall_time(),
            Beneath::S3 { .. } | Beneath::Nothing => None,
        };
        let Some(allowed) = granted else { return call.await };
        let before = waiting.storage_time();
        tokio::time::timeout(allowed, call).await.unwrap_or_else(|_| {
            let storage = waiting.storage_time().saturating_sub(before);
            // What waits now is the component in front of this one.
            waiting.set(WaitsFor::Component);
            let message = format!(
                "{} went over its limit of wall time: allowed {allowed:?}, asked for more",
                self.place.name
            );
            let error = |blame| {
                Error::new(ErrorKind::Timeout, blame, message).retryable(again != Again::Conflicts)
            };
            Err(if storage >= allowed / 2 {
                Fault::Told(error(Blame::Storage))
            } else {
                Fault::Own(error(Blame::Policy))
            })
        })
    }

    /// What a component says of an artifact. A caller may hand it on as headers, so none
    /// of it may end one and begin another.
    fn described(&self, info: wit::ObjectInfo) -> Result<ObjectInfo, Fault> {
        let info = ObjectInfo::from(info);
        match steering(&info) {
            Some(what) if !self.component.trusted => {
                let lie = format!("describes an artifact with control characters in its {what}");
                Err(Fault::Own(self.failed(&lie)))
            }
            _ => Ok(info),
        }
    }

    /// The component's own failure.
    pub(crate) fn failed(&self, what: &str) -> Error {
        let message = format!("{} {what}", self.place.name);
        Error::new(ErrorKind::PolicyFailed, Blame::Policy, message)
    }
}

/// The part of a description that holds control characters, if one does.
fn steering(info: &ObjectInfo) -> Option<&'static str> {
    let content = &info.content;
    let mut texts = [
        ("etag", &info.etag),
        ("version", &info.version_id),
        ("storage class", &info.storage_class),
        ("content type", &content.content_type),
        ("content encoding", &content.content_encoding),
        ("content disposition", &content.content_disposition),
        ("content language", &content.content_language),
        ("cache control", &content.cache_control),
        ("expires", &content.expires),
    ]
    .into_iter()
    .filter_map(|(what, text)| Some((what, text.as_deref()?)))
    .chain(
        info.metadata
            .iter()
            .flat_map(|(name, value)| [name, value].map(|text| ("metadata", text.as_str()))),
    );
    texts.find(|(_, text)| text.contains(char::is_control)).map(|(what, _)| what)
}
