//! Machine code of components: how it is made, kept and loaded.
//!
//! Loading machine code is believing it. So `Code` can only be had from a compiler
//! ([`Compiler`]: this process, or a child that can be killed) or from the cache that
//! a compiler filled, and here is the one unsafe call that runs it.
//!
//! The crate knows wasmtime and nothing of stores: who uses it says how the engine is
//! configured.

mod compiler;
pub use compiler::{CompileError, CompileLimits, Compiler};
mod child;
mod process;
pub use child::compile_if_asked;
mod cache;
mod sealed;
pub use cache::CodeCache;
mod code;
use code::{Code, Key};
use sealed::Sealed;
