//! The component: answers each call, or passes it on to the next store.

#![cfg_attr(target_family = "wasm", no_main)]

wit_bindgen::generate!({ path: "wit", world: "policy", generate_all });

use agent::artifacts::{
    objects::{Body, Object, Receipt},
    store as next,
    types::{
        DeleteOptions, Error, ErrorCode, GetOptions, ListOptions, Listing, ObjectInfo, PutOptions,
    },
};
use policy::{DRAFTS, refusal};
use wasi::config::store as settings;

struct Component;

impl exports::agent::artifacts::store::Guest for Component {
    fn put(key: String, body: Body, options: PutOptions) -> Result<Receipt, Error> {
        check(&key)?;
        next::put(&key, body, &options)
    }

    fn get(key: String, options: GetOptions) -> Result<Object, Error> {
        next::get(&key, &options)
    }

    fn head(key: String, options: GetOptions) -> Result<ObjectInfo, Error> {
        next::head(&key, &options)
    }

    fn delete(key: String, options: DeleteOptions) -> Result<(), Error> {
        next::delete(&key, &options)
    }

    fn list(options: ListOptions) -> Result<Listing, Error> {
        next::list(&options)
    }
}

export!(Component);

fn check(key: &str) -> Result<(), Error> {
    let refused = settings::get("refuse").map_err(|_| {
        error(ErrorCode::PolicyFailed, "the setting `refuse` cannot be read".to_owned())
    })?;
    match refusal(refused.as_deref().unwrap_or(DRAFTS), key) {
        Some(message) => Err(error(ErrorCode::PolicyDenied, message)),
        None => Ok(()),
    }
}

fn error(code: ErrorCode, message: String) -> Error {
    Error { code, message, retryable: false, cause: None }
}

/// Only a native build wants it: a component is called through its exports.
#[cfg(not(target_family = "wasm"))]
fn main() {}
