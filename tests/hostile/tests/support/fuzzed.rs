//! What the targets in `fuzz/` do with their bytes, and CI with its corpus: whatever comes
//! in, an error or an answer comes out, and nothing panics.

use std::sync::OnceLock;

use arbitrary::Unstructured;
use artifact_s3::MemoryS3;
use artifact_store::{
    Operation::{Delete, Get, Head, List, Put},
    Policy, PolicyGrant,
};
use tokio::runtime::{Builder, Runtime};
use wasm_smith::{Config, Module};

use super::{builder, call, wat};

/// Any bytes, as a policy.
pub(crate) fn load(bytes: &[u8]) {
    called(bytes.to_vec());
}

/// A core module that has the imports and exports of a policy, and else what
/// [`wasm_smith`] makes of the bytes.
pub(crate) fn smith(bytes: &[u8]) {
    let shape = ::wat::parse_str(wat::module("")).unwrap();
    let config = Config {
        module_shape: Some(shape),
        max_memory32_bytes: 1 << 20,
        // What the sandbox has off, it would only refuse.
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        relaxed_simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..Config::default()
    };
    let Ok(module) = Module::new(config, &mut Unstructured::new(bytes)) else { return };
    let (resolve, contract) = wat::contract();
    called(wat::encode(module.to_bytes(), &resolve, contract, Some("policy")));
}

/// Starts a store behind the policy, and makes each of the calls.
fn called(policy: Vec<u8>) {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    });
    runtime.block_on(async {
        let policy = Policy::from_bytes(policy).grant(PolicyGrant::all().digest(true).clock(true));
        let Ok(store) = builder(&MemoryS3::new()).policy(policy).start().await else { return };
        for operation in [Put, Get, Head, Delete, List] {
            let _ = call(&store, operation, "k").await;
        }
    });
}
