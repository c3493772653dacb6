use std::sync::{Arc, Mutex, PoisonError};

use artifact_s3_server::{Exchange, LocalServer};
use artifact_store::{
    ArtifactStore, ErrorKind, ListOptions,
    s3::{Credentials, HttpS3, MemoryS3},
};

use super::recorder::{Recorder, S3Call};
use crate::{failure::Failure, output::Output};

mod step;
use step::{Expected, Step};

const BUCKET: &str = "demo";
const PREFIX: &str = "asm/artifacts/";
const KEY: &str = "patch-abc123";
const ARTIFACT: &str = "--- a/file\n+++ b/file\n@@ -1 +1 @@\n-old\n+new\n";

/// What was seen of one call, from both sides of the S3 client.
#[derive(Clone, Debug, Default)]
struct Seen {
    asked: Arc<Mutex<Vec<String>>>,
    wire: Arc<Mutex<Vec<Exchange>>>,
}

impl Seen {
    fn take(&self) -> (Vec<String>, Vec<Exchange>) {
        (take(&self.asked), take(&self.wire))
    }
}

fn take<T>(list: &Mutex<Vec<T>>) -> Vec<T> {
    std::mem::take(&mut *list.lock().unwrap_or_else(PoisonError::into_inner))
}

fn add<T>(list: &Mutex<Vec<T>>, item: T) {
    list.lock().unwrap_or_else(PoisonError::into_inner).push(item);
}

/// Shows a whole life of an artifact: what the caller asks, what the component
/// in its sandbox asks of S3, and what goes over the wire.
pub async fn run(output: &Output) -> Result<(), Failure> {
    let seen = Seen::default();
    let server = start_server(&seen).await?;
    let store = start_store(&server, &seen).await?;
    introduce(&server, output)?;
    let result = show(&store, &seen, output).await;
    store.stop();
    server.stop().await;
    result?;
    if output.json { Ok(()) } else { output.data("\ndemo: ok\n") }
}

async fn start_server(seen: &Seen) -> Result<LocalServer, Failure> {
    let memory = MemoryS3::with_buckets([BUCKET])
        .map_err(|error| Failure::demo("cannot make the bucket").caused_by(error))?;
    let wire = seen.wire.clone();
    LocalServer::builder()
        .client(Arc::new(memory))
        .on_exchange(move |exchange| add(&wire, exchange))
        .start()
        .await
        .map_err(|error| Failure::demo(error.to_string()).caused_by(error))
}

async fn start_store(server: &LocalServer, seen: &Seen) -> Result<ArtifactStore, Failure> {
    let credentials = Credentials::key(server.access_key(), server.secret_key().expose());
    // Nothing of the environment: the demo is the same everywhere.
    let client = HttpS3::builder()
        .endpoint(server.endpoint())
        .credentials(credentials)
        .build()
        .await
        .map_err(|error| Failure::demo(error.to_string()).caused_by(error))?;
    let asked = seen.asked.clone();
    let seen = move |call: S3Call| {
        add(&asked, format!("{} {}/{}", call.operation, call.bucket, call.key));
    };
    let client = Recorder { inner: client, seen };
    Ok(ArtifactStore::builder().bucket(BUCKET).prefix(PREFIX).client(client).start().await?)
}

fn introduce(server: &LocalServer, output: &Output) -> Result<(), Failure> {
    if output.json {
        return Ok(());
    }
    output.data(&format!(
        "An S3 server in this process listens on {}, and checks every signature.\n\
         The store keeps its artifacts in bucket {BUCKET:?} under {PREFIX:?}.\n",
        server.endpoint()
    ))
}

async fn show(store: &ArtifactStore, seen: &Seen, output: &Output) -> Result<(), Failure> {
    let object = format!("{BUCKET}/{PREFIX}{KEY}");
    let one = |operation, method, status| Expected::object(operation, &object, method, status);

    let mut step = Step::new(1, format!("put {KEY:?}, {} bytes", ARTIFACT.len()));
    let stored = store.put(KEY, ARTIFACT).await?;
    let etag = stored.etag.unwrap_or_default();
    step.result(format!("stored, etag {etag}"));
    step.check(seen, &one("PutObject", "PUT", 200))?.show(output)?;

    let mut step = Step::new(2, format!("get {KEY:?}"));
    let bytes = store.get(KEY).await?.bytes().await?;
    if bytes != ARTIFACT {
        return Err(Failure::demo("what was read is not what was stored"));
    }
    step.result(format!("{} bytes, equal to what was put", bytes.len()));
    step.check(seen, &one("GetObject", "GET", 200))?.show(output)?;

    let mut step = Step::new(3, format!("head {KEY:?}"));
    let info = store.head(KEY).await?;
    if info.size != ARTIFACT.len() as u64 || info.etag.unwrap_or_default() != etag {
        return Err(Failure::demo("the description is not that of what was stored"));
    }
    step.result(format!("{} bytes, etag {etag}", info.size));
    step.check(seen, &one("HeadObject", "HEAD", 200))?.show(output)?;

    let mut step = Step::new(4, "list".to_owned());
    let listing = store.list_with(&ListOptions::default()).await?;
    let keys: Vec<&str> = listing.objects.iter().map(|object| object.key.as_str()).collect();
    if keys != [KEY] {
        return Err(Failure::demo(format!("the listing holds {keys:?}")));
    }
    step.result(format!("{keys:?}: keys come back without the prefix"));
    step.check(seen, &Expected::listing(BUCKET, PREFIX))?.show(output)?;

    let mut step = Step::new(5, format!("delete {KEY:?}"));
    store.delete(KEY).await?;
    step.result("deleted".to_owned());
    step.check(seen, &one("DeleteObject", "DELETE", 204))?.show(output)?;

    let mut step = Step::new(6, format!("delete {KEY:?} again"));
    store.delete(KEY).await?;
    step.result("fine too".to_owned());
    step.check(seen, &one("DeleteObject", "DELETE", 204))?.show(output)?;

    let mut step = Step::new(7, format!("get {KEY:?}, which is gone"));
    match store.get(KEY).await {
        Err(error) if error.kind() == ErrorKind::NotFound => step.result(error.to_string()),
        Err(error) => return Err(error.into()),
        Ok(_) => return Err(Failure::demo("what was deleted is still there")),
    }
    step.check(seen, &one("GetObject", "GET", 404))?.show(output)
}
