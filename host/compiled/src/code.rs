use std::{
    fmt,
    hash::{Hash, Hasher},
};

use sha2::{Digest, Sha256};
use wasmtime::{Engine, component::Component};

/// A component as machine code, from a compiler of ours.
///
/// Who can make one decides what this process runs: see the uses of [`Code::believed`].
pub(crate) struct Code(Vec<u8>);

impl Code {
    /// Compiles here and now.
    pub(crate) fn compile(engine: &Engine, component: &[u8]) -> wasmtime::Result<Self> {
        engine.precompile_component(component).map(Self)
    }

    /// Takes bytes for code. To be called with what a compiler answered, or what the
    /// cache has verified, and with nothing else.
    pub(crate) fn believed(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Makes it ready to be instantiated.
    #[expect(unsafe_code, reason = "machine code is believed; who makes a `Code` sees to it")]
    pub(crate) fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        // SAFETY: `deserialize` asks for bytes that `Engine::precompile_component` made,
        // unchanged. There are three ways to a `Code`: that very call (`compile`); the
        // answer of the child process that makes it, which came over a pipe that nobody
        // else has, with its digest (`process.rs`); and a file that this user wrote and
        // nobody else could have, in which key and digest are right (`cache.rs`).
        // wasmtime itself compares version, target and settings before it goes on.
        unsafe { Component::deserialize(engine, &self.0) }
    }
}

/// What tells one piece of code from another: the component, and the engine that it
/// was compiled for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(pub(crate) [u8; 32]);

impl Key {
    pub(crate) fn new(engine: &Engine, component: &[u8]) -> Self {
        let mut hasher = Sha256Hasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let engine = hasher.0.finalize();
        let component = Sha256::digest(component);
        Self(Sha256::new().chain_update(engine).chain_update(component).finalize().into())
    }
}

impl fmt::LowerHex for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Whatever can be hashed, by a hash that nobody can find a second input for, and that
/// is the same in every program.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        // Nobody asks: what is hashed is taken whole.
        0
    }
}
