//! The policy `audit`: passes everything on as it is, and writes one record of each
//! call when it has ended.

// Without `main` nothing of std's runtime (threads, standard output) is drawn in.
#![cfg_attr(target_family = "wasm", no_main)]

mod bindings;

use artifact_guest_heap as _;
use artifact_policy_audit::{Call, Failure};

use bindings::{
    agent::artifacts::{
        log,
        objects::{Body, Object, Receipt},
        store as next,
        types::{
            DeleteOptions, Error, ErrorCode, GetOptions, ListOptions, Listing, ObjectInfo,
            PutOptions,
        },
    },
    exports::agent::artifacts::store::Guest,
};

/// A component is called through its exports. It is a program and not a library
/// only because a native build of the workspace cannot link the latter.
#[cfg(not(target_family = "wasm"))]
fn main() {}

struct Audit;

impl Guest for Audit {
    fn put(key: String, body: Body, options: PutOptions) -> Result<Receipt, Error> {
        let size = body.length();
        let answer = next::put(&key, body, &options);
        let call = Call { operation: "put", key, size, ..Call::default() };
        record(call, &answer, |call, receipt| describe(call, &receipt.info()));
        answer
    }

    fn get(key: String, options: GetOptions) -> Result<Object, Error> {
        let answer = next::get(&key, &options);
        let call = Call { operation: "get", key, version: options.version_id, ..Call::default() };
        record(call, &answer, |call, object| describe(call, &object.info));
        answer
    }

    fn head(key: String, options: GetOptions) -> Result<ObjectInfo, Error> {
        let answer = next::head(&key, &options);
        let call = Call { operation: "head", key, version: options.version_id, ..Call::default() };
        record(call, &answer, describe);
        answer
    }

    fn delete(key: String, options: DeleteOptions) -> Result<(), Error> {
        let answer = next::delete(&key, &options);
        let version = options.version_id;
        let call = Call { operation: "delete", key, version, ..Call::default() };
        record(call, &answer, |call, ()| call);
        answer
    }

    fn list(options: ListOptions) -> Result<Listing, Error> {
        let answer = next::list(&options);
        let call = Call { operation: "list", key: options.prefix, ..Call::default() };
        record(call, &answer, |call, page| {
            let entries = Some(page.objects.len() + page.common_prefixes.len());
            Call { entries, ..call }
        });
        answer
    }
}

fn record<T>(call: Call, answer: &Result<T, Error>, describe: impl FnOnce(Call, &T) -> Call) {
    let call = match answer {
        Ok(value) => describe(call, value),
        Err(error) => Call { failure: Some(failure(error)), ..call },
    };
    let level = if call.is_alarming() { log::Level::Warn } else { log::Level::Info };
    log::write(level, "artifact call", &call.fields());
}

fn describe(call: Call, info: &ObjectInfo) -> Call {
    let version = info.version_id.clone().or(call.version);
    Call { size: Some(info.size), etag: info.etag.clone(), version, ..call }
}

fn failure(error: &Error) -> Failure {
    let cause = error.cause.as_ref();
    Failure {
        code: name(error.code),
        expected: matches!(error.code, ErrorCode::NotFound | ErrorCode::NotModified),
        status: cause.and_then(|cause| cause.status),
        s3_code: cause.and_then(|cause| cause.code.clone()),
        request_id: cause.and_then(|cause| cause.request_id.clone()),
    }
}

/// The name that the contract gives it.
fn name(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::NotFound => "not-found",
        ErrorCode::NotModified => "not-modified",
        ErrorCode::PreconditionFailed => "precondition-failed",
        ErrorCode::InvalidKey => "invalid-key",
        ErrorCode::InvalidRequest => "invalid-request",
        ErrorCode::AccessDenied => "access-denied",
        ErrorCode::PolicyDenied => "policy-denied",
        ErrorCode::PolicyFailed => "policy-failed",
        ErrorCode::Timeout => "timeout",
        ErrorCode::Unavailable => "unavailable",
        ErrorCode::StorageError => "storage-error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindings::agent::artifacts::types::{S3Error, S3ErrorKind};

    #[test]
    fn a_failure_is_told_without_its_messages() {
        let cause = S3Error {
            kind: S3ErrorKind::AccessDenied,
            status: Some(403),
            code: Some("AccessDenied".to_owned()),
            message: "a message".to_owned(),
            request_id: Some("R".to_owned()),
            retryable: false,
        };
        let mut error = Error {
            code: ErrorCode::AccessDenied,
            message: "a message".to_owned(),
            retryable: false,
            cause: Some(cause),
        };
        let told = failure(&error);
        assert_eq!((told.code, told.expected), ("access-denied", false));
        assert_eq!((told.status, told.s3_code.as_deref()), (Some(403), Some("AccessDenied")));
        assert_eq!(told.request_id.as_deref(), Some("R"));

        error = Error { code: ErrorCode::NotFound, cause: None, ..error };
        assert_eq!(
            failure(&error),
            Failure { code: "not-found", expected: true, ..Failure::default() }
        );
        error.code = ErrorCode::NotModified;
        assert!(failure(&error).expected);
        error.code = ErrorCode::PreconditionFailed;
        assert!(!failure(&error).expected);
    }
}
