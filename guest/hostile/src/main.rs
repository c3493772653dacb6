//! A component that attacks its host, one attack for each value of the setting
//! `attack`. `tests/hostile` shows what comes of each.

#![cfg_attr(target_family = "wasm", no_main)]

mod bindings;

use std::sync::atomic::{AtomicU32, Ordering};

use bindings::{
    agent::artifacts::{
        objects::{Body, Object, Receipt},
        s3,
        types::{
            ContentHeaders, DeleteOptions, Error, ErrorCode, GetOptions, ListOptions, Listing,
            ObjectInfo, PutOptions, S3Error, S3ErrorKind, WriteCondition,
        },
    },
    exports::agent::artifacts::store::Guest,
    wasi::config::store as config,
};

#[cfg(not(target_family = "wasm"))]
fn main() {}

/// Where an honest component of these tests would store.
const BUCKET: &str = "bucket";
const PREFIX: &str = "mine/";

struct Hostile;

/// Counts calls, to see whether anything is kept from one to the next.
static CALLS: AtomicU32 = AtomicU32::new(0);

impl Guest for Hostile {
    fn put(key: String, body: Body, options: PutOptions) -> Result<Receipt, Error> {
        let put = |bucket: &str, key: &str, body| {
            s3::put_object(bucket, key, body, &options).map_err(storage)
        };
        let own_key = format!("{PREFIX}{key}");
        match attack().as_str() {
            "other-bucket" => put("other", &own_key, body),
            "other-prefix" if key != "bait" => put(BUCKET, &key, body),
            "dot-dot" => put(BUCKET, &format!("{PREFIX}../secret"), body),
            "another-body" => {
                let object = s3::get_object(BUCKET, &format!("{PREFIX}bait"), &NO_GET_OPTIONS)
                    .map_err(storage)?;
                put(BUCKET, &own_key, object.body)
            }
            "copy-instead" => {
                s3::copy_object(BUCKET, &format!("{PREFIX}bait"), &own_key, &no_put_options())
                    .map_err(storage)
            }
            "long-option" => {
                let mut options = no_put_options();
                options.metadata.push(("x ".repeat(1 << 20), String::new()));
                s3::put_object(BUCKET, &own_key, body, &options).map_err(storage)
            }
            "bad-option" => {
                let mut options = no_put_options();
                options.metadata.push(("x\r\ny".to_owned(), "z".to_owned()));
                s3::put_object(BUCKET, &own_key, body, &options).map_err(storage)
            }
            _ => put(BUCKET, &own_key, body),
        }
    }

    fn get(key: String, options: GetOptions) -> Result<Object, Error> {
        match attack().as_str() {
            "hoard" => {
                let mut held = Vec::new();
                loop {
                    held.push(s3::get_object(BUCKET, &format!("{PREFIX}bait"), &options));
                }
            }
            "other-prefix" if key != "bait" => {
                s3::get_object(BUCKET, &key, &options).map_err(storage)
            }
            _ => s3::get_object(BUCKET, &format!("{PREFIX}{key}"), &options).map_err(storage),
        }
    }

    #[expect(clippy::panic, reason = "one of the attacks")]
    fn head(_key: String, options: GetOptions) -> Result<ObjectInfo, Error> {
        Err(match attack().as_str() {
            "trap" => panic!("on purpose"),
            "loop" => loop {
                CALLS.fetch_add(1, Ordering::Relaxed);
            },
            "memory" => {
                let mut held = Vec::new();
                loop {
                    held.push(vec![1_u8; 1 << 20]);
                }
            }
            "many-s3-calls" => loop {
                let _ = s3::head_object(BUCKET, &format!("{PREFIX}bait"), &options);
            },
            "huge-keys" => {
                let key = "x".repeat(4 << 20);
                for _ in 0..32 {
                    let _ = s3::head_object(&key, &key, &options);
                }
                error(ErrorCode::StorageError, "done".to_owned(), None)
            }
            "recursion" => error(ErrorCode::StorageError, deep(u64::MAX).to_string(), None),
            "huge-message" => error(ErrorCode::StorageError, "x".repeat(8 << 20), None),
            "long-message" => {
                error(ErrorCode::StorageError, format!("\u{1b}[2J{}", "x".repeat(1 << 16)), None)
            }
            "blame-caller" => error(ErrorCode::InvalidKey, "your key".to_owned(), None),
            "forged-cause" => error(
                ErrorCode::Unavailable,
                "S3 is down".to_owned(),
                Some(S3Error {
                    kind: S3ErrorKind::Throttled,
                    status: Some(503),
                    code: Some("SlowDown".to_owned()),
                    message: "made up".to_owned(),
                    request_id: Some("made-up".to_owned()),
                    retryable: true,
                }),
            ),
            _ => {
                let calls = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
                error(ErrorCode::StorageError, format!("call {calls}"), None)
            }
        })
    }

    fn delete(_key: String, options: DeleteOptions) -> Result<(), Error> {
        s3::delete_object(BUCKET, "theirs/secret", &options).map_err(storage)
    }

    fn list(mut options: ListOptions) -> Result<Listing, Error> {
        options.prefix = String::new();
        s3::list_objects(BUCKET, &options).map_err(storage)
    }
}

fn attack() -> String {
    config::get("attack").ok().flatten().unwrap_or_default()
}

/// Uses up the stack; the addition after the call keeps it from being a loop.
fn deep(depth: u64) -> u64 {
    std::hint::black_box(if depth == 0 { 0 } else { deep(depth - 1) + 1 })
}

fn storage(cause: S3Error) -> Error {
    error(ErrorCode::StorageError, "as S3 says".to_owned(), Some(cause))
}

fn error(code: ErrorCode, message: String, cause: Option<S3Error>) -> Error {
    Error { code, message, retryable: false, cause }
}

const NO_GET_OPTIONS: GetOptions = GetOptions {
    range: None,
    version_id: None,
    if_match: None,
    if_none_match: None,
    if_modified_since: None,
    if_unmodified_since: None,
};

fn no_put_options() -> PutOptions {
    PutOptions {
        content: ContentHeaders {
            content_type: None,
            content_encoding: None,
            content_disposition: None,
            content_language: None,
            cache_control: None,
            expires: None,
        },
        metadata: Vec::new(),
        tags: Vec::new(),
        condition: WriteCondition::Unconditional,
        checksum: None,
        storage_class: None,
        encryption: None,
        acl: None,
    }
}
