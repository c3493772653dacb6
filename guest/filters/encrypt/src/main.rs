//! The filter `encrypt`: stores artifacts encrypted and authenticated.

// Without `main` nothing of std's runtime (threads, standard output) is drawn in.
#![cfg_attr(target_family = "wasm", no_main)]

mod bindings;

use std::cell::RefCell;

use artifact_filter_encrypt::{CONTENT_ENCODING, Decoder, Encoder, Fault, Keys, Ready};

use bindings::{
    agent::artifacts::types::{Error, ErrorCode},
    exports::agent::artifacts::filter::{self, Effect, Guest, GuestDecoder, GuestEncoder},
    wasi::config::store as config,
};

/// A component is called through its exports. It is a program and not a library
/// only because a native build of the workspace cannot link the latter.
#[cfg(not(target_family = "wasm"))]
fn main() {}

struct Encrypt;

impl Guest for Encrypt {
    type Encoder = Coding<Encoder>;
    type Decoder = Coding<Decoder>;

    fn describe() -> Effect {
        Effect { content_encoding: Some(CONTENT_ENCODING.to_owned()) }
    }
}

/// An encoder or decoder, and the key of the artifact, which its errors name.
struct Coding<T> {
    key: String,
    coder: RefCell<T>,
}

impl GuestEncoder for Coding<Encoder> {
    fn open(key: String, salt: Vec<u8>) -> Result<filter::Encoder, Error> {
        let opened = Encoder::open(&keys()?, &key, &salt);
        let coder = RefCell::new(opened.map_err(|fault| failed("encrypted", &key, &fault))?);
        Ok(filter::Encoder::new(Self { key, coder }))
    }

    fn push(&self, chunk: Vec<u8>) -> Result<filter::Ready, Error> {
        let pushed = self.coder.borrow_mut().push(chunk);
        pushed.map(ready).map_err(|fault| failed("encrypted", &self.key, &fault))
    }

    fn finish(encoder: filter::Encoder) -> Result<Vec<u8>, Error> {
        let Self { key, coder } = encoder.into_inner();
        coder.into_inner().finish().map_err(|fault| failed("encrypted", &key, &fault))
    }
}

impl GuestDecoder for Coding<Decoder> {
    fn open(key: String) -> Result<filter::Decoder, Error> {
        let coder = RefCell::new(Decoder::open(keys()?, &key));
        Ok(filter::Decoder::new(Self { key, coder }))
    }

    fn push(&self, chunk: Vec<u8>) -> Result<filter::Ready, Error> {
        let pushed = self.coder.borrow_mut().push(chunk);
        pushed.map(ready).map_err(|fault| failed("decrypted", &self.key, &fault))
    }

    fn finish(decoder: filter::Decoder) -> Result<Vec<u8>, Error> {
        let Self { key, coder } = decoder.into_inner();
        let finished = coder.into_inner().finish();
        finished.map(|()| Vec::new()).map_err(|fault| failed("decrypted", &key, &fault))
    }
}

fn keys() -> Result<Keys, Error> {
    let settings = config::get_all();
    let settings = settings.map_err(|_| invalid("the settings cannot be read".to_owned()))?;
    Keys::parse(&settings).map_err(|bad| invalid(bad.to_string()))
}

fn ready(Ready { bytes, more }: Ready) -> filter::Ready {
    filter::Ready { bytes, more }
}

/// The reason comes first: a message that is cut at its end loses the key, which the
/// caller knows.
fn failed(what: &str, key: &str, fault: &Fault) -> Error {
    let message = [&fault.to_string(), ": ", key, " cannot be ", what].concat();
    Error { code: ErrorCode::StorageError, message, retryable: false, cause: None }
}

fn invalid(message: String) -> Error {
    Error { code: ErrorCode::InvalidRequest, message, retryable: false, cause: None }
}
