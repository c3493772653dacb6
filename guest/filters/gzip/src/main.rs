//! The filter `gzip`: stores artifacts compressed.

// Without `main` nothing of std's runtime (threads, standard output) is drawn in.
#![cfg_attr(target_family = "wasm", no_main)]

mod bindings;

use std::cell::RefCell;

use artifact_filter_gzip::{Decoder, Encoder, Level, Ready};

use bindings::{
    agent::artifacts::types::{Error, ErrorCode},
    exports::agent::artifacts::filter::{self, Effect, Guest, GuestDecoder, GuestEncoder},
    wasi::config::store as config,
};

/// A component is called through its exports. It is a program and not a library
/// only because a native build of the workspace cannot link the latter.
#[cfg(not(target_family = "wasm"))]
fn main() {}

struct Gzip;

impl Guest for Gzip {
    type Encoder = Coding<Encoder>;
    type Decoder = Coding<Decoder>;

    fn describe() -> Effect {
        Effect { content_encoding: Some("gzip".to_owned()) }
    }
}

/// An encoder or decoder, and the key that its errors name.
struct Coding<T> {
    key: String,
    coder: RefCell<T>,
}

impl GuestEncoder for Coding<Encoder> {
    fn open(key: String, _salt: Vec<u8>) -> Result<filter::Encoder, Error> {
        let coder = RefCell::new(Encoder::new(level()?));
        Ok(filter::Encoder::new(Self { key, coder }))
    }

    fn push(&self, chunk: Vec<u8>) -> Result<filter::Ready, Error> {
        let pushed = self.coder.borrow_mut().push(chunk);
        pushed.map(ready).map_err(|fault| failed("compressed", &self.key, &fault.to_string()))
    }

    fn finish(encoder: filter::Encoder) -> Result<Vec<u8>, Error> {
        let Self { key, coder } = encoder.into_inner();
        let finished = coder.into_inner().finish();
        finished.map_err(|fault| failed("compressed", &key, &fault.to_string()))
    }
}

impl GuestDecoder for Coding<Decoder> {
    fn open(key: String) -> Result<filter::Decoder, Error> {
        // The level is of no use here. One that is wrong is told of all the same.
        level()?;
        Ok(filter::Decoder::new(Self { key, coder: RefCell::default() }))
    }

    fn push(&self, chunk: Vec<u8>) -> Result<filter::Ready, Error> {
        let pushed = self.coder.borrow_mut().push(chunk);
        pushed.map(ready).map_err(|fault| failed("decompressed", &self.key, &fault.to_string()))
    }

    fn finish(decoder: filter::Decoder) -> Result<Vec<u8>, Error> {
        let Self { key, coder } = decoder.into_inner();
        let finished = coder.into_inner().finish();
        finished
            .map(|()| Vec::new())
            .map_err(|fault| failed("decompressed", &key, &fault.to_string()))
    }
}

fn level() -> Result<Level, Error> {
    let settings = config::get_all();
    let settings = settings.map_err(|_| invalid("the settings cannot be read".to_owned()))?;
    Level::parse(&settings).map_err(|bad| invalid(bad.to_string()))
}

fn ready(Ready { bytes, more }: Ready) -> filter::Ready {
    filter::Ready { bytes, more }
}

/// The reason comes first: a message that is cut at its end loses the key, which the
/// caller knows.
fn failed(what: &str, key: &str, reason: &str) -> Error {
    let message = [reason, ": ", key, " cannot be ", what].concat();
    Error { code: ErrorCode::StorageError, message, retryable: false, cause: None }
}

fn invalid(message: String) -> Error {
    Error { code: ErrorCode::InvalidRequest, message, retryable: false, cause: None }
}
