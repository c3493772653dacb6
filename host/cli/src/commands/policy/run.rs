use artifact_store::{
    ArtifactStore, ObjectInfo, PutOptions,
    s3::{Bucket, MemoryS3, ObjectKey, S3Client},
};
use futures::TryStreamExt;
use serde_json::{Value, json};
use tracing::instrument::WithSubscriber;
use tracing_subscriber::layer::SubscriberExt;

use super::seen::{Capture, Event, Seen};
use crate::{
    args::{Call, CallOperation, RunArgs},
    commands::{put, recorder::Recorder},
    connect,
    environment::Environment,
    failure::{Exit, Failure},
    output::{self, Output, description, failure_json, options, printable},
    settings::{PolicyEntry, Settings},
};

const BUCKET: &str = "trial";

/// Tries a policy in front of a store in memory, and shows what it asked for.
pub async fn run(
    args: &RunArgs,
    settings: &Settings,
    (env, verbose): (&Environment, u8),
    output: &Output,
) -> Result<(), Failure> {
    let calls = match args.calls() {
        Ok(calls) => calls,
        Err(error) => {
            return match output::usage(&error) {
                Exit::Done => Ok(()),
                exit => Err(Failure::Told(exit)),
            };
        }
    };
    let output =
        Output { json: output.json || calls.iter().any(|call| call.json), ..output.clone() };
    let seen = Seen::default();
    let subscriber = tracing_subscriber::registry()
        // What is told without being asked for, the trial shows by itself.
        .with((verbose > 0).then(|| output::trace_layer(verbose, env)))
        .with(Capture::layer(&seen));
    trial(args, &calls, (settings, env), &seen, &output).with_subscriber(subscriber).await
}

async fn trial(
    args: &RunArgs,
    calls: &[Call],
    (settings, env): (&Settings, &Environment),
    seen: &Seen,
    output: &Output,
) -> Result<(), Failure> {
    let configured = match &settings.chain {
        Some(chain) => chain.value.policy(&args.file)?,
        None => None,
    };
    let granted_by = if configured.is_some() { "its [[policy]]" } else { "this trial" };
    let entry = configured.unwrap_or_else(|| PolicyEntry::trial(&args.file));
    let entry = entry.with(args.operations.as_deref(), args.keys_under.as_deref(), &args.set)?;
    let policy = entry.load().await?;
    let s3 = MemoryS3::new();
    for (key, file) in &args.with {
        seed(&s3, key, file).await?;
    }
    let recorded = seen.clone();
    let client = Recorder { inner: s3, seen: move |call| recorded.add(Event::S3(call)) };
    let mut store = ArtifactStore::builder().bucket(BUCKET).client(client).policy(policy);
    store = store.sandbox(connect::sandbox(settings, env)?);
    if let Some(timeout) = &settings.timeout {
        store = store.deadline(timeout.value.0);
    }
    let store = store.start().await?;

    if output.json {
        output.json(&json!({
            "policy": entry.to_string(), "granted_by": granted_by, "grant": entry.grant_shown(),
        }))?;
    } else {
        let line = format!("{entry}, granted by {granted_by}: {}", entry.grant_shown().join(", "));
        output.data(&format!("{}\n", printable(&line)))?;
    }
    let mut exit = Exit::Done;
    for call in calls {
        let answer = answer(&store, &call.operation, output).await;
        exit = exit.worse(show(&asked(&call.operation), &seen.take(), answer, output)?);
    }
    if exit == Exit::Done { Ok(()) } else { Err(Failure::Told(exit)) }
}

/// Puts an object past the policy.
async fn seed(s3: &MemoryS3, key: &str, file: &str) -> Result<(), Failure> {
    let body = put::file(file.as_ref()).await.map_err(|error| Failure::input(file, error))?;
    let wrong = |error: &dyn std::error::Error| Failure::usage(format!("--with {key}: {error}"));
    let key = ObjectKey::parse(key.to_owned()).map_err(|error| wrong(&error))?;
    let bucket = Bucket::parse(BUCKET).map_err(|error| wrong(&error))?;
    let stored = s3.put_object(&bucket, &key, body, &PutOptions::default()).await;
    stored.map(|_| ()).map_err(|error| wrong(&error))
}

/// Makes one call; gives what the store answered, in lines.
async fn answer(
    store: &ArtifactStore,
    call: &CallOperation,
    output: &Output,
) -> Result<Vec<String>, Failure> {
    let described = |key: &str, info: &ObjectInfo| {
        let lines = description(key, info).into_iter();
        lines.map(|(name, value)| format!("{name}: {value}")).collect()
    };
    Ok(match call {
        CallOperation::Put(args) => {
            let body = put::body(args, output).await?;
            described(&args.key, &store.put_with(&args.key, body, &args.options()).await?)
        }
        CallOperation::Get(args) => {
            let artifact = store.get_with(&args.key, &args.read.options()).await?;
            let info = artifact.info().clone();
            let mut lines: Vec<String> = described(&args.key, &info);
            let mut chunks = artifact.into_stream();
            let mut length = 0;
            while let Some(chunk) = chunks.try_next().await? {
                length += chunk.len();
            }
            lines.push(format!("{length} bytes were read"));
            lines
        }
        CallOperation::Head(args) => {
            described(&args.key, &store.head_with(&args.key, &args.read.options()).await?)
        }
        CallOperation::List(args) => {
            let page = store.list_with(&args.options()).await?;
            let keys = page.objects.into_iter().map(|object| object.key);
            let keys: Vec<String> = keys.chain(page.common_prefixes).collect();
            if keys.is_empty() { vec!["no keys".to_owned()] } else { keys }
        }
        CallOperation::Delete(args) => {
            for key in &args.keys {
                store.delete_with(key, &args.options()).await?;
            }
            vec!["deleted".to_owned()]
        }
    })
}

/// What the caller asks, in one line.
fn asked(call: &CallOperation) -> String {
    let (name, key, options) = match call {
        CallOperation::Put(args) => ("put", args.key.clone(), options::of_put(&args.options())),
        CallOperation::Get(args) => {
            ("get", args.key.clone(), options::of_get(&args.read.options()))
        }
        CallOperation::Head(args) => {
            ("head", args.key.clone(), options::of_get(&args.read.options()))
        }
        CallOperation::List(args) => {
            ("list", args.under.clone(), options::of_list(&args.options()))
        }
        CallOperation::Delete(args) => {
            ("delete", args.keys.join(" "), options::of_delete(&args.options()))
        }
    };
    let name = if key.is_empty() { name.to_owned() } else { format!("{name} {key}") };
    [vec![name], options].concat().join(", ")
}

fn show(
    asked: &str,
    events: &[Event],
    answer: Result<Vec<String>, Failure>,
    output: &Output,
) -> Result<Exit, Failure> {
    let exit = answer.as_ref().map_or_else(Failure::exit, |_| Exit::Done);
    if output.json {
        let answer = match answer {
            Ok(lines) => json!({ "ok": lines }),
            Err(failure) => json!({ "error": failure_json(&failure) }),
        };
        let events: Vec<Value> = events.iter().map(Event::json).collect();
        output.json(&json!({ "asked": asked, "events": events, "answer": answer }))?;
        return Ok(exit);
    }
    let events = events.iter().map(|event| (event.what(), event.text()));
    let answer = match answer {
        Ok(lines) => lines,
        Err(failure) => {
            let kind = failure.kind();
            let causes = failure.causes().into_iter().map(|cause| format!("caused by: {cause}"));
            [format!("{kind}: {failure}")].into_iter().chain(causes).collect()
        }
    };
    let mut before = "";
    let mut line = |(what, said): (&'static str, String)| {
        // Of several lines of an answer the first has its name.
        let name = if what == "answer" && before == what { "" } else { what };
        before = what;
        format!("  {name:<10}  {}\n", printable(&said))
    };
    let lines = events.chain(answer.into_iter().map(|line| ("answer", line)));
    let lines: String = lines.map(&mut line).collect();
    output.data(&format!("\n{}\n{lines}", printable(asked)))?;
    Ok(exit)
}
