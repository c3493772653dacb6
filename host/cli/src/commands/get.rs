use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use artifact_store::{ArtifactStore, DownloadError, ObjectInfo, ParallelDownload};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};

use super::Store;
use crate::{
    args::GetArgs,
    failure::Failure,
    output::{Destination, Output, Progress, description_json, printable},
};

/// Writes an artifact to standard output or to a file.
pub async fn run(args: &GetArgs, store: &Store<'_>, output: &Output) -> Result<(), Failure> {
    let file = args.output.as_deref().filter(|path| path.as_os_str() != "-");
    let mut destination = match file {
        Some(path) => Destination::file(path)?,
        None => Destination::stdout(),
    };
    let store = store.start().await?;
    if let (Some(path), Some(filled)) = (file, destination.regular_file().await?) {
        let (length, info) = fill(args, &store, path, &filled, output).await?;
        destination.finish().await?;
        return told(args, path, length, &info, output);
    }
    let artifact = store.get_with(&args.key, &args.read.options()).await?;
    let info = artifact.info().clone();
    // A bar in the midst of the artifact would help nobody.
    let bar_is_in_the_way = destination.is_stdout() && output.stdout_is_terminal;
    let quiet = Output { quiet: output.quiet || bar_is_in_the_way, ..output.clone() };
    let progress = Progress::start(&quiet, &args.key, artifact.length());

    let stream = artifact.into_stream().map_err(Failure::from);
    let mut stream: std::pin::Pin<Box<dyn Stream<Item = _> + Send>> = Box::pin(stream);
    if destination.is_stdout() && output.stdout_is_terminal {
        let first = stream.try_next().await?.unwrap_or_default();
        if is_binary(&first) {
            ask(&args.key, output).await?;
        }
        stream = Box::pin(futures::stream::once(async { Ok(first) }).chain(stream));
    }
    let mut length = 0;
    while let Some(chunk) = stream.try_next().await? {
        destination.write(&chunk).await?;
        length += chunk.len() as u64;
        progress.at(length);
    }
    destination.finish().await?;
    drop(progress);
    if let Some(path) = file {
        told(args, path, length, &info, output)?;
    }
    Ok(())
}

/// Reads the artifact into a file, a large one by several requests at a time.
async fn fill(
    args: &GetArgs,
    store: &ArtifactStore,
    path: &Path,
    file: &File,
    output: &Output,
) -> Result<(u64, ObjectInfo), Failure> {
    let progress = Progress::start(output, &args.key, None);
    let download = ParallelDownload::default().observed(progress.observer_of_all());
    let options = args.read.options();
    let info = store.get_to_file(&args.key, &options, file, &download).await;
    let info = info.map_err(|error| match error {
        DownloadError::Get(error) => Failure::from(error),
        DownloadError::File(error) => Failure::output(path, error),
    })?;
    let length = file.metadata().map_err(|error| Failure::output(path, error))?.len();
    Ok((length, info))
}

fn told(
    args: &GetArgs,
    path: &Path,
    length: u64,
    info: &ObjectInfo,
    output: &Output,
) -> Result<(), Failure> {
    if output.json {
        let mut value = description_json(&args.key, info);
        value["file"] = path.display().to_string().into();
        value["written"] = length.into();
        return output.json(&value);
    }
    output.say(&printable(&format!("wrote {}: {length} bytes of {}", path.display(), args.key)));
    Ok(())
}

/// Whether a terminal would make a mess of it: control characters other than
/// those of text, or what is no UTF-8.
fn is_binary(start: &Bytes) -> bool {
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        // The last character may go on in the next chunk.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return true,
    };
    text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
}

/// Asks before binary goes to a terminal.
async fn ask(key: &str, output: &Output) -> Result<(), Failure> {
    if !output.stdin_is_terminal {
        return Err(Failure::usage(format!(
            "{key:?} is binary and would garble the terminal: give -o FILE, or pipe it on"
        )));
    }
    let _ = write!(
        anstream::stderr().lock(),
        "{} is binary and may garble the terminal. Write it all the same? [y/N] ",
        printable(key)
    );
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map(|_| answer)
    });
    let answer = match answer.await {
        Ok(answer) => answer.map_err(|error| Failure::input("the answer", error))?,
        Err(error) => return Err(Failure::input("the answer", io::Error::other(error))),
    };
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        Ok(())
    } else {
        Err(Failure::usage("not written: give -o FILE, or pipe it on"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text_also_when_cut_within_a_character() {
        assert!(!is_binary(&Bytes::from("--- a\n+++ b\tü\r\n")));
        assert!(!is_binary(&Bytes::from(&"ü".as_bytes()[..1])));
        assert!(!is_binary(&Bytes::new()));
        assert!(is_binary(&Bytes::from_static(b"PK\x03\x04\0")));
        assert!(is_binary(&Bytes::from_static(b"\xff\xfe")));
    }
}
