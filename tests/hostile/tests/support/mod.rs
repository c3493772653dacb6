//! A bucket with a neighbour's secret in it, a store whose component or policy attacks,
//! and the neighbour's store in the same sandbox.

pub(crate) mod fuzzed;
pub(crate) mod wat;

use std::{fmt::Write, sync::OnceLock, time::Duration};

use artifact_s3::{
    Body, Bucket, DeleteOptions, GetOptions, ListOptions, Listing, MemoryS3, Object, ObjectInfo,
    ObjectKey, PutOptions, S3Client, S3Error, S3ErrorKind,
};
use artifact_store::{
    ArtifactStore, Error, Limits, Operation, Policy, PolicyGrant, Sandbox, StoreBuilder,
    StoreComponent, Supervision,
};
use async_trait::async_trait;

/// Little fuel, so that a loop ends soon, and fewer handles than S3 calls.
pub(crate) fn limits() -> Limits {
    Limits { fuel: 20_000_000, handles: 32, concurrent_calls: 64, ..Limits::default() }
}

/// The one that all attacks run in: what one of them breaks, those after it notice.
pub(crate) fn sandbox() -> Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| Sandbox::new(limits()).unwrap()).clone()
}

/// The store that is attacked, and what is around it.
pub(crate) struct Scene {
    pub(crate) s3: MemoryS3,
    pub(crate) store: ArtifactStore,
    pub(crate) neighbour: ArtifactStore,
    /// What the caller's keys begin with.
    keys: &'static str,
}

/// The attack of `guest/hostile`, which is the store component.
pub(crate) async fn store(attack: &str) -> Scene {
    let component = StoreComponent::from_bytes(artifact_guests::HOSTILE);
    scene("", |builder| builder.prefix("mine/").component(component).setting("attack", attack))
        .await
        .unwrap()
}

/// The attack of `guest/hostile-policy`.
pub(crate) async fn policy(attack: &str) -> Scene {
    behind(hostile_policy(attack)).await.unwrap()
}

/// The attack in `components/`, likewise a policy.
pub(crate) async fn wat(attack: &str) -> Scene {
    behind(wat_policy(attack)).await.unwrap()
}

pub(crate) async fn behind(policy: Policy) -> Result<Scene, Error> {
    scene("mine/", |builder| builder.policy(policy)).await
}

pub(crate) fn hostile_policy(attack: &str) -> Policy {
    Policy::from_bytes(artifact_guests::HOSTILE_POLICY)
        .name("tenant")
        .setting("attack", attack)
        .grant(grant())
}

pub(crate) fn wat_policy(attack: &str) -> Policy {
    Policy::from_bytes(wat::component(attack)).name("tenant").grant(grant())
}

/// The attack in `components/`, with so many instances of a core module besides.
pub(crate) fn wat_policy_of(attack: &str, module: &str, instances: u8) -> Policy {
    let component = wat::with_instances(wat::component(attack), module, instances);
    Policy::from_bytes(component).name("tenant").grant(grant())
}

/// What the policies are granted: everything but delete, under `mine/`.
pub(crate) fn grant() -> PolicyGrant {
    use Operation::{Get, Head, List, Put};
    PolicyGrant::none().operations([Put, Get, Head, List]).keys_under("mine/")
}

async fn scene(
    keys: &'static str,
    attacked: impl FnOnce(StoreBuilder) -> StoreBuilder,
) -> Result<Scene, Error> {
    let s3 = MemoryS3::with_buckets(["bucket", "other"]).unwrap();
    let bucket = Bucket::parse("bucket").unwrap();
    for (key, bytes) in [("mine/bait", "bait"), ("theirs/secret", "secret")] {
        let key = ObjectKey::parse(key).unwrap();
        s3.put_object(&bucket, &key, Body::from(bytes), &PutOptions::default()).await.unwrap();
    }
    let neighbour = builder(&s3).prefix("theirs/").start().await.unwrap();
    let started = attacked(builder(&s3)).start().await;
    if started.is_err() {
        serves(&neighbour).await;
    }
    Ok(Scene { store: started?, s3, neighbour, keys })
}

/// In the sandbox of all attacks, with as many failures as a test likes.
pub(crate) fn builder(s3: &MemoryS3) -> StoreBuilder {
    ArtifactStore::builder()
        .bucket("bucket")
        .client(s3.clone())
        .sandbox(sandbox())
        .supervision(Supervision { failures: 1000, ..Supervision::default() })
        .deadline(Duration::from_secs(30))
}

impl Scene {
    /// What the user is told of the attack in this call. After it, the same store and
    /// the neighbour's serve.
    pub(crate) async fn told(&self, operation: Operation) -> String {
        let error = self.call(operation, "k").await.unwrap_err();
        self.serves_on(operation).await;
        told(&error)
    }

    /// A call, on the key of the attack (`k`) or on one that is left alone (`bait`).
    pub(crate) async fn call(&self, operation: Operation, key: &str) -> Result<(), Error> {
        let key = format!("{}{key}", self.keys);
        match operation {
            Operation::List => self.store.list(self.keys).await.map(drop),
            _ => call(&self.store, operation, &key).await,
        }
    }

    /// The same store and the neighbour's serve, and nobody else's artifact has changed.
    pub(crate) async fn serves_on(&self, attacked: Operation) {
        let other = if attacked == Operation::Get { Operation::Put } else { Operation::Get };
        self.call(other, "bait").await.unwrap();
        serves(&self.neighbour).await;
        let keys = self.s3.keys("bucket");
        let (mine, theirs): (Vec<&str>, Vec<&str>) =
            keys.iter().map(String::as_str).partition(|key| key.starts_with("mine/"));
        let own = ["mine/bait", "mine/elsewhere", "mine/k"];
        assert!(mine.iter().all(|key| own.contains(key)), "{mine:?}");
        assert_eq!(theirs, ["theirs/own", "theirs/secret"]);
        assert!(self.s3.keys("other").is_empty());
    }
}

/// One of the five calls; for a listing, of everything.
pub(crate) async fn call(
    store: &ArtifactStore,
    operation: Operation,
    key: &str,
) -> Result<(), Error> {
    match operation {
        Operation::Put => store.put(key, "bait").await.map(drop),
        Operation::Get => store.get(key).await.map(drop),
        Operation::Head => store.head(key).await.map(drop),
        Operation::Delete => store.delete(key).await,
        Operation::List => store.list("").await.map(drop),
    }
}

/// The neighbour's store does.
async fn serves(neighbour: &ArtifactStore) {
    neighbour.put("own", "x").await.unwrap();
    assert_eq!(neighbour.get("secret").await.unwrap().bytes().await.unwrap(), "secret");
}

/// What the user sees of an error: the call, what it says, its kind, whose fault it is,
/// whether to try again, and its causes.
pub(crate) fn told(error: &Error) -> String {
    let mut text = String::new();
    if let Some(operation) = error.operation() {
        let _ = write!(text, "{} {}: ", operation.as_str(), error.key().unwrap_or("(all)"));
    }
    let again = if error.is_retryable() { "try again" } else { "do not try again" };
    let _ = write!(text, "{error}\n{}, blame: {:?}, {again}", error.kind().as_str(), error.blame());
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let line = cause.to_string();
        let line = line.lines().next().unwrap_or_default();
        // Where in the component: it moves with every change of the compiler.
        if !line.starts_with("error while executing at wasm backtrace") {
            let _ = write!(text, "\ncause: {line}");
        }
        source = cause.source();
    }
    text
}

/// A storage that answers late, if ever.
#[derive(Debug)]
pub(crate) struct Late(pub(crate) Duration);

impl Late {
    async fn answer<T>(&self) -> Result<T, S3Error> {
        tokio::time::sleep(self.0).await;
        Err(S3Error::new(S3ErrorKind::Unreachable, "too late"))
    }
}

#[async_trait]
impl S3Client for Late {
    async fn put_object(
        &self,
        _: &Bucket,
        _: &ObjectKey,
        _: Body,
        _: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.answer().await
    }

    async fn get_object(
        &self,
        _: &Bucket,
        _: &ObjectKey,
        _: &GetOptions,
    ) -> Result<Object, S3Error> {
        self.answer().await
    }

    async fn head_object(
        &self,
        _: &Bucket,
        _: &ObjectKey,
        _: &GetOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.answer().await
    }

    async fn delete_object(
        &self,
        _: &Bucket,
        _: &ObjectKey,
        _: &DeleteOptions,
    ) -> Result<(), S3Error> {
        self.answer().await
    }

    async fn copy_object(
        &self,
        _: &Bucket,
        _: &ObjectKey,
        _: &ObjectKey,
        _: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        self.answer().await
    }

    async fn list_objects(&self, _: &Bucket, _: &ListOptions) -> Result<Listing, S3Error> {
        self.answer().await
    }
}
