//! The policy `read-only`: refuses put and delete, and passes on everything else.

// Without `main` nothing of std's runtime (threads, standard output) is drawn in.
#![cfg_attr(target_family = "wasm", no_main)]

mod bindings;

use artifact_guest_heap as _;
use artifact_policy_read_only::refusal;

use bindings::{
    agent::artifacts::{
        objects::{Body, Object, Receipt},
        store as next,
        types::{
            DeleteOptions, Error, ErrorCode, GetOptions, ListOptions, Listing, ObjectInfo,
            PutOptions,
        },
    },
    exports::agent::artifacts::store::Guest,
};

/// A component is called through its exports. It is a program and not a library
/// only because a native build of the workspace cannot link the latter.
#[cfg(not(target_family = "wasm"))]
fn main() {}

struct ReadOnly;

impl Guest for ReadOnly {
    fn put(key: String, _body: Body, _options: PutOptions) -> Result<Receipt, Error> {
        Err(denied("put", &key))
    }

    fn get(key: String, options: GetOptions) -> Result<Object, Error> {
        next::get(&key, &options)
    }

    fn head(key: String, options: GetOptions) -> Result<ObjectInfo, Error> {
        next::head(&key, &options)
    }

    fn delete(key: String, _options: DeleteOptions) -> Result<(), Error> {
        Err(denied("delete", &key))
    }

    fn list(options: ListOptions) -> Result<Listing, Error> {
        next::list(&options)
    }
}

fn denied(call: &str, key: &str) -> Error {
    Error {
        code: ErrorCode::PolicyDenied,
        message: refusal(call, key),
        retryable: false,
        cause: None,
    }
}
