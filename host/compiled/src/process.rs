use std::{
    io,
    path::Path,
    process::{ExitStatus, Stdio},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{ChildStdin, Command},
};

use crate::{
    Code, CompileError, CompileLimits, Key, Sealed,
    child::{ARGUMENT, INVALID, Request},
};

/// Bytes of what a child says of a failure.
const MAX_SAID: u64 = 4096;
/// Threads of a child. Each has a stack, which counts as memory.
const MAX_THREADS: usize = 4;

/// Has a child compile the component, and gives its answer, which is not looked at yet.
///
/// The child inherits nothing but three pipes: no variable, so no credential.
pub(crate) async fn compile(
    program: &Path,
    limits: &CompileLimits,
    key: Key,
    component: &[u8],
) -> Result<Vec<u8>, CompileError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let mut command = Command::new(program);
    command
        .arg(ARGUMENT)
        .env_clear()
        .env("RAYON_NUM_THREADS", threads.to_string())
        // Each of glibc's arenas reserves 64 MiB of address space.
        .env("MALLOC_ARENA_MAX", "2")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    #[cfg(windows)]
    if let Some(root) = std::env::var_os("SystemRoot") {
        command.env("SystemRoot", root); // without it no program starts
    }
    let failed = |what: &str, error| {
        let what = format!("the compiler {} {what}", program.display());
        CompileError::Compiler(what, Some(error))
    };
    let mut child = command.spawn().map_err(|error| failed("cannot be started", error))?;
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err(failed("has no pipes", io::Error::other("not piped")));
    };
    let request = Request {
        memory_bytes: limits.memory_bytes,
        // Were this process to end, nobody else would end the child.
        cpu_seconds: (limits.time.as_secs() + 1).saturating_mul(threads as u64),
        key,
    };
    let talk = async {
        let most = limits.code_bytes.saturating_add(Sealed::OVERHEAD);
        let ((), answer, said) = tokio::join!(
            feed(stdin, &request, component),
            // One byte more, to see that it is too much.
            read(stdout, most + 1),
            read(stderr, MAX_SAID),
        );
        let answer = answer?;
        let status = if answer.len() as u64 > most { None } else { Some(child.wait().await?) };
        Ok::<_, io::Error>((status, answer, said?))
    };
    let talked = tokio::time::timeout(limits.time, talk).await;
    if !matches!(talked, Ok(Ok((Some(_), ..)))) {
        // Also waits for it, so that no zombie stays.
        let _ = child.kill().await;
    }
    match talked {
        Err(_) => Err(CompileError::Time(limits.time)),
        Ok(Err(error)) => Err(failed("cannot be talked to", error)),
        Ok(Ok((None, ..))) => Err(CompileError::Size(limits.code_bytes)),
        Ok(Ok((Some(status), answer, _))) if status.success() => Ok(answer),
        Ok(Ok((Some(status), _, said))) => Err(failure(program, limits, status, &said)),
    }
}

/// The code in an answer.
pub(crate) fn open(key: Key, answer: Vec<u8>) -> Result<Code, CompileError> {
    let other = "the compiler answered something else than code: its program must call \
                 `compile_if_asked`, of this very version, first of all";
    Sealed::open(key, answer).ok_or_else(|| CompileError::Compiler(other.to_owned(), None))
}

/// A child that stops to read says why when it ends.
async fn feed(mut stdin: ChildStdin, request: &Request, component: &[u8]) {
    if stdin.write_all(&request.to_bytes()).await.is_ok() {
        let _ = stdin.write_all(component).await;
    }
}

async fn read(pipe: impl AsyncRead + Unpin, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.take(most).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

fn failure(
    program: &Path,
    limits: &CompileLimits,
    status: ExitStatus,
    said: &[u8],
) -> CompileError {
    let said = String::from_utf8_lossy(said);
    let shown: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let shown = shown.trim();
    // What the standard library and the system say when there is no more; the last of a
    // thread, whose stack finds no room.
    let no_memory =
        ["memory allocation of", "Cannot allocate memory", "Resource temporarily unavailable"];
    if no_memory.iter().any(|sign| said.contains(sign)) {
        return CompileError::Memory(limits.memory_bytes);
    }
    if is_out_of_time(status) {
        return CompileError::Time(limits.time);
    }
    if status.code() == Some(i32::from(INVALID)) {
        return CompileError::Invalid(shown.to_owned());
    }
    let what = format!("the compiler {} ended with {status}: {shown}", program.display());
    CompileError::Compiler(what.trim_end_matches([':', ' ']).to_owned(), None)
}

#[cfg(unix)]
fn is_out_of_time(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(rustix::process::Signal::XCPU.as_raw())
}

#[cfg(not(unix))]
fn is_out_of_time(_: ExitStatus) -> bool {
    false
}
