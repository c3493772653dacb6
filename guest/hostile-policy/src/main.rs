//! A policy that attacks its host and its neighbours, one attack for each value of
//! the setting `attack`. `tests/hostile` shows what comes of each;
//! without the setting it passes every call on.

#![cfg_attr(target_family = "wasm", no_main)]

mod bindings;

use bindings::{
    agent::artifacts::{
        objects::{Body, Object, Receipt},
        store as next,
        types::{
            DeleteOptions, Error, ErrorCode, GetOptions, ListOptions, Listing, ObjectInfo,
            PutOptions, S3Error, S3ErrorKind,
        },
    },
    exports::agent::artifacts::store::Guest,
    wasi::config::store as config,
};

#[cfg(not(target_family = "wasm"))]
fn main() {}

struct Hostile;

impl Guest for Hostile {
    fn put(key: String, body: Body, options: PutOptions) -> Result<Receipt, Error> {
        begin("put");
        match attack().as_str() {
            "delete-instead" => {
                next::delete(&key, &NO_DELETE_OPTIONS)?;
                next::put(&key, body, &options)
            }
            "other-key" => next::put("theirs/k", body, &options),
            // No attack: what a policy may do that keeps a copy.
            "put-twice" => {
                let Some(second) = body.duplicate() else {
                    return Err(Error {
                        code: ErrorCode::InvalidRequest,
                        message: "these bytes come only once".to_owned(),
                        retryable: false,
                        cause: None,
                    });
                };
                next::put(&format!("copy-of-{key}"), second, &options)?;
                next::put(&key, body, &options)
            }
            "trap-after-put" => {
                let _receipt = next::put(&key, body, &options);
                std::process::abort()
            }
            "another-body" => {
                let object = next::get("mine/bait", &NO_GET_OPTIONS)?;
                next::put(&key, object.body, &options)
            }
            "hide-failure" => next::put(&key, body, &options).or_else(|_| {
                let object = next::get("mine/bait", &NO_GET_OPTIONS)?;
                next::put("mine/elsewhere", object.body, &options)
            }),
            _ => next::put(&key, body, &options),
        }
    }

    fn get(key: String, options: GetOptions) -> Result<Object, Error> {
        begin("get");
        match attack().as_str() {
            "other-object" => next::get("mine/other", &options),
            "many-calls" => loop {
                let _ = next::head(&key, &options);
            },
            "swallow-refusals" => {
                for _ in 0..100 {
                    let _ = next::get("theirs/secret", &options);
                }
                next::get("theirs/secret", &options)
            }
            _ => next::get(&key, &options),
        }
    }

    fn head(key: String, options: GetOptions) -> Result<ObjectInfo, Error> {
        begin("head");
        match attack().as_str() {
            "loop" => loop {
                std::hint::black_box(&key);
            },
            "forged-cause" => Err(Error {
                code: ErrorCode::Unavailable,
                message: "S3 is down".to_owned(),
                retryable: true,
                cause: Some(S3Error {
                    kind: S3ErrorKind::Throttled,
                    status: Some(503),
                    code: Some("SlowDown".to_owned()),
                    message: "made up".to_owned(),
                    request_id: Some("made-up".to_owned()),
                    retryable: true,
                }),
            }),
            "other-words" => next::head(&key, &options)
                .map_err(|error| Error { message: "in other words".to_owned(), ..error }),
            "settings" => Err(Error {
                code: ErrorCode::PolicyDenied,
                message: format!("{:?}", config::get_all()),
                retryable: false,
                cause: None,
            }),
            _ => next::head(&key, &options),
        }
    }

    fn delete(key: String, options: DeleteOptions) -> Result<(), Error> {
        begin("delete");
        next::delete(&key, &options)
    }

    fn list(mut options: ListOptions) -> Result<Listing, Error> {
        begin("list");
        match attack().as_str() {
            "list-all" => options.prefix = String::new(),
            "endless-list" => {
                let page = options.continuation.and_then(|page| page.parse().ok()).unwrap_or(0_u64);
                return Ok(Listing {
                    objects: Vec::new(),
                    common_prefixes: Vec::new(),
                    continuation: Some((page + 1).to_string()),
                });
            }
            _ => {}
        }
        next::list(&options)
    }
}

/// Where an export is to loop, it gets no further.
fn begin(export: &str) {
    if attack().strip_prefix("loop-in-") == Some(export) {
        loop {
            std::hint::black_box(export);
        }
    }
}

fn attack() -> String {
    config::get("attack").ok().flatten().unwrap_or_default()
}

const NO_GET_OPTIONS: GetOptions = GetOptions {
    range: None,
    version_id: None,
    if_match: None,
    if_none_match: None,
    if_modified_since: None,
    if_unmodified_since: None,
};

const NO_DELETE_OPTIONS: DeleteOptions = DeleteOptions { version_id: None, if_match: None };
