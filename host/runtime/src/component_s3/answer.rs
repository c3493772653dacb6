//! What a client answers, made ours: checked against what S3 could say, since it goes to
//! applications, headers and terminals. How much it may be is bounded before
//! ([`Limits::hostcall_bytes`](crate::Limits)).

use artifact_s3::{
    GetOptions, ListOptions, Listing, ObjectInfo, ObjectKey, PutOptions, S3Error, S3ErrorKind,
    WriteCondition,
};

use crate::{
    bindings::agent::artifacts::types as wit,
    convert::{cut, printable},
};

/// Longest code or request id that is passed on, in bytes: several times S3's longest.
const MAX_NAME: usize = 128;

/// A description that S3 could give; else what is wrong with it.
pub(super) fn info(info: wit::ObjectInfo) -> Result<ObjectInfo, String> {
    let mut info = ObjectInfo::from(info);
    let wrong =
        |error: S3Error| format!("gave a description that no object has: {}", error.message());
    // What could be put could be given back.
    let put = PutOptions {
        content: info.content.clone(),
        metadata: info.metadata.clone(),
        condition: info.etag.clone().map_or(WriteCondition::Unconditional, WriteCondition::IfMatch),
        storage_class: info.storage_class.clone(),
        ..PutOptions::default()
    };
    put.check().map_err(wrong)?;
    let version = GetOptions { version_id: info.version_id.clone(), ..GetOptions::default() };
    version.check().map_err(wrong)?;
    if let Some((name, _)) =
        info.metadata.iter().find(|(name, _)| name.bytes().any(|byte| byte.is_ascii_uppercase()))
    {
        return Err(format!("gave metadata {name:?}, and names of metadata are in lower case"));
    }
    info.metadata.sort();
    Ok(info)
}

/// A page that answers what was asked; else what is wrong with it.
pub(super) fn listing(page: wit::Listing, asked: &ListOptions) -> Result<Listing, String> {
    let page = Listing::from(page);
    let limit = asked.limit.unwrap_or(ListOptions::MAX_LIMIT) as usize;
    let entries = page.objects.len() + page.common_prefixes.len();
    if entries > limit {
        return Err(format!("listed {entries} entries, and {limit} were asked for"));
    }
    let keys = page.objects.iter().map(|object| &object.key);
    for listed in keys.chain(&page.common_prefixes) {
        let shown = cut(listed, 100);
        if !listed.starts_with(&asked.prefix) {
            return Err(format!("listed {shown:?}, which does not begin as was asked"));
        }
        if listed.len() > ObjectKey::MAX_BYTES || listed.chars().any(char::is_control) {
            return Err(format!("listed {shown:?}, which no key begins with"));
        }
    }
    for object in &page.objects {
        let shown = cut(&object.key, 100);
        ObjectKey::parse(&object.key)
            .map_err(|rule| format!("listed {shown:?}, which is no key: {rule}"))?;
        let described = ObjectInfo {
            etag: object.etag.clone(),
            storage_class: object.storage_class.clone(),
            ..ObjectInfo::default()
        };
        info(described.into())?;
    }
    let next = ListOptions { continuation: page.continuation.clone(), ..ListOptions::default() };
    next.check().map_err(|_| "gave a continuation that is empty or too long".to_owned())?;
    Ok(page)
}

/// An error of one of the S3 calls.
pub(super) fn error(error: wit::S3Error) -> S3Error {
    let wit::S3Error { kind, status, code, message, request_id, retryable } = error;
    let kind = match S3ErrorKind::from(kind) {
        // These two the host alone can tell.
        S3ErrorKind::NotGranted | S3ErrorKind::BodyFailed => S3ErrorKind::Service,
        kind => kind,
    };
    let error = S3Error::new(kind, printable(message)).retryable(retryable);
    let name = |text: Option<String>| text.map(|text| printable(cut(&text, MAX_NAME).to_owned()));
    match status {
        Some(status @ 100..=599) => error.answered(status, name(code), name(request_id)),
        _ => error,
    }
}

/// An error while bytes were read or written: the S3 error behind it, or what it comes to.
pub(super) fn content_error(failed: wit::Error) -> S3Error {
    let wit::Error { code, message, retryable, cause } = failed;
    if let Some(cause) = cause {
        return error(cause);
    }
    let kind = match code {
        wit::ErrorCode::NotFound => S3ErrorKind::NoSuchKey,
        wit::ErrorCode::NotModified => S3ErrorKind::NotModified,
        wit::ErrorCode::PreconditionFailed => S3ErrorKind::PreconditionFailed,
        wit::ErrorCode::InvalidKey | wit::ErrorCode::InvalidRequest => S3ErrorKind::InvalidRequest,
        wit::ErrorCode::AccessDenied => S3ErrorKind::AccessDenied,
        wit::ErrorCode::Timeout => S3ErrorKind::Timeout,
        wit::ErrorCode::Unavailable => S3ErrorKind::Unreachable,
        wit::ErrorCode::PolicyDenied
        | wit::ErrorCode::PolicyFailed
        | wit::ErrorCode::StorageError => S3ErrorKind::Service,
    };
    S3Error::new(kind, printable(message)).retryable(retryable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(kind: wit::S3ErrorKind, status: Option<u16>) -> wit::S3Error {
        wit::S3Error {
            kind,
            status,
            code: Some("x".repeat(1000)),
            message: "no\u{1b}[2J".to_owned(),
            request_id: Some("a\r\nb".to_owned()),
            retryable: true,
        }
    }

    #[test]
    fn an_errors_text_is_cut_and_cannot_steer_a_terminal() {
        let error = error(said(wit::S3ErrorKind::Throttled, Some(503)));
        assert_eq!((error.kind(), error.is_retryable()), (S3ErrorKind::Throttled, true));
        assert_eq!(error.message(), "no\u{fffd}[2J");
        assert_eq!(error.request_id(), Some("a\u{fffd}\u{fffd}b"));
        assert_eq!(error.code().map(str::len), Some(MAX_NAME));
    }

    #[test]
    fn a_client_cannot_speak_for_the_host_or_make_up_a_status() {
        for kind in [wit::S3ErrorKind::NotGranted, wit::S3ErrorKind::BodyFailed] {
            let error = error(said(kind, Some(9999)));
            assert_eq!((error.kind(), error.status()), (S3ErrorKind::Service, None));
        }
    }

    #[test]
    fn descriptions_that_no_service_gives_are_refused() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let good = ObjectInfo {
            etag: Some("abc".to_owned()),
            metadata: vec![pair("b", "2"), pair("a", "1")],
            ..ObjectInfo::default()
        };
        assert_eq!(info(good.clone().into()).unwrap().metadata, [pair("a", "1"), pair("b", "2")]);
        for bad in [
            ObjectInfo { etag: Some("a\r\nb".to_owned()), ..good.clone() },
            ObjectInfo { version_id: Some("\u{1b}".to_owned()), ..good.clone() },
            ObjectInfo { storage_class: Some("ü".to_owned()), ..good.clone() },
            ObjectInfo { metadata: vec![pair("A", "1")], ..good.clone() },
            ObjectInfo { metadata: vec![pair("a", &"x".repeat(3000))], ..good.clone() },
        ] {
            assert!(info(bad.into()).is_err());
        }
    }

    #[test]
    fn pages_that_were_not_asked_for_are_refused() {
        let asked =
            ListOptions { prefix: "a/".to_owned(), limit: Some(2), ..ListOptions::default() };
        let page = |keys: &[&str], continuation: Option<&str>| {
            let object = |key: &&str| artifact_s3::ListedObject {
                key: (*key).to_owned(),
                ..Default::default()
            };
            let objects = keys.iter().map(object).collect();
            let continuation = continuation.map(str::to_owned);
            listing(Listing { objects, continuation, common_prefixes: Vec::new() }.into(), &asked)
        };
        assert!(page(&["a/1", "a/2"], Some("next")).is_ok());
        for (keys, continuation) in [
            (&["a/1", "a/2", "a/3"][..], None),
            (&["b"], None),
            (&["a/../b"], None),
            (&["a/\u{1b}"], None),
            (&[], Some("")),
        ] {
            assert!(page(keys, continuation).is_err(), "{keys:?}");
        }
    }
}
