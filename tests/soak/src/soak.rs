use std::{
    collections::BTreeMap,
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use artifact_s3::{
    Body, Bucket, Credentials, GetOptions, HttpS3, MemoryS3, Multipart, ObjectKey, PutOptions,
    RetryPolicy, S3Client,
};
use artifact_s3_server::{LocalServer, UnfinishedUpload};
use artifact_test_servers::{FaultProxy, Faults};

use crate::{
    Settings,
    model::{Key, State},
    races::{COUNTER, Races},
    reads::unknown,
    report::{Counts, Report, Violation},
    worker::{Worker, World},
};

const BUCKET: &str = "soak-bucket";
/// How long the operations that were begun may take to end.
const PATIENCE: Duration = Duration::from_mins(2);
const PART: u64 = 5 * 1024 * 1024;

/// Runs a soak, and looks at the end whether all is as it must be.
///
/// Fails only where it could not begin; what it found wrong is in the report.
pub async fn run(settings: Settings) -> Result<Report, Box<dyn Error + Send + Sync>> {
    let begun = Instant::now();
    let memory = MemoryS3::with_buckets([BUCKET])?;
    let server = LocalServer::builder().client(Arc::new(memory.clone())).start().await?;
    let proxy = FaultProxy::before(server.address())
        .seed(settings.seed)
        .break_one_in(settings.break_one_in)
        .delay_one_in(50, Duration::from_millis(100))
        .start()
        .await?;
    let s3 = client(&server, &proxy).await?;
    let world = Arc::new(World {
        bucket: Bucket::parse(BUCKET)?,
        begun,
        until: begun + settings.duration,
        races: Races::default(),
        folder: tempfile::tempdir()?,
    });
    let (bucket, options) = (&world.bucket, PutOptions::default());
    memory.put_object(bucket, &ObjectKey::parse(COUNTER)?, Body::from("0"), &options).await?;

    let workers = (0..settings.tasks).map(|number| {
        let mut worker = Worker::new(number, s3.clone(), Arc::clone(&world), settings.seed);
        tokio::spawn(async move {
            let outcome = worker.run().await;
            (worker.keys, worker.counts, outcome)
        })
    });
    let workers: Vec<_> = workers.collect();
    let mut end = End::default();
    let deadline = tokio::time::Instant::from_std(world.until + PATIENCE);
    for (number, worker) in workers.into_iter().enumerate() {
        match tokio::time::timeout_at(deadline, worker).await {
            Ok(Ok((keys, counts, outcome))) => end.add(keys, &counts, outcome.err()),
            Ok(Err(error)) => end.violated(format!("task {number}"), error.to_string()),
            Err(_) => end.violated(format!("task {number}"), "it does not end".to_owned()),
        }
    }
    proxy.calm();
    s3.settle().await;
    let faults = proxy.faults();
    let orphans = end.clean_up(&server, &s3, &world, &faults).await;
    end.compare(&memory, &world).await;
    end.read_again(&s3, &world).await;
    Ok(Report {
        settings,
        elapsed: begun.elapsed(),
        counts: end.counts,
        faults,
        orphans,
        races: world.races.totals(),
        compared: end.compared,
        violations: end.violations,
    })
}

/// A client that sends as much as it can in parts, and does not wait long between tries.
async fn client(
    server: &LocalServer,
    proxy: &FaultProxy,
) -> Result<HttpS3, Box<dyn Error + Send + Sync>> {
    let retry = RetryPolicy { base_delay: Duration::from_millis(5), ..RetryPolicy::default() };
    let client = HttpS3::builder()
        .endpoint(proxy.endpoint())
        .credentials(Credentials::key(server.access_key(), server.secret_key().expose()))
        .retry(retry)
        .multipart(Multipart { threshold: PART, part_size: PART, parallel: 3 });
    Ok(client.build().await?)
}

/// What is found at the end.
#[derive(Default)]
struct End {
    keys: Vec<Key>,
    counts: BTreeMap<&'static str, Counts>,
    compared: usize,
    violations: Vec<Violation>,
}

impl End {
    fn add(
        &mut self,
        keys: Vec<Key>,
        counts: &BTreeMap<&'static str, Counts>,
        violation: Option<Violation>,
    ) {
        self.keys.extend(keys);
        self.violations.extend(violation);
        for (name, more) in counts {
            let all = self.counts.entry(name).or_default();
            all.done += more.done;
            all.failed += more.failed;
            all.dropped += more.dropped;
        }
    }

    fn violated(&mut self, key: String, what: String) {
        self.violations.push(Violation { key, what, log: Vec::new() });
    }

    /// Looks for uploads that were left unfinished, and aborts them as a user would.
    ///
    /// Where the answer to `CreateMultipartUpload` is lost, an upload is there whose id
    /// nobody was told: so they have no parts, and there is a broken connection for each.
    async fn clean_up(
        &mut self,
        server: &LocalServer,
        s3: &HttpS3,
        world: &World,
        faults: &Faults,
    ) -> usize {
        let orphans = server.unfinished_uploads();
        let known = orphans.iter().filter(|upload| upload.parts > 0);
        self.violations.extend(known.map(|upload| left(&upload.key, upload)));
        if orphans.len() as u64 > faults.broken_requests + faults.broken_answers {
            self.violations.extend(orphans.iter().map(|upload| left(&upload.key, upload)));
        }
        match s3.unfinished_uploads(&world.bucket, "").await {
            Ok(uploads) => {
                for upload in uploads {
                    if let Err(error) = s3.abort_upload(&world.bucket, &upload).await {
                        self.violated(upload.key, format!("an upload cannot be aborted: {error}"));
                    }
                }
            }
            Err(error) => self.violated(BUCKET.to_owned(), error.to_string()),
        }
        let left_over = server.unfinished_uploads();
        self.violations.extend(left_over.iter().map(|upload| left(&upload.key, upload)));
        orphans.len()
    }

    /// What the server holds, against what the keys may hold.
    async fn compare(&mut self, memory: &MemoryS3, world: &World) {
        for key in &self.keys {
            // As others run on meanwhile.
            tokio::task::yield_now().await;
            let object = memory.object(BUCKET, key.name.as_str());
            let fits = match &object {
                None => key.may_hold(State::Absent),
                Some(object) => key.candidates().any(|content| {
                    content.length() == object.bytes.len() && content.bytes() == object.bytes
                }),
            };
            self.compared += usize::from(object.is_some());
            if !fits {
                let what = object.map_or_else(
                    || "at the end it is not there".to_owned(),
                    |object| format!("at the end it has other bytes, {}", object.bytes.len()),
                );
                self.violations.push(key.violated(what));
            }
        }
        for name in memory.keys(BUCKET) {
            if !world.races.knows(&name) && self.keys.iter().all(|key| key.name.as_str() != name) {
                self.violations.push(unknown(name));
            }
        }
        self.violations.extend(world.races.violations(memory, BUCKET));
    }

    /// What was acknowledged must come back over the wire, too.
    async fn read_again(&mut self, s3: &HttpS3, world: &World) {
        for key in &self.keys {
            let Some(content) = key.present() else { continue };
            let read = async {
                let options = GetOptions::default();
                let object = s3.get_object(&world.bucket, &key.name, &options).await?;
                Ok::<_, Box<dyn Error + Send + Sync>>(object.body.bytes().await?)
            };
            match read.await {
                Ok(bytes) if bytes == content.bytes() => {}
                Ok(bytes) => {
                    let what = format!("read at the end it has other bytes, {}", bytes.len());
                    self.violations.push(key.violated(what));
                }
                Err(error) => {
                    self.violations.push(key.violated(format!("it cannot be read: {error}")));
                }
            }
        }
    }
}

fn left(key: &str, upload: &UnfinishedUpload) -> Violation {
    let what = format!("an upload was left unfinished: {upload:?}");
    Violation { key: key.to_owned(), what, log: Vec::new() }
}
