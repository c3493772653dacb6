use std::{io, path::Path};

use artifact_store::Body;

use super::Store;
use crate::{
    args::PutArgs,
    failure::Failure,
    output::{Output, Progress, description_json, printable},
};

/// Stores a file, or standard input.
pub async fn run(args: &PutArgs, store: &Store<'_>, output: &Output) -> Result<(), Failure> {
    let body = body(args, output).await?;
    let store = store.start().await?;
    let progress = Progress::start(output, &args.key, body.length());
    let body = body.observed(progress.observer());
    let info = store.put_with(&args.key, body, &args.options()).await?;
    drop(progress);
    if output.json {
        return output.json(&description_json(&args.key, &info));
    }
    let etag = info.etag.map(|etag| format!(", etag {etag}")).unwrap_or_default();
    output.say(&printable(&format!("stored {}: {} bytes{etag}", args.key, info.size)));
    Ok(())
}

/// What is to be stored: a file, or standard input.
pub async fn body(args: &PutArgs, output: &Output) -> Result<Body, Failure> {
    match &args.file {
        Some(path) if !args.is_stdin() => {
            file(path).await.map_err(|error| Failure::input(path.display(), error))
        }
        None if output.stdin_is_terminal => Err(Failure::usage(
            "nothing to store: name a FILE, pipe the artifact in, or give `-` to type it",
        )),
        _ => stdin().await.map_err(|error| Failure::input("standard input", error)),
    }
}

/// A file; or whatever else has a path and can be read, such as a pipe.
pub async fn file(path: &Path) -> io::Result<Body> {
    let metadata = tokio::fs::metadata(path).await?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if metadata.is_file() {
        return Body::from_file(path).await;
    }
    Ok(Body::from_reader(tokio::fs::File::open(path).await?, None))
}

/// Standard input. Where it is a file (`put KEY < FILE`) its length is known.
#[cfg(unix)]
async fn stdin() -> io::Result<Body> {
    use std::os::fd::AsFd;

    use tokio::io::AsyncSeekExt;

    let own = io::stdin().as_fd().try_clone_to_owned()?;
    let mut file = tokio::fs::File::from_std(own.into());
    let metadata = file.metadata().await?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Ok(Body::from_reader(tokio::io::stdin(), None));
    }
    let position = file.stream_position().await?;
    let length = metadata.len().saturating_sub(position);
    Ok(Body::from_reader(file, Some(length)))
}

/// Standard input.
#[cfg(not(unix))]
#[expect(clippy::unused_async, reason = "as on Unix")]
async fn stdin() -> io::Result<Body> {
    Ok(Body::from_reader(tokio::io::stdin(), None))
}
