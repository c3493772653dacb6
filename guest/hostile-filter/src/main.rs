//! A filter that attacks its host and what it is given, one attack for each value of
//! the setting `attack`; without the setting it gives every byte on as it is.

#![cfg_attr(target_family = "wasm", no_main)]

mod bindings;

use std::{
    cell::Cell,
    hint::black_box,
    sync::atomic::{AtomicU32, Ordering},
};

use bindings::{
    agent::artifacts::types::{Error, ErrorCode},
    exports::agent::artifacts::filter::{
        Decoder, Effect, Encoder, Guest, GuestDecoder, GuestEncoder, Ready,
    },
    wasi::config::store as config,
};

#[cfg(not(target_family = "wasm"))]
fn main() {}

struct Hostile;

impl Guest for Hostile {
    type Encoder = Filter;
    type Decoder = Filter;

    fn describe() -> Effect {
        let content_encoding = match attack().as_str() {
            "loop-in-describe" => endless(),
            "encoding-with-a-line-end" => Some("x\r\nx-amz-acl: public-read".to_owned()),
            _ => None,
        };
        Effect { content_encoding }
    }
}

/// How often this instance was used: a host that reuses it lets artifacts meet.
static OPENED: AtomicU32 = AtomicU32::new(0);

struct Filter {
    pushes: Cell<u32>,
}

impl Filter {
    fn open() -> Result<Self, Error> {
        let opened = OPENED.fetch_add(1, Ordering::Relaxed);
        match attack().as_str() {
            "loop-in-open" => endless(),
            "keep-state" if opened > 0 => Err(refusal("I remember the artifact before")),
            "terminal-escapes" => Err(refusal("\x1b[2J\r\nok\0")),
            _ => Ok(Self { pushes: Cell::new(0) }),
        }
    }

    fn push(&self, chunk: Vec<u8>) -> Result<Ready, Error> {
        let pushes = self.pushes.get();
        self.pushes.set(pushes + 1);
        let ready = |bytes| Ok(Ready { bytes, more: false });
        match attack().as_str() {
            "loop-in-push" => endless(),
            "trap-in-push" => trap(),
            "trap-late" if pushes == 3 => trap(),
            "refuse-late" if pushes == 3 => Err(refusal("not this one")),
            "swallow" => ready(Vec::new()),
            "grow" => ready(chunk.repeat(8)),
            "ten-megabytes" => ready(vec![0; 10 << 20]),
            "more-and-none" => Ok(Ready { bytes: Vec::new(), more: true }),
            "never-ends" => Ok(Ready { bytes: vec![0; 64 << 10], more: true }),
            "hoard" => {
                std::mem::forget(vec![1_u8; 4 << 20]);
                ready(chunk)
            }
            _ => ready(chunk),
        }
    }

    fn finish() -> Result<Vec<u8>, Error> {
        match attack().as_str() {
            "loop-in-finish" => endless(),
            "refuse-at-finish" => Err(refusal("it is not what I made")),
            "add-at-finish" => Ok(vec![0; 1 << 20]),
            _ => Ok(Vec::new()),
        }
    }
}

impl GuestEncoder for Filter {
    fn open(_key: String, _salt: Vec<u8>) -> Result<Encoder, Error> {
        Self::open().map(Encoder::new)
    }

    fn push(&self, chunk: Vec<u8>) -> Result<Ready, Error> {
        self.push(chunk)
    }

    fn finish(_encoder: Encoder) -> Result<Vec<u8>, Error> {
        Self::finish()
    }
}

impl GuestDecoder for Filter {
    fn open(_key: String) -> Result<Decoder, Error> {
        Self::open().map(Decoder::new)
    }

    fn push(&self, chunk: Vec<u8>) -> Result<Ready, Error> {
        self.push(chunk)
    }

    fn finish(_decoder: Decoder) -> Result<Vec<u8>, Error> {
        Self::finish()
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        if attack() == "loop-in-drop" {
            endless::<()>();
        }
    }
}

fn attack() -> String {
    config::get("attack").ok().flatten().unwrap_or_default()
}

fn endless<T>() -> T {
    loop {
        black_box(());
    }
}

fn trap<T>() -> T {
    std::process::abort()
}

fn refusal(message: &str) -> Error {
    let (code, message) = (ErrorCode::StorageError, message.to_owned());
    Error { code, message, retryable: false, cause: None }
}
