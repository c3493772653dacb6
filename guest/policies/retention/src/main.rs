//! The policy `retention`: neither overwrites nor deletes what is still to be kept.
//!
//! It looks at what is there, and acts on the condition that it is still that: nothing
//! that is written in between is lost.

// Without `main` nothing of std's runtime (threads, standard output) is drawn in.
#![cfg_attr(target_family = "wasm", no_main)]

mod bindings;

use artifact_guest_heap as _;
use artifact_policy_retention::Retention;

use bindings::{
    agent::artifacts::{
        clock,
        objects::{Body, Object, Receipt},
        store as next,
        types::{
            DeleteOptions, Error, ErrorCode, GetOptions, ListOptions, Listing, ObjectInfo,
            PutOptions, S3ErrorKind, WriteCondition,
        },
    },
    exports::agent::artifacts::store::Guest,
    wasi::config::store as config,
};

/// A component is called through its exports. It is a program and not a library
/// only because a native build of the workspace cannot link the latter.
#[cfg(not(target_family = "wasm"))]
fn main() {}

struct RetentionPolicy;

impl Guest for RetentionPolicy {
    fn put(key: String, body: Body, mut options: PutOptions) -> Result<Receipt, Error> {
        let retention = retention()?;
        let unconditional = matches!(options.condition, WriteCondition::Unconditional);
        // With this condition nothing is ever overwritten.
        if !matches!(options.condition, WriteCondition::IfAbsent) {
            match next::head(&key, &current()) {
                Ok(found) => {
                    check(&retention, "put", &key, &found)?;
                    options.condition = over(options.condition, found.etag);
                }
                Err(error) if is(&error, ErrorCode::NotFound) && unconditional => {
                    options.condition = WriteCondition::IfAbsent;
                }
                Err(error) => return Err(error),
            }
        }
        next::put(&key, body, &options)
            .map_err(|error| if unconditional { overtaken("put", &key, error) } else { error })
    }

    fn get(key: String, options: GetOptions) -> Result<Object, Error> {
        retention()?;
        next::get(&key, &options)
    }

    fn head(key: String, options: GetOptions) -> Result<ObjectInfo, Error> {
        retention()?;
        next::head(&key, &options)
    }

    fn delete(key: String, mut options: DeleteOptions) -> Result<(), Error> {
        let retention = retention()?;
        let looked = GetOptions { version_id: options.version_id.clone(), ..current() };
        let found = match next::head(&key, &looked) {
            Ok(found) => found,
            Err(error) if is(&error, ErrorCode::NotFound) => return Ok(()),
            Err(error) => return Err(error),
        };
        check(&retention, "delete", &key, &found)?;
        let etag_is_named = options.if_match.as_deref().is_some_and(|etag| etag != ANY);
        if etag_is_named || options.version_id.as_deref().is_some_and(|version| version != "null") {
            // The condition is there; a version never changes.
            return next::delete(&key, &options);
        }
        options.if_match = found.etag;
        next::delete(&key, &options)
            .or_else(|error| {
                if !refuses_conditions(&error) {
                    return Err(error);
                }
                next::delete(&key, &DeleteOptions { if_match: None, ..options })
            })
            .map_err(|error| overtaken("delete", &key, error))
    }

    fn list(options: ListOptions) -> Result<Listing, Error> {
        retention()?;
        next::list(&options)
    }
}

/// What the settings say; with one that cannot be understood every call is refused.
fn retention() -> Result<Retention, Error> {
    let Ok(settings) = config::get_all() else {
        return Err(refused("the settings cannot be read".to_owned()));
    };
    Retention::parse(&settings).map_err(|bad| refused(bad.message().to_owned()))
}

fn check(retention: &Retention, call: &str, key: &str, found: &ObjectInfo) -> Result<(), Error> {
    retention.check(found.last_modified, clock::now()).map_err(|reason| denied(call, key, &reason))
}

/// The etag in a condition that stands for whichever is there.
const ANY: &str = "*";

/// The condition of a put over what was found, given the caller's: that it is still
/// there, where the service gave an etag to tell.
fn over(asked: WriteCondition, found: Option<String>) -> WriteCondition {
    match (asked, found) {
        (WriteCondition::Unconditional, Some(etag)) => WriteCondition::IfMatch(etag),
        (WriteCondition::IfMatch(any), Some(etag)) if any == ANY => WriteCondition::IfMatch(etag),
        (asked, _) => asked,
    }
}

/// The condition was this policy's: to the caller, its failure is a refusal.
fn overtaken(call: &str, key: &str, error: Error) -> Error {
    if !is(&error, ErrorCode::PreconditionFailed) {
        return error;
    }
    let reason = "it was changed by somebody else at the same time, and may have to be kept";
    Error { retryable: true, cause: error.cause, ..denied(call, key, reason) }
}

/// Whether nothing was done because there are no conditions on deletes: the client
/// cannot send them, or the service answers 501, `NotImplemented`.
fn refuses_conditions(error: &Error) -> bool {
    error.cause.as_ref().is_some_and(|cause| {
        matches!(cause.kind, S3ErrorKind::InvalidRequest) || cause.status == Some(501)
    })
}

fn is(error: &Error, code: ErrorCode) -> bool {
    error.code == code
}

/// Looks at the artifact as it is now.
fn current() -> GetOptions {
    GetOptions {
        range: None,
        version_id: None,
        if_match: None,
        if_none_match: None,
        if_modified_since: None,
        if_unmodified_since: None,
    }
}

/// The reason comes first: a message that is cut at its end loses the key, which the
/// caller knows.
fn denied(call: &str, key: &str, reason: &str) -> Error {
    refused([reason, ": ", call, " of ", key, " is refused"].concat())
}

fn refused(message: String) -> Error {
    Error { code: ErrorCode::PolicyDenied, message, retryable: false, cause: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindings::agent::artifacts::types::S3Error;

    fn from_s3(code: ErrorCode, kind: S3ErrorKind, status: Option<u16>) -> Error {
        let message = "A message of the service".to_owned();
        let cause =
            S3Error { kind, status, code: None, message, request_id: None, retryable: false };
        Error { code, message: "failed".to_owned(), retryable: false, cause: Some(cause) }
    }

    #[test]
    fn a_put_goes_only_over_what_was_found() {
        use WriteCondition::{IfMatch, Unconditional};
        let etag = || Some("found".to_owned());
        let named = |condition| match condition {
            IfMatch(etag) => Some(etag),
            _ => None,
        };
        assert_eq!(named(over(Unconditional, etag())), etag());
        assert_eq!(named(over(IfMatch("*".to_owned()), etag())), etag());
        assert_eq!(named(over(IfMatch("asked".to_owned()), etag())).as_deref(), Some("asked"));
        assert_eq!(named(over(IfMatch("*".to_owned()), None)).as_deref(), Some("*"));
        assert_eq!(named(over(Unconditional, None)), None);
    }

    #[test]
    fn a_condition_of_this_policy_that_fails_is_a_refusal_with_its_cause() {
        let kind = S3ErrorKind::PreconditionFailed;
        let error = overtaken("put", "k", from_s3(ErrorCode::PreconditionFailed, kind, Some(412)));
        assert_eq!((error.code, error.retryable), (ErrorCode::PolicyDenied, true));
        assert!(error.message.ends_with(": put of k is refused"), "{}", error.message);
        assert_eq!(error.cause.unwrap().status, Some(412));

        let other = from_s3(ErrorCode::Unavailable, S3ErrorKind::Throttled, Some(503));
        assert_eq!(overtaken("put", "k", other).message, "failed");
    }

    #[test]
    fn only_a_refused_condition_is_given_up() {
        let refuses =
            |kind, status| refuses_conditions(&from_s3(ErrorCode::StorageError, kind, status));
        assert!(refuses(S3ErrorKind::Service, Some(501)));
        assert!(refuses(S3ErrorKind::InvalidRequest, None));
        assert!(!refuses(S3ErrorKind::PreconditionFailed, Some(412)));
        assert!(!refuses(S3ErrorKind::Service, Some(500)));
        assert!(!refuses_conditions(&denied("delete", "k", "kept")));
    }
}
