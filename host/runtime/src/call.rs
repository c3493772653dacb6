use std::future::Future;

use artifact_s3::{InvalidKey, ObjectKey, S3Error};
use tracing::{Instrument, Span, field};

use crate::{
    Artifact, Body, DeleteOptions, Error, GetOptions, ListOptions, Listing, ObjectInfo, Operation,
    PutOptions,
    artifact_store::Running,
    error::{Blame, ErrorKind},
    instance::{Instance, Waiting, failed},
};

/// The five calls, each into a fresh [`Instance`] of the store's component.
impl Running {
    pub(crate) async fn put(
        &self,
        key: &str,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, Error> {
        let call = Call::new(self, Operation::Put, Some(key));
        call.moves(body.length());
        let put = async {
            usable(options.check())?;
            let mut instance = Instance::new(self, call.waiting.clone()).await?;
            let (body, number) = instance.lend(body)?;
            let store = instance.guest.agent_artifacts_store();
            let options = options.clone().into();
            let answer = store.call_put(&mut instance.store, key, body, &options).await;
            let receipt = instance.answer(answer)?;
            let receipt = instance.reclaim(receipt)?;
            if receipt.body_id == Some(number) {
                Ok(receipt.info)
            } else {
                Err(failed("the component gave a receipt that belongs to another body"))
            }
        };
        call.run(put).await
    }

    pub(crate) async fn get(&self, key: &str, options: &GetOptions) -> Result<Artifact, Error> {
        let call = Call::new(self, Operation::Get, Some(key));
        let get = async {
            usable(options.check())?;
            let mut instance = Instance::new(self, call.waiting.clone()).await?;
            let store = instance.guest.agent_artifacts_store();
            let options = options.clone().into();
            let answer = store.call_get(&mut instance.store, key, &options).await;
            let object = instance.answer(answer)?;
            let body = instance.reclaim(object.body)?.body;
            call.moves(body.length());
            Ok(Artifact::new(key, object.info.into(), body))
        };
        call.run(get).await
    }

    pub(crate) async fn head(&self, key: &str, options: &GetOptions) -> Result<ObjectInfo, Error> {
        let call = Call::new(self, Operation::Head, Some(key));
        let head = async {
            usable(options.check())?;
            let mut instance = Instance::new(self, call.waiting.clone()).await?;
            let store = instance.guest.agent_artifacts_store();
            let options = options.clone().into();
            let answer = store.call_head(&mut instance.store, key, &options).await;
            instance.answer(answer).map(Into::into)
        };
        call.run(head).await
    }

    pub(crate) async fn delete(&self, key: &str, options: &DeleteOptions) -> Result<(), Error> {
        let call = Call::new(self, Operation::Delete, Some(key));
        let delete = async {
            usable(options.check())?;
            let mut instance = Instance::new(self, call.waiting.clone()).await?;
            let store = instance.guest.agent_artifacts_store();
            let options = options.clone().into();
            let answer = store.call_delete(&mut instance.store, key, &options).await;
            instance.answer(answer)
        };
        call.run(delete).await
    }

    pub(crate) async fn list(&self, options: &ListOptions) -> Result<Listing, Error> {
        let call = Call::new(self, Operation::List, None);
        let list = async {
            usable(options.check())?;
            let mut instance = Instance::new(self, call.waiting.clone()).await?;
            let store = instance.guest.agent_artifacts_store();
            let options = options.clone().into();
            let answer = store.call_list(&mut instance.store, &options).await;
            instance.answer(answer).map(Into::into)
        };
        call.run(list).await
    }
}

/// What every call has: a deadline, a span, and an error that says what it was.
struct Call<'a> {
    running: &'a Running,
    operation: Operation,
    key: Option<&'a str>,
    waiting: Waiting,
    span: Span,
}

impl<'a> Call<'a> {
    fn new(running: &'a Running, operation: Operation, key: Option<&'a str>) -> Self {
        let span = tracing::info_span!(
            "artifact_store.call",
            store = running.name.as_deref(),
            operation = operation.as_str(),
            key,
            bytes = field::Empty,
            outcome = field::Empty,
        );
        Self { running, operation, key, waiting: Waiting::default(), span }
    }

    /// Notes how many bytes the call moves, where that is known.
    fn moves(&self, bytes: Option<u64>) {
        self.span.record("bytes", bytes);
    }

    async fn run<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let answer = match self.refusal() {
            Some(error) => Err(error),
            None => tokio::time::timeout(self.running.deadline, call)
                .instrument(self.span.clone())
                .await
                .unwrap_or_else(|_| Err(self.too_late())),
        };
        let outcome = answer.as_ref().map_or_else(|error| error.kind().as_str(), |_| "ok");
        self.span.record("outcome", outcome);
        answer.map_err(|error| error.on(self.operation, self.key))
    }

    /// Why the call is not made at all.
    fn refusal(&self) -> Option<Error> {
        if self.running.is_stopped() {
            return Some(Error::new(ErrorKind::Stopped, Blame::Caller, "the store was stopped"));
        }
        let key = self.key?;
        // The component checks the whole object key, and the grant once more;
        // what no component could make good is said here.
        ObjectKey::parse(key).err().map(|rule| invalid_key(key, rule))
    }

    fn too_late(&self) -> Error {
        let (who, blame) = if self.waiting.now() {
            ("the storage", Blame::Storage)
        } else {
            ("the component", Blame::Policy)
        };
        let message = format!("{who} did not answer within {:?}", self.running.deadline);
        Error::new(ErrorKind::Timeout, blame, message).retryable(true)
    }
}

fn invalid_key(key: &str, rule: InvalidKey) -> Error {
    // A key of megabytes would make the error as long.
    let shown: String = key.chars().take(100).collect();
    Error::new(ErrorKind::InvalidKey, Blame::Caller, format!("invalid key {shown:?}: {rule}"))
        .caused_by(rule)
}

/// What S3 could not carry is the caller's mistake, before any component runs.
fn usable(options: Result<(), S3Error>) -> Result<(), Error> {
    options.map_err(|error| Error::new(ErrorKind::InvalidRequest, Blame::Caller, error.message()))
}
