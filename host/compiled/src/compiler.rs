use std::{io, path::PathBuf, time::Duration};

use bytes::Bytes;
use wasmtime::{Engine, component::Component};

use crate::{Code, CodeCache, Key, process};

/// Who compiles components, and where the code is kept.
///
/// Compiling takes time and memory as the component's author wants it to: a few
/// megabytes can take minutes and gigabytes. A process of its own can be killed.
///
/// Default: in this process, without bounds and without a cache. That is for
/// components that are trusted.
///
/// ```no_run
/// # use artifact_compiled as artifact_store;
/// use artifact_store::{CodeCache, Compiler};
///
/// let compiler = Compiler::this_program()?.cache(CodeCache::new("/home/me/.cache/my-app"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Compiler {
    program: Option<PathBuf>,
    limits: CompileLimits,
    cache: Option<CodeCache>,
}

/// What the compilation of one component may take, in a process of its own.
#[derive(Clone, Debug)]
pub struct CompileLimits {
    /// Time until the code is there.
    ///
    /// Stops a component that is made to keep the compiler busy. Default 2 minutes:
    /// one of 12 MB takes some ten seconds of one core, and three times that where this
    /// library is not optimised.
    pub time: Duration,
    /// Address space of the process, in bytes. Not bounded on macOS and Windows.
    ///
    /// Stops a component that is made to fill the memory. Default 2 GiB.
    pub memory_bytes: u64,
    /// Machine code, in bytes.
    ///
    /// Stops a component that becomes many times larger, which this process then has to
    /// hold. Default 256 MiB: code has four times the size of its component, and
    /// components have at most 32 MiB.
    pub code_bytes: u64,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self { time: Duration::from_mins(2), memory_bytes: 2 << 30, code_bytes: 256 << 20 }
    }
}

/// Why there is no code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// It is no valid component; the compiler says why.
    #[error("it is not valid: {0}")]
    Invalid(String),
    /// See [`CompileLimits::time`].
    #[error("it took longer than {0:?}, which is the limit")]
    Time(Duration),
    /// See [`CompileLimits::memory_bytes`].
    #[error("it needed more than {} MiB of memory, which is the limit", .0 >> 20)]
    Memory(u64),
    /// See [`CompileLimits::code_bytes`].
    #[error("it became more than {} MiB of machine code, which is the limit", .0 >> 20)]
    Size(u64),
    /// The compiler could not be started, or did not do what compilers do.
    #[error("{0}")]
    Compiler(String, #[source] Option<io::Error>),
}

impl Compiler {
    /// A process of its own for each component: this very program once more, whose
    /// `main` begins with [`compile_if_asked`](crate::compile_if_asked).
    pub fn this_program() -> io::Result<Self> {
        std::env::current_exe().map(Self::program)
    }

    /// Another program, whose `main` begins with `compile_if_asked` of the same version
    /// of this library. The code that it answers is run, so it must be trusted.
    #[must_use]
    pub fn program(program: impl Into<PathBuf>) -> Self {
        Self { program: Some(program.into()), ..Self::default() }
    }

    /// The same, compiling in this process: for components that are trusted.
    #[must_use]
    pub fn in_process(&self) -> Self {
        Self { program: None, ..self.clone() }
    }

    /// What one compilation may take. It means nothing in this process.
    #[must_use]
    pub fn limits(mut self, limits: CompileLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Keeps code, and takes it from there the next time.
    #[must_use]
    pub fn cache(mut self, cache: CodeCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Gives the component as code of this engine, away from the async threads.
    pub async fn compile(
        &self,
        engine: &Engine,
        component: Bytes,
    ) -> Result<Component, CompileError> {
        let (engine, cache) = (engine.clone(), self.cache.clone());
        let (key, found) = blocking({
            let (engine, cache, component) = (engine.clone(), cache.clone(), component.clone());
            move || {
                let key = Key::new(&engine, &component);
                let code = cache.and_then(|cache| cache.find(key));
                Ok((key, code.and_then(|code| code.load(&engine).ok())))
            }
        })
        .await?;
        if let Some(component) = found {
            return Ok(component);
        }
        let answer = match &self.program {
            Some(program) => Some(process::compile(program, &self.limits, key, &component).await?),
            None => None,
        };
        blocking(move || {
            let invalid = |error: wasmtime::Error| CompileError::Invalid(format!("{error:#}"));
            let code = match answer {
                Some(answer) => process::open(key, answer)?,
                None => Code::compile(&engine, &component).map_err(invalid)?,
            };
            let component = code.load(&engine).map_err(invalid)?;
            if let Some(cache) = cache {
                cache.keep(key, &code);
            }
            Ok(component)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CompileError> + Send + 'static,
) -> Result<T, CompileError> {
    let failed = |error| {
        let error = io::Error::other(error);
        Err(CompileError::Compiler("the compiler failed".to_owned(), Some(error)))
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(failed)
}
