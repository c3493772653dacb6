//! An S3 client that attacks its host, one attack for each value of the setting `attack`.
//! `host/runtime/tests/component_s3.rs` shows what comes of each.

#![cfg_attr(target_family = "wasm", no_main)]

mod bindings;

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering},
};

use bindings::{
    agent::artifacts::types::{
        ContentHeaders, DeleteOptions, Error, ErrorCode, GetOptions, ListOptions, ListedObject,
        Listing, ObjectInfo, PutOptions, S3Error, S3ErrorKind,
    },
    exports::agent::artifacts::{
        content::{self, BodyBorrow, Writer},
        objects::{self, Body, Object, Receipt},
        s3,
    },
    wasi::config::store as config,
};

#[cfg(not(target_family = "wasm"))]
fn main() {}

struct Hostile;

/// The size of every object here.
const SIZE: u64 = 200_000;

/// Counts descriptions, to see whether anything is kept from one to the next.
static HEADS: AtomicU64 = AtomicU64::new(0);

struct StoredBody {
    position: Cell<u64>,
}

impl objects::Guest for Hostile {
    type Body = StoredBody;
    type Receipt = StoredReceipt;
}

impl objects::GuestBody for StoredBody {
    fn length(&self) -> Option<u64> {
        Some(if attack() == "lying-length" { SIZE + 1 } else { SIZE })
    }

    fn duplicate(&self) -> Option<Body> {
        None
    }
}

impl Drop for StoredBody {
    fn drop(&mut self) {
        match attack().as_str() {
            "trap-in-drop" => trap(),
            "loop-in-drop" => endless(),
            _ => {}
        }
    }
}

struct StoredReceipt(u64);

impl objects::GuestReceipt for StoredReceipt {
    fn info(&self) -> ObjectInfo {
        info(self.0)
    }
}

impl content::Guest for Hostile {
    type Writer = Counter;

    fn read(body: BodyBorrow<'_>, limit: u32) -> Result<Vec<u8>, Error> {
        let body: &StoredBody = body.get();
        let end = if attack() == "short" { SIZE / 2 } else { SIZE };
        let left = end.saturating_sub(body.position.get());
        let bytes = match attack().as_str() {
            "trap-in-read" => trap(),
            "loop-in-read" => endless(),
            "endless" => u64::from(limit),
            "big-chunk" => u64::from(limit) + 1,
            "huge-chunk" => 8 << 20,
            "failing-read" => {
                let (code, message) = (ErrorCode::Unavailable, "no\u{1b}[2J".to_owned());
                return Err(Error { code, message, retryable: true, cause: None });
            }
            _ => left.min(u64::from(limit)),
        };
        body.position.set(body.position.get() + bytes);
        Ok(vec![b'x'; usize::try_from(bytes).unwrap_or_default()])
    }
}

struct Counter(Cell<u64>);

impl content::GuestWriter for Counter {
    fn new(_length: Option<u64>) -> Self {
        Self(Cell::new(0))
    }

    fn write(&self, chunk: Vec<u8>) -> Result<(), Error> {
        match attack().as_str() {
            "trap-in-write" => trap(),
            "loop-in-write" => endless(),
            _ => self.0.set(self.0.get() + chunk.len() as u64),
        }
        Ok(())
    }

    fn finish(writer: Writer) -> Result<Body, Error> {
        let Self(written) = writer.into_inner();
        Ok(Body::new(StoredBody { position: written }))
    }
}

impl s3::Guest for Hostile {
    fn put_object(
        _bucket: String,
        _key: String,
        body: Body,
        _options: PutOptions,
    ) -> Result<Receipt, S3Error> {
        let written = body.get::<StoredBody>().position.get();
        let size = if attack() == "wrong-receipt" { written / 2 } else { written };
        Ok(Receipt::new(StoredReceipt(size)))
    }

    fn get_object(_bucket: String, _key: String, _options: GetOptions) -> Result<Object, S3Error> {
        Ok(Object { info: info(SIZE), body: Body::new(StoredBody { position: Cell::new(0) }) })
    }

    fn head_object(
        _bucket: String,
        _key: String,
        _options: GetOptions,
    ) -> Result<ObjectInfo, S3Error> {
        match attack().as_str() {
            "trap" => trap(),
            "loop" => endless(),
            "memory" => {
                let mut held = Vec::new();
                loop {
                    held.push(vec![1_u8; 1 << 20]);
                }
            }
            "memory-survived" => {
                let mut held = Vec::<u8>::new();
                // Refused, and gone on with.
                let _ = held.try_reserve_exact(1 << 30);
                Ok(info(HEADS.fetch_add(1, Ordering::Relaxed) + held.capacity() as u64))
            }
            "many-handles" => {
                let mut held = Vec::new();
                loop {
                    held.push(Receipt::new(StoredReceipt(0)));
                }
            }
            "not-granted" => Err(error(S3ErrorKind::NotGranted, "you may not".to_owned())),
            "body-failed" => Err(error(S3ErrorKind::BodyFailed, "your body".to_owned())),
            "huge-message" => Err(error(S3ErrorKind::Service, "x".repeat(8 << 20))),
            "long-message" => {
                Err(error(S3ErrorKind::Service, format!("\u{1b}[2J{}", "x".repeat(1 << 16))))
            }
            _ => Ok(info(HEADS.fetch_add(1, Ordering::Relaxed))),
        }
    }

    fn delete_object(
        _bucket: String,
        _key: String,
        _options: DeleteOptions,
    ) -> Result<(), S3Error> {
        trap()
    }

    fn copy_object(
        _bucket: String,
        _source_key: String,
        _key: String,
        _options: PutOptions,
    ) -> Result<Receipt, S3Error> {
        Ok(Receipt::new(StoredReceipt(SIZE)))
    }

    fn list_objects(_bucket: String, options: ListOptions) -> Result<Listing, S3Error> {
        let keys = match attack().as_str() {
            "listing-outside" => vec!["elsewhere".to_owned()],
            "listing-dots" => vec![format!("{}../x", options.prefix)],
            _ => (0..1001).map(|n| format!("{}{n:04}", options.prefix)).collect(),
        };
        let object = |key| ListedObject {
            key,
            size: 0,
            etag: None,
            last_modified: None,
            storage_class: None,
        };
        let objects = keys.into_iter().map(object).collect();
        Ok(Listing { objects, common_prefixes: Vec::new(), continuation: None })
    }
}

fn attack() -> String {
    config::get("attack").ok().flatten().unwrap_or_default()
}

#[expect(clippy::panic, reason = "one of the attacks")]
fn trap() -> ! {
    panic!("on purpose")
}

fn endless() -> ! {
    loop {
        std::hint::black_box(0);
    }
}

fn info(size: u64) -> ObjectInfo {
    let metadata = match attack().as_str() {
        "injection" => vec![("a".to_owned(), "b\r\nset-cookie: c".to_owned())],
        "much-metadata" => vec![("a".to_owned(), "b".to_owned()); 10_000],
        _ => Vec::new(),
    };
    ObjectInfo {
        size,
        etag: Some("etag".to_owned()),
        version_id: None,
        last_modified: None,
        storage_class: None,
        content: ContentHeaders {
            content_type: None,
            content_encoding: None,
            content_disposition: None,
            content_language: None,
            cache_control: None,
            expires: None,
        },
        metadata,
    }
}

fn error(kind: S3ErrorKind, message: String) -> S3Error {
    S3Error { kind, status: None, code: None, message, request_id: None, retryable: false }
}
