use std::{future::Future, sync::Arc};

use artifact_s3::{InvalidKey, Object, ObjectKey, S3Error};
use tracing::{Instrument, Span, field};

use crate::{
    Artifact, Body, DeleteOptions, Error, GetOptions, ListOptions, Listing, ObjectInfo, Operation,
    PutOptions, WriteCondition,
    artifact_store::Running,
    error::{Blame, ErrorKind},
    instance::{Waiting, WaitsFor},
    plan::Chain,
};

/// The five calls, through the chain of components.
impl Running {
    pub(crate) async fn put(
        &self,
        key: &str,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, Error> {
        let mut call = Call::new(self, Operation::Put, Some(key));
        // A second put could meet the first one's work, and report that as a failure.
        call.repeatable = options.condition == WriteCondition::Unconditional;
        call.moves(body.length());
        call.run(options.check(), || call.chain.top.put(key, body, options, call.waiting.clone()))
            .await
    }

    pub(crate) async fn get(&self, key: &str, options: &GetOptions) -> Result<Artifact, Error> {
        let call = Call::new(self, Operation::Get, Some(key));
        let get = || call.chain.top.get(key, options, call.waiting.clone());
        let Object { info, body } = call.run(options.check(), get).await?;
        call.moves(body.length());
        Ok(Artifact::new(key, info, body))
    }

    pub(crate) async fn head(&self, key: &str, options: &GetOptions) -> Result<ObjectInfo, Error> {
        let call = Call::new(self, Operation::Head, Some(key));
        call.run(options.check(), || call.chain.top.head(key, options, call.waiting.clone())).await
    }

    pub(crate) async fn delete(&self, key: &str, options: &DeleteOptions) -> Result<(), Error> {
        let call = Call::new(self, Operation::Delete, Some(key));
        call.run(options.check(), || call.chain.top.delete(key, options, call.waiting.clone()))
            .await
    }

    pub(crate) async fn list(&self, options: &ListOptions) -> Result<Listing, Error> {
        let call = Call::new(self, Operation::List, None);
        call.run(options.check(), || call.chain.top.list(options, call.waiting.clone())).await
    }
}

/// What every call has: a deadline, a span, and an error that says what it was.
struct Call<'a> {
    running: &'a Running,
    /// The chain as it was when the call began; a reload does not touch it.
    chain: Arc<Chain>,
    operation: Operation,
    key: Option<&'a str>,
    waiting: Waiting,
    /// Whether it does no harm to make the call again, not knowing what came of it.
    repeatable: bool,
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
        let chain = running.chain();
        Self { running, chain, operation, key, waiting: Waiting::default(), repeatable: true, span }
    }

    /// Notes how many bytes the call moves, where that is known.
    fn moves(&self, bytes: Option<u64>) {
        self.span.record("bytes", bytes);
    }

    async fn run<T, F>(
        &self,
        options: Result<(), S3Error>,
        call: impl FnOnce() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let answer = match self.refusal(options) {
            Some(error) => Err(error),
            None => tokio::time::timeout(self.running.deadline, self.in_room(call))
                .instrument(self.span.clone())
                .await
                .unwrap_or_else(|_| Err(self.too_late())),
        };
        let outcome = answer.as_ref().map_or_else(|error| error.kind().as_str(), |_| "ok");
        self.span.record("outcome", outcome);
        answer.map_err(|error| error.on(self.operation, self.key))
    }

    /// Makes the call, once there is room for the instances of the whole chain. It takes
    /// no memory before.
    async fn in_room<T, F>(&self, call: impl FnOnce() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let room = self.running.sandbox.room_for(self.chain.depth).await?;
        self.waiting.keep(room);
        self.waiting.set(WaitsFor::Component);
        call().await
    }

    /// Why the call is not made at all.
    fn refusal(&self, options: Result<(), S3Error>) -> Option<Error> {
        if self.running.is_stopped() {
            return Some(Error::new(ErrorKind::Stopped, Blame::Caller, "the store was stopped"));
        }
        if let Err(error) = options {
            // What S3 could not carry is the caller's mistake, whatever a component
            // would make of it.
            let (kind, blame) = (ErrorKind::InvalidRequest, Blame::Caller);
            return Some(Error::new(kind, blame, error.message()));
        }
        let key = self.key?;
        // The component checks the whole object key, and the grant once more;
        // what no component could make good is said here.
        ObjectKey::parse(key).err().map(|rule| invalid_key(key, rule))
    }

    fn too_late(&self) -> Error {
        let deadline = self.running.deadline;
        let (message, blame) = if self.waiting.now() == WaitsFor::Room {
            ("the sandbox had no room for the call within", Blame::Host)
        } else if self.waiting.storage_time() >= deadline / 2 {
            ("the storage did not answer within", Blame::Storage)
        } else {
            ("the component did not answer within", Blame::Policy)
        };
        let message = format!("{message} {deadline:?}");
        Error::new(ErrorKind::Timeout, blame, message).retryable(self.repeatable)
    }
}

fn invalid_key(key: &str, rule: InvalidKey) -> Error {
    // A key of megabytes would make the error as long.
    let shown: String = key.chars().take(100).collect();
    Error::new(ErrorKind::InvalidKey, Blame::Caller, format!("invalid key {shown:?}: {rule}"))
        .caused_by(rule)
}
