//! The component `artifact-store`: reads its settings, names objects, asks S3,
//! and says what failures mean.
//!
//! It holds bytes only as handles and keeps nothing from call to call.

// Without `main` nothing of std's runtime (threads, standard output) is drawn in.
#![cfg_attr(target_family = "wasm", no_main)]

mod bindings;

use artifact_guest_heap as _;
use artifact_guest_store::{
    ErrorCode as Code, Operation, S3ErrorKind as Kind, artifact_key, code, message, object_key,
    object_prefix,
};

use bindings::{
    agent::artifacts::{
        objects::{Body, Object, Receipt},
        s3,
        types::{
            DeleteOptions, Error, ErrorCode, GetOptions, ListOptions, Listing, ObjectInfo,
            PutOptions, S3Error, S3ErrorKind,
        },
    },
    exports::agent::artifacts::store::Guest,
    wasi::config::store as config,
};

/// A component is called through its exports. It is a program and not a library
/// only because a native build of the workspace cannot link the latter.
#[cfg(not(target_family = "wasm"))]
fn main() {}

struct Store;

impl Guest for Store {
    fn put(key: String, body: Body, options: PutOptions) -> Result<Receipt, Error> {
        let at = Place::of(&key)?;
        s3::put_object(&at.bucket, &at.key, body, &options)
            .map_err(|cause| failed(Operation::Put, &key, cause))
    }

    fn get(key: String, options: GetOptions) -> Result<Object, Error> {
        let at = Place::of(&key)?;
        s3::get_object(&at.bucket, &at.key, &options)
            .map_err(|cause| failed(Operation::Get, &key, cause))
    }

    fn head(key: String, options: GetOptions) -> Result<ObjectInfo, Error> {
        let at = Place::of(&key)?;
        s3::head_object(&at.bucket, &at.key, &options)
            .map_err(|cause| failed(Operation::Head, &key, cause))
    }

    fn delete(key: String, options: DeleteOptions) -> Result<(), Error> {
        let at = Place::of(&key)?;
        match s3::delete_object(&at.bucket, &at.key, &options) {
            Err(cause) if cause.kind == S3ErrorKind::NoSuchKey => Ok(()),
            answer => answer.map_err(|cause| failed(Operation::Delete, &key, cause)),
        }
    }

    fn list(mut options: ListOptions) -> Result<Listing, Error> {
        let bucket = bucket()?;
        let prefix = prefix()?;
        let asked = options.prefix;
        let join = |text: &str| {
            object_prefix(&prefix, text)
                .map_err(|rule| refused(ErrorCode::InvalidRequest, rule.message()))
        };
        options.prefix = join(&asked)?;
        options.start_after = options.start_after.as_deref().map(join).transpose()?;

        let mut page = s3::list_objects(&bucket, &options)
            .map_err(|cause| failed(Operation::List, &asked, cause))?;
        page.objects = page
            .objects
            .into_iter()
            .filter_map(|mut object| {
                object.key = artifact_key(&prefix, object.key)?;
                Some(object)
            })
            .collect();
        page.common_prefixes = page
            .common_prefixes
            .into_iter()
            .filter_map(|common| artifact_key(&prefix, common))
            .collect();
        Ok(page)
    }
}

/// Bucket and key of the object that holds one artifact.
struct Place {
    bucket: String,
    key: String,
}

impl Place {
    fn of(key: &str) -> Result<Self, Error> {
        let key = object_key(&prefix()?, key)
            .map_err(|rule| refused(ErrorCode::InvalidKey, rule.message()))?;
        Ok(Self { bucket: bucket()?, key })
    }
}

fn bucket() -> Result<String, Error> {
    match config::get("bucket") {
        Ok(Some(bucket)) if !bucket.is_empty() => Ok(bucket),
        Ok(_) => Err(refused(
            ErrorCode::StorageError,
            "the setting `bucket` is missing: give the store component the name of its bucket",
        )),
        Err(_) => Err(refused(ErrorCode::StorageError, "the setting `bucket` cannot be read")),
    }
}

fn prefix() -> Result<String, Error> {
    match config::get("prefix") {
        Ok(prefix) => Ok(prefix.unwrap_or_default()),
        Err(_) => Err(refused(ErrorCode::StorageError, "the setting `prefix` cannot be read")),
    }
}

/// An error of this component itself: the same call would meet it again.
fn refused(code: ErrorCode, message: &str) -> Error {
    Error { code, message: message.to_owned(), retryable: false, cause: None }
}

fn failed(operation: Operation, key: &str, cause: S3Error) -> Error {
    let kind = kind_of(cause.kind);
    Error {
        code: match code(operation, kind) {
            Code::NotFound => ErrorCode::NotFound,
            Code::NotModified => ErrorCode::NotModified,
            Code::PreconditionFailed => ErrorCode::PreconditionFailed,
            Code::AccessDenied => ErrorCode::AccessDenied,
            Code::Timeout => ErrorCode::Timeout,
            Code::Unavailable => ErrorCode::Unavailable,
            Code::StorageError => ErrorCode::StorageError,
        },
        message: message(operation, key, kind),
        retryable: cause.retryable,
        cause: Some(cause),
    }
}

fn kind_of(kind: S3ErrorKind) -> Kind {
    match kind {
        S3ErrorKind::NoSuchKey => Kind::NoSuchKey,
        S3ErrorKind::NoSuchBucket => Kind::NoSuchBucket,
        S3ErrorKind::PreconditionFailed => Kind::PreconditionFailed,
        S3ErrorKind::NotModified => Kind::NotModified,
        S3ErrorKind::InvalidRange => Kind::InvalidRange,
        S3ErrorKind::AccessDenied => Kind::AccessDenied,
        S3ErrorKind::InvalidRequest => Kind::InvalidRequest,
        S3ErrorKind::BodyFailed => Kind::BodyFailed,
        S3ErrorKind::Integrity => Kind::Integrity,
        S3ErrorKind::Throttled => Kind::Throttled,
        S3ErrorKind::Timeout => Kind::Timeout,
        S3ErrorKind::Unreachable => Kind::Unreachable,
        S3ErrorKind::NotGranted => Kind::NotGranted,
        S3ErrorKind::Service => Kind::Service,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [S3ErrorKind; 14] = [
        S3ErrorKind::NoSuchKey,
        S3ErrorKind::NoSuchBucket,
        S3ErrorKind::PreconditionFailed,
        S3ErrorKind::NotModified,
        S3ErrorKind::InvalidRange,
        S3ErrorKind::AccessDenied,
        S3ErrorKind::InvalidRequest,
        S3ErrorKind::BodyFailed,
        S3ErrorKind::Integrity,
        S3ErrorKind::Throttled,
        S3ErrorKind::Timeout,
        S3ErrorKind::Unreachable,
        S3ErrorKind::NotGranted,
        S3ErrorKind::Service,
    ];

    fn cause(kind: S3ErrorKind, retryable: bool) -> S3Error {
        S3Error {
            kind,
            status: Some(503),
            code: Some("SlowDown".to_owned()),
            message: "Please reduce your request rate.".to_owned(),
            request_id: Some("4442587FB7D0A2F9".to_owned()),
            retryable,
        }
    }

    #[test]
    fn kinds_and_codes_cross_under_their_own_names() {
        for kind in KINDS {
            assert_eq!(format!("{kind:?}"), format!("S3ErrorKind::{:?}", kind_of(kind)));
            let error = failed(Operation::Get, "k", cause(kind, false));
            let expected = format!("ErrorCode::{:?}", code(Operation::Get, kind_of(kind)));
            assert_eq!(format!("{:?}", error.code), expected);
        }
    }

    #[test]
    fn the_s3_error_rides_along_whole_and_decides_on_retries() {
        for retryable in [true, false] {
            let error = failed(Operation::Put, "k", cause(S3ErrorKind::Service, retryable));
            assert_eq!(error.retryable, retryable);
            let kept = error.cause.unwrap();
            assert_eq!(format!("{kept:?}"), format!("{:?}", cause(kept.kind, retryable)));
        }
    }
}
