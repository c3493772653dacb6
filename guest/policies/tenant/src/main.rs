//! The policy `tenant`: keeps the artifacts of one tenant under a prefix of its own,
//! and shows nothing else.

// Without `main` nothing of std's runtime (threads, standard output) is drawn in.
#![cfg_attr(target_family = "wasm", no_main)]

mod bindings;

use artifact_guest_heap as _;
use artifact_policy_tenant::{Tenant, not_found, told};

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

struct TenantPolicy;

impl Guest for TenantPolicy {
    fn put(key: String, body: Body, options: PutOptions) -> Result<Receipt, Error> {
        let joined = place(&key)?;
        next::put(&joined, body, &options).map_err(|error| failed(error, &joined, &key))
    }

    fn get(key: String, options: GetOptions) -> Result<Object, Error> {
        let joined = place(&key)?;
        next::get(&joined, &options).map_err(|error| failed(error, &joined, &key))
    }

    fn head(key: String, options: GetOptions) -> Result<ObjectInfo, Error> {
        let joined = place(&key)?;
        next::head(&joined, &options).map_err(|error| failed(error, &joined, &key))
    }

    fn delete(key: String, options: DeleteOptions) -> Result<(), Error> {
        let joined = place(&key)?;
        next::delete(&joined, &options).map_err(|error| failed(error, &joined, &key))
    }

    fn list(mut options: ListOptions) -> Result<Listing, Error> {
        let tenant = tenant()?;
        let asked = std::mem::take(&mut options.prefix);
        options.prefix = tenant.joined(&asked);
        options.start_after = options.start_after.map(|key| tenant.joined(&key));

        let mut page = next::list(&options).map_err(|mut error| {
            error.message = told(&error.message, &options.prefix, &asked);
            error
        })?;
        page.objects = page
            .objects
            .into_iter()
            .filter_map(|mut object| {
                object.key = tenant.own(object.key)?;
                Some(object)
            })
            .collect();
        page.common_prefixes =
            page.common_prefixes.into_iter().filter_map(|common| tenant.own(common)).collect();
        Ok(page)
    }
}

/// The key that the next store is asked for.
fn place(key: &str) -> Result<String, Error> {
    tenant()?.key(key).map_err(|rule| refused(ErrorCode::InvalidKey, rule.message()))
}

/// Without a tenant every call is refused: there is no place that it could go to.
fn tenant() -> Result<Tenant, Error> {
    let Ok(setting) = config::get("tenant") else {
        return Err(refused(ErrorCode::PolicyDenied, "the setting `tenant` cannot be read"));
    };
    Tenant::parse(setting.as_deref())
        .map_err(|rule| refused(ErrorCode::PolicyDenied, rule.message()))
}

/// An error of this policy itself: the same call would meet it again.
fn refused(code: ErrorCode, message: &str) -> Error {
    Error { code, message: message.to_owned(), retryable: false, cause: None }
}

/// An error of the next store, in the caller's terms; its cause rides along whole.
fn failed(mut error: Error, joined: &str, key: &str) -> Error {
    error.message = match error.code {
        ErrorCode::NotFound => not_found(key),
        _ => told(&error.message, joined, key),
    };
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindings::agent::artifacts::types::{S3Error, S3ErrorKind};

    fn from_beneath(code: ErrorCode, message: &str) -> Error {
        let cause = S3Error {
            kind: S3ErrorKind::Throttled,
            status: Some(503),
            code: Some("SlowDown".to_owned()),
            message: "Please reduce your request rate.".to_owned(),
            request_id: Some("4442587FB7D0A2F9".to_owned()),
            retryable: true,
        };
        Error { code, message: message.to_owned(), retryable: true, cause: Some(cause) }
    }

    #[test]
    fn an_error_keeps_all_but_the_joined_key() {
        for (code, message, expected) in [
            (ErrorCode::NotFound, "nothing at acme/k", "artifact not found: k"),
            (
                ErrorCode::Unavailable,
                "failed to get artifact acme/k: x",
                "failed to get artifact k: x",
            ),
            (ErrorCode::PolicyFailed, "the component trapped", "the component trapped"),
        ] {
            let before = from_beneath(code, message);
            let after = failed(from_beneath(code, message), "acme/k", "k");
            assert_eq!(after.message, expected);
            assert_eq!((after.code, after.retryable), (code, true));
            assert_eq!(format!("{:?}", after.cause), format!("{:?}", before.cause));
        }
    }
}
