//! The component `memory-s3`: an S3 client that keeps what it is given in its own memory,
//! for tests and to learn from.
//!
//! Settings: `buckets` (names with commas between; any bucket, if not set) and `capacity`
//! (bytes that it keeps; 8 MiB, if not set).

// Without `main` nothing of std's runtime (threads, standard output) is drawn in.
#![cfg_attr(target_family = "wasm", no_main)]

use std::{
    cell::{Cell, RefCell},
    ops::Range,
    rc::Rc,
};

use artifact_guest_memory_s3::{
    Blob, Found, Memory, Settings,
    bindings::{
        agent::artifacts::types::{
            DeleteOptions, Error, GetOptions, ListOptions, Listing, ObjectInfo, PutOptions, S3Error,
        },
        exports::agent::artifacts::{
            content::{self, BodyBorrow, Writer},
            objects::{self, Body, Object, Receipt},
            s3,
        },
        wasi::config::store as config,
    },
    content_error, unknown_settings,
};

/// A component is called through its exports. It is a program and not a library only
/// because a native build of the workspace cannot link the latter.
#[cfg(not(target_family = "wasm"))]
fn main() {}

artifact_guest_memory_s3::bindings::export!(
    MemoryS3 with_types_in artifact_guest_memory_s3::bindings
);

struct MemoryS3;

thread_local! {
    /// What lives from call to call. The settings are read once.
    static MEMORY: RefCell<Result<Memory, S3Error>> = RefCell::new(memory());
}

fn memory() -> Result<Memory, S3Error> {
    let read = |name: &str| {
        let unreadable = |_| unknown_settings(&format!("the setting `{name}` cannot be read"));
        config::get(name).map_err(unreadable)
    };
    let (buckets, capacity) = (read("buckets")?, read("capacity")?);
    Settings::parse(buckets.as_deref(), capacity.as_deref())
        .map(Memory::new)
        .map_err(|message| unknown_settings(&message))
}

fn in_memory<T>(call: impl FnOnce(&mut Memory) -> Result<T, S3Error>) -> Result<T, S3Error> {
    MEMORY.with_borrow_mut(|memory| match memory {
        Ok(memory) => call(memory),
        Err(error) => Err(error.clone()),
    })
}

/// Bytes that are handed out, and how far they were read.
struct StoredBody {
    bytes: Rc<Blob>,
    range: Range<usize>,
    position: Cell<usize>,
}

impl StoredBody {
    fn new(bytes: Rc<Blob>, range: Range<usize>) -> Self {
        Self { bytes, position: Cell::new(range.start), range }
    }

    /// The bytes as a whole of their own, to be stored.
    fn into_blob(self) -> Result<Rc<Blob>, S3Error> {
        let Self { bytes, range, .. } = self;
        if range == (0..bytes.len()) {
            return Ok(bytes);
        }
        let mut blob = in_memory(|memory| Blob::new(None, memory.budget()))?;
        let mut position = range.start;
        while position < range.end {
            let part = bytes.read(position, range.end)?;
            blob.push(part)?;
            position += part.len();
        }
        Ok(Rc::new(blob))
    }
}

impl objects::Guest for MemoryS3 {
    type Body = StoredBody;
    type Receipt = StoredReceipt;
}

impl objects::GuestBody for StoredBody {
    fn length(&self) -> Option<u64> {
        Some(self.range.len() as u64)
    }

    fn duplicate(&self) -> Option<Body> {
        Some(Body::new(Self::new(Rc::clone(&self.bytes), self.range.clone())))
    }
}

/// A write that happened.
struct StoredReceipt(ObjectInfo);

impl StoredReceipt {
    fn hand_out(info: ObjectInfo) -> Receipt {
        Receipt::new(Self(info))
    }
}

impl objects::GuestReceipt for StoredReceipt {
    fn info(&self) -> ObjectInfo {
        self.0.clone()
    }
}

impl content::Guest for MemoryS3 {
    type Writer = BodyWriter;

    fn read(body: BodyBorrow<'_>, limit: u32) -> Result<Vec<u8>, Error> {
        let body: &StoredBody = body.get();
        let position = body.position.get();
        let end = position.saturating_add(limit as usize).min(body.range.end);
        let bytes = body.bytes.read(position, end).map_err(content_error)?;
        body.position.set(position + bytes.len());
        Ok(bytes.to_vec())
    }
}

/// A body under construction; or why there is none.
struct BodyWriter(RefCell<Result<Blob, S3Error>>);

impl content::GuestWriter for BodyWriter {
    fn new(length: Option<u64>) -> Self {
        Self(RefCell::new(in_memory(|memory| Blob::new(length, memory.budget()))))
    }

    fn write(&self, chunk: Vec<u8>) -> Result<(), Error> {
        let pushed = match &mut *self.0.borrow_mut() {
            Ok(blob) => blob.push(&chunk),
            Err(error) => Err(error.clone()),
        };
        pushed.map_err(content_error)
    }

    fn finish(writer: Writer) -> Result<Body, Error> {
        let Self(blob) = writer.into_inner();
        let blob = blob.into_inner().and_then(Blob::finish).map_err(content_error)?;
        let range = 0..blob.len();
        Ok(Body::new(StoredBody::new(Rc::new(blob), range)))
    }
}

impl s3::Guest for MemoryS3 {
    fn put_object(
        bucket: String,
        key: String,
        body: Body,
        options: PutOptions,
    ) -> Result<Receipt, S3Error> {
        let bytes = body.into_inner::<StoredBody>().into_blob()?;
        in_memory(|memory| memory.put(&bucket, &key, bytes, &options)).map(StoredReceipt::hand_out)
    }

    fn get_object(bucket: String, key: String, options: GetOptions) -> Result<Object, S3Error> {
        let Found { info, bytes, range } =
            in_memory(|memory| memory.find(&bucket, &key, &options))?;
        Ok(Object { info, body: Body::new(StoredBody::new(bytes, range)) })
    }

    fn head_object(
        bucket: String,
        key: String,
        options: GetOptions,
    ) -> Result<ObjectInfo, S3Error> {
        let found = in_memory(|memory| memory.find(&bucket, &key, &options));
        // The answer to a HEAD has no body, so no code either.
        found.map(|found| found.info).map_err(|error| S3Error { code: None, ..error })
    }

    fn delete_object(bucket: String, key: String, options: DeleteOptions) -> Result<(), S3Error> {
        in_memory(|memory| memory.delete(&bucket, &key, &options))
    }

    fn copy_object(
        bucket: String,
        source_key: String,
        key: String,
        options: PutOptions,
    ) -> Result<Receipt, S3Error> {
        in_memory(|memory| memory.copy(&bucket, &source_key, &key, &options))
            .map(StoredReceipt::hand_out)
    }

    fn list_objects(bucket: String, options: ListOptions) -> Result<Listing, S3Error> {
        in_memory(|memory| memory.list(&bucket, &options))
    }
}
