use std::{
    io::{self, Read, Write},
    process::ExitCode,
};

use wasmtime::{Config, Engine};

use crate::{Code, Key, Sealed};

/// The argument that says what the process is for.
pub(crate) const ARGUMENT: &str = "--compile-artifact-component";
/// The exit code of a child that says on standard error what is wrong with a component.
pub(crate) const INVALID: u8 = 65;

/// If this process was started to compile a component: does that, and gives the exit
/// code. Otherwise nothing happens.
///
/// It belongs at the beginning of `main`, before threads and files are there. `config`
/// must be that of the engine which runs the components.
pub fn compile_if_asked(config: impl FnOnce() -> Config) -> Option<ExitCode> {
    if std::env::args_os().nth(1)? != ARGUMENT {
        return None;
    }
    Some(match compile(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = write!(io::stderr(), "{error:#}");
            ExitCode::from(INVALID)
        }
    })
}

fn compile(config: impl FnOnce() -> Config) -> wasmtime::Result<()> {
    let mut stdin = io::stdin().lock();
    let mut head = [0; Request::BYTES];
    stdin.read_exact(&mut head)?;
    let request = Request::from_bytes(&head);
    request.confine()?;
    let mut component = Vec::new();
    stdin.read_to_end(&mut component)?;
    let engine = Engine::new(&config())?;
    let key = Key::new(&engine, &component);
    if key != request.key {
        return Err(wasmtime::Error::msg(
            "the compiler's program has another version of the library, or other settings",
        ));
    }
    let code = Code::compile(&engine, &component)?;
    let mut stdout = io::stdout().lock();
    stdout.write_all(&Sealed::head(key, &code))?;
    stdout.write_all(code.bytes())?;
    Ok(stdout.flush()?)
}

/// What comes before the component.
pub(crate) struct Request {
    pub(crate) memory_bytes: u64,
    pub(crate) cpu_seconds: u64,
    pub(crate) key: Key,
}

impl Request {
    const BYTES: usize = 8 + 8 + 32;

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [&self.memory_bytes.to_le_bytes()[..], &self.cpu_seconds.to_le_bytes(), &self.key.0]
            .concat()
    }

    fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let mut memory = [0; 8];
        let mut cpu = [0; 8];
        let mut key = [0; 32];
        memory.copy_from_slice(&bytes[..8]);
        cpu.copy_from_slice(&bytes[8..16]);
        key.copy_from_slice(&bytes[16..]);
        Self {
            memory_bytes: u64::from_le_bytes(memory),
            cpu_seconds: u64::from_le_bytes(cpu),
            key: Key(key),
        }
    }

    /// Takes from this process what a compiler does not need.
    #[cfg(unix)]
    fn confine(&self) -> io::Result<()> {
        use rustix::process::{Resource, Rlimit, setrlimit};
        for (resource, most) in [
            (Resource::As, self.memory_bytes),
            (Resource::Cpu, self.cpu_seconds),
            // No file is written, and no memory of ours dumped into one.
            (Resource::Fsize, 0),
            (Resource::Core, 0),
            (Resource::Nofile, 16),
        ] {
            setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
        }
        Ok(())
    }

    /// Only the time is bounded, by the parent.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "as on Unix")]
    fn confine(&self) -> io::Result<()> {
        Ok(())
    }
}
