//! The policy `content-addressed`: artifacts are called after the SHA-256 of their
//! bytes.

// Without `main` nothing of std's runtime (threads, standard output) is drawn in.
#![cfg_attr(target_family = "wasm", no_main)]

mod bindings;

use artifact_guest_heap as _;
use artifact_policy_content_addressed::{Mode, place};

use bindings::{
    agent::artifacts::{
        digest,
        objects::{Body, Object, Receipt},
        store as next,
        types::{
            ChecksumAlgorithm, DeleteOptions, Error, ErrorCode, GetOptions, ListOptions, Listing,
            ObjectInfo, PutOptions,
        },
    },
    exports::agent::artifacts::store::Guest,
    wasi::config::store as config,
};

/// A component is called through its exports. It is a program and not a library
/// only because a native build of the workspace cannot link the latter.
#[cfg(not(target_family = "wasm"))]
fn main() {}

struct ContentAddressed;

impl Guest for ContentAddressed {
    fn put(key: String, body: Body, mut options: PutOptions) -> Result<Receipt, Error> {
        let mode = mode()?;
        let digest = digest::sha256(&body)?;
        let placed = place(mode, &key, &digest).map_err(|reason| {
            // The reason comes first: a message that is cut at its end loses the key,
            // which the caller knows.
            refused([&reason, ": put of ", &key, " is refused"].concat())
        })?;
        // The digest was taken here. That the service has these bytes, it is to see for itself.
        options.checksum.get_or_insert(ChecksumAlgorithm::Sha256);
        next::put(&placed, body, &options)
    }

    fn get(key: String, options: GetOptions) -> Result<Object, Error> {
        mode()?;
        next::get(&key, &options)
    }

    fn head(key: String, options: GetOptions) -> Result<ObjectInfo, Error> {
        mode()?;
        next::head(&key, &options)
    }

    fn delete(key: String, options: DeleteOptions) -> Result<(), Error> {
        mode()?;
        next::delete(&key, &options)
    }

    fn list(options: ListOptions) -> Result<Listing, Error> {
        mode()?;
        next::list(&options)
    }
}

/// The mode; with a setting that cannot be understood every call is refused.
fn mode() -> Result<Mode, Error> {
    let Ok(settings) = config::get_all() else {
        return Err(refused("the settings cannot be read".to_owned()));
    };
    Mode::parse(&settings).map_err(|bad| refused(bad.message().to_owned()))
}

fn refused(message: String) -> Error {
    Error { code: ErrorCode::PolicyDenied, message, retryable: false, cause: None }
}
