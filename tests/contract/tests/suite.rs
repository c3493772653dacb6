//! Every case, on every client, against every server.
//!
//! A trial is named `client on server/topic::case`, or `store through client on
//! server/case` where the cases are those of a store in its sandbox. What a server cannot do is shown
//! as ignored, with the server's reason; a server that is not there shows all its
//! trials as ignored.

use std::{path::Path, process::ExitCode, sync::Arc, time::Duration};

use artifact_contract::clients::{Capability, Case, CaseResult, Context, cases};
use artifact_contract::stores::{CASES, StoreCase};
use artifact_s3::layers::{ConcurrencyLimit, ReadCache, Retry, Traced};
use artifact_s3::{Bucket, Credentials, HttpS3, MemoryS3, RetryPolicy, S3Client};
use artifact_s3_server::LocalServer;
use artifact_store::{ArtifactStore, ComponentS3, Limits, Sandbox};
use artifact_test_servers::SeaweedFs;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The bucket of every server here.
const BUCKET: &str = "contract-bucket";

const NO_SERVER: &str = "no SeaweedFS here: `just test-seaweedfs` brings one";

/// No case takes a tenth of it; more is a case that hangs.
const PATIENCE: Duration = Duration::from_mins(2);

/// A client, connected to a server.
struct Subject {
    name: &'static str,
    /// None where the server is not there.
    s3: Option<Arc<dyn S3Client>>,
    /// The client again, where it is one over HTTP.
    http: Option<HttpS3>,
    bucket: Bucket,
    lacks: Lacks,
}

/// Why the server cannot do a thing, if it cannot.
type Lacks = fn(Capability) -> Option<&'static str>;

/// What the trials run against, and what must live until they are done.
type Setup = (Vec<Subject>, (Vec<LocalServer>, [TempDir; 2]));

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let runtime = match Runtime::new() {
        Ok(runtime) => Arc::new(runtime),
        Err(error) => return failed(&error),
    };
    let (subjects, servers) = match runtime.block_on(set_up()) {
        Ok(set_up) => set_up,
        Err(error) => return failed(&*error),
    };
    let trials = subjects.into_iter().flat_map(|subject| trials(subject, &runtime)).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(servers);
    conclusion.exit_code()
}

#[expect(clippy::print_stderr, reason = "a test program says why it cannot begin")]
fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("the suite cannot begin: {error}");
    ExitCode::FAILURE
}

fn trials(subject: Subject, runtime: &Arc<Runtime>) -> Vec<Trial> {
    let subject = Arc::new(subject);
    let clients = cases().into_iter().map(|case| {
        let (subject, runtime) = (Arc::clone(&subject), Arc::clone(runtime));
        let name = format!("{}/{}", subject.name, case.name);
        Trial::ignorable_test(name, move || {
            let Case { name, needs, .. } = case.clone();
            runtime.block_on(run(&subject, &name, &needs, |c| async move { case.run(c).await }))
        })
    });
    let stores = CASES.iter().map(|case| {
        let (subject, runtime) = (Arc::clone(&subject), Arc::clone(runtime));
        let name = format!("store through {}/{}", subject.name, case.name);
        Trial::ignorable_test(name, move || {
            runtime
                .block_on(run(&subject, case.name, case.needs, |context| in_store(*case, context)))
        })
    });
    clients.chain(stores).collect()
}

/// The case on a store of its own, in its sandbox, in front of the client.
async fn in_store(case: StoreCase, context: Context) -> CaseResult {
    let builder = ArtifactStore::builder().bucket(context.bucket.as_str()).prefix(context.prefix);
    let store = builder.shared_client(context.s3).start().await?;
    case.run(&store).await
}

async fn run<F>(
    subject: &Subject,
    name: &str,
    needs: &[Capability],
    case: impl FnOnce(Context) -> F,
) -> Result<Completion, Failed>
where
    F: Future<Output = CaseResult> + Send + 'static,
{
    let Some(s3) = subject.s3.clone() else {
        return Ok(Completion::ignored_with(NO_SERVER));
    };
    if let Some(reason) = needs.iter().find_map(|need| (subject.lacks)(*need)) {
        return Ok(Completion::ignored_with(reason));
    }
    // A server that outlives the suite may hold the objects of an earlier run.
    let run = std::time::UNIX_EPOCH.elapsed()?.as_nanos();
    let prefix = format!("{run:x}/{}/", name.replace("::", "/"));
    let http = subject.http.clone();
    let context = Context { s3, bucket: subject.bucket.clone(), prefix, http };
    // On a task of its own, so that a panic is told as one.
    match tokio::time::timeout(PATIENCE, tokio::spawn(case(context))).await {
        Ok(Ok(result)) => result.map(|()| Completion::Completed),
        Ok(Err(panicked)) => Err(panic_message(panicked).into()),
        Err(_) => Err(format!("no end after {} seconds", PATIENCE.as_secs()).into()),
    }
}

fn panic_message(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
        }
        Err(error) => error.to_string(),
    }
}

async fn set_up() -> Result<Setup, Box<dyn std::error::Error>> {
    let bucket = Bucket::parse(BUCKET)?;
    let memory = MemoryS3::with_buckets([BUCKET])?;
    let over_memory =
        LocalServer::builder().client(Arc::new(MemoryS3::with_buckets([BUCKET])?)).start().await?;
    let (folder, cache) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let over_folder = LocalServer::builder().folder(folder.path(), [BUCKET]).start().await?;
    let subject = |name, s3: Arc<dyn S3Client>, http, lacks| Subject {
        name,
        s3: Some(s3),
        http,
        bucket: bucket.clone(),
        lacks,
    };
    let over_http = |name, http: HttpS3, lacks| {
        subject(name, Arc::new(http.clone()) as Arc<dyn S3Client>, Some(http), lacks)
    };
    let mut subjects = vec![
        subject("MemoryS3", Arc::new(memory), None, lacks_parts),
        subject("layers on MemoryS3", layered()?, None, lacks_parts),
        subject("ReadCache on MemoryS3", cached(cache.path()).await?, None, lacks_parts),
        subject("ComponentS3 with memory-s3", component().await?, None, lacks_memory_s3),
        over_http("HttpS3 on MemoryS3", http(&over_memory).await?, lacks_s3s),
        over_http("HttpS3 on s3s-fs", http(&over_folder).await?, lacks_s3s_fs),
    ];
    subjects.push(seaweedfs().await?);
    Ok((subjects, (vec![over_memory, over_folder], [folder, cache])))
}

/// Layers that are the same around each call.
fn layered() -> Result<Arc<dyn S3Client>, Box<dyn std::error::Error>> {
    let limited = ConcurrencyLimit::new(16, MemoryS3::with_buckets([BUCKET])?);
    Ok(Arc::new(Traced::new(Retry::new(RetryPolicy::default(), limited))))
}

/// A cache that is small enough for cases to meet a full one.
async fn cached(folder: &Path) -> Result<Arc<dyn S3Client>, Box<dyn std::error::Error>> {
    let memory = MemoryS3::with_buckets([BUCKET])?;
    Ok(Arc::new(ReadCache::open(folder, 1 << 20, memory).await?))
}

/// The client in memory that is a component: all cases meet the same instance.
async fn component() -> Result<Arc<dyn S3Client>, Box<dyn std::error::Error>> {
    let limits = Limits { memory_bytes: 512 << 20, concurrent_calls: 2, ..Limits::default() };
    let client = ComponentS3::from_bytes(artifact_guests::MEMORY_S3)
        .name("memory-s3")
        .setting("buckets", BUCKET)
        .setting("capacity", (400 << 20).to_string())
        .limits(Limits { handles: 1000, ..limits.clone() })
        .sandbox(Sandbox::new(limits)?);
    Ok(Arc::new(client.start().await?))
}

async fn http(server: &LocalServer) -> Result<HttpS3, Box<dyn std::error::Error>> {
    let credentials = Credentials::key(server.access_key(), server.secret_key().expose());
    let builder = HttpS3::builder().endpoint(server.endpoint()).credentials(credentials);
    Ok(builder.build().await?)
}

/// Of clients that are no clients of a service.
fn lacks_parts(capability: Capability) -> Option<&'static str> {
    (capability == Capability::Parts).then_some("a body is stored at once")
}

/// Of `guest/memory-s3`, which gets its settings and nothing else.
fn lacks_memory_s3(capability: Capability) -> Option<&'static str> {
    match capability {
        Capability::Dates => Some("there is no clock in the sandbox"),
        other => lacks_parts(other),
    }
}

/// Of crate `s3s`, which stands before any client.
fn lacks_s3s(capability: Capability) -> Option<&'static str> {
    match capability {
        Capability::EncodedWords => Some("s3s decodes RFC 2047, and refuses what it cannot"),
        _ => None,
    }
}

/// Of crate `s3s-fs`, which keeps objects as files.
fn lacks_s3s_fs(capability: Capability) -> Option<&'static str> {
    match capability {
        Capability::LeadingSlash | Capability::DoubleSlashes | Capability::TrailingSlash => {
            Some("a path has no empty segments")
        }
        Capability::LongSegments | Capability::LongKeys => Some("file names have 255 bytes"),
        Capability::KeysUnderKeys => Some("a file is no folder"),
        Capability::Tags => Some("s3s-fs keeps no tags"),
        Capability::StorageClasses => Some("s3s-fs has no storage classes"),
        Capability::ReadConditions | Capability::DeleteConditions | Capability::CopyConditions => {
            Some("s3s-fs honours conditions on puts only")
        }
        Capability::AtomicConditions => Some("s3s-fs looks first and writes later"),
        Capability::ListedEtags => Some("s3s-fs lists no etags"),
        Capability::LongDelimiters => Some("s3s-fs looks at a delimiter's first character"),
        Capability::BadContinuations => Some("to s3s-fs any text is a token"),
        other => lacks_s3s(other),
    }
}

/// Of SeaweedFS 4.48, whose filer keeps folders and files.
fn lacks_seaweedfs(capability: Capability) -> Option<&'static str> {
    match capability {
        Capability::LeadingSlash => Some("SeaweedFS drops a leading slash"),
        Capability::TrailingSlash => Some("SeaweedFS makes a folder of it"),
        Capability::Backslashes => Some("SeaweedFS takes a backslash for a slash"),
        Capability::LongSegments => Some("SeaweedFS takes segments of 255 bytes"),
        Capability::ByteOrder => Some("SeaweedFS sorts folder by folder"),
        Capability::BadContinuations => Some("to SeaweedFS any text is a token"),
        _ => None,
    }
}

/// The real server, where there is one.
async fn seaweedfs() -> Result<Subject, Box<dyn std::error::Error>> {
    let subject = |http: Option<HttpS3>, bucket| Subject {
        name: "HttpS3 on SeaweedFS",
        s3: http.clone().map(|http| Arc::new(http) as Arc<dyn S3Client>),
        http,
        bucket,
        lacks: lacks_seaweedfs,
    };
    let Some(server) = SeaweedFs::from_env()? else {
        return Ok(subject(None, Bucket::parse(BUCKET)?));
    };
    let credentials = Credentials::key(&server.access_key, server.secret_key());
    let builder = HttpS3::builder().endpoint(&server.endpoint).credentials(credentials);
    Ok(subject(Some(builder.build().await?), Bucket::parse(server.bucket)?))
}
