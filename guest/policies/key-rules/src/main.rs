//! The policy `key-rules`: lets through what its settings allow.

// Without `main` nothing of std's runtime (threads, standard output) is drawn in.
#![cfg_attr(target_family = "wasm", no_main)]

mod bindings;

use artifact_guest_heap as _;
use artifact_policy_key_rules::{Put, Rules};

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
    wasi::config::store as config,
};

/// A component is called through its exports. It is a program and not a library
/// only because a native build of the workspace cannot link the latter.
#[cfg(not(target_family = "wasm"))]
fn main() {}

struct KeyRules;

impl Guest for KeyRules {
    fn put(key: String, body: Body, options: PutOptions) -> Result<Receipt, Error> {
        let put = Put {
            length: body.length(),
            metadata: &options.metadata,
            content_type: options.content.content_type.as_deref(),
        };
        rules()?.check_put(&key, put).map_err(|reason| denied("put", &key, &reason))?;
        next::put(&key, body, &options)
    }

    fn get(key: String, options: GetOptions) -> Result<Object, Error> {
        check("get", &key)?;
        next::get(&key, &options)
    }

    fn head(key: String, options: GetOptions) -> Result<ObjectInfo, Error> {
        check("head", &key)?;
        next::head(&key, &options)
    }

    fn delete(key: String, options: DeleteOptions) -> Result<(), Error> {
        check("delete", &key)?;
        next::delete(&key, &options)
    }

    fn list(mut options: ListOptions) -> Result<Listing, Error> {
        let rules = rules()?;
        options.limit = rules.page_limit(options.limit);
        let mut page = next::list(&options)?;
        page.objects.retain(|object| rules.check_key(&object.key).is_ok());
        page.common_prefixes.retain(|common| rules.shows_beneath(common));
        Ok(page)
    }
}

fn check(call: &str, key: &str) -> Result<(), Error> {
    rules()?.check_key(key).map_err(|reason| denied(call, key, &reason))
}

/// The rules; with a setting that cannot be understood every call is refused.
fn rules() -> Result<Rules, Error> {
    let Ok(settings) = config::get_all() else {
        return Err(refused("the settings cannot be read".to_owned()));
    };
    Rules::parse(&settings).map_err(|bad| refused(bad.message().to_owned()))
}

/// The reason comes first: a message that is cut at its end loses the key, which the
/// caller knows.
fn denied(call: &str, key: &str, reason: &str) -> Error {
    refused([reason, ": ", call, " of ", key, " is refused"].concat())
}

fn refused(message: String) -> Error {
    Error { code: ErrorCode::PolicyDenied, message, retryable: false, cause: None }
}
