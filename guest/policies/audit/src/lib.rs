//! What the policy `audit` writes of a call: who was called for what, and what came
//! of it. No metadata, and no message, which could hold any text.
//!
//! Nothing here knows of components, so all of it is tested natively; the
//! component shell in `main.rs` only carries values across.

#![forbid(unsafe_code)]

/// A call that has ended, as far as it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// Its name, such as `put`.
    pub operation: &'static str,
    /// The artifact's key; of a listing, the prefix.
    pub key: String,
    /// The version that was asked for, or made.
    pub version: Option<String>,
    /// The artifact's length in bytes, where it is known.
    pub size: Option<u64>,
    /// The artifact's etag, where it is known.
    pub etag: Option<String>,
    /// How many keys and common prefixes a page of a listing has.
    pub entries: Option<usize>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
}

/// Why a call failed, as far as it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The name of its code, such as `not-found`.
    pub code: &'static str,
    /// Whether it is one of the answers that a caller reckons with.
    pub expected: bool,
    /// The HTTP status, where the service answered.
    pub status: Option<u16>,
    /// The S3 error code, where the service gave one.
    pub s3_code: Option<String>,
    /// The service's name for the request.
    pub request_id: Option<String>,
}

impl Call {
    /// Whether somebody should look at it.
    #[must_use]
    pub fn is_alarming(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| !failure.expected)
    }

    /// What is known of it, by name, always in this order.
    #[must_use]
    pub fn fields(self) -> Vec<(String, String)> {
        let Self { operation, key, version, size, etag, entries, failure } = self;
        let outcome = failure.as_ref().map_or("ok", |failure| failure.code);
        let Failure { status, s3_code, request_id, .. } = failure.unwrap_or_default();
        [
            ("operation", Some(operation.to_owned())),
            ("key", Some(key)),
            ("outcome", Some(outcome.to_owned())),
            ("version", version),
            ("size", size.map(|bytes| bytes.to_string())),
            ("etag", etag),
            ("entries", entries.map(|count| count.to_string())),
            ("s3-status", status.map(|status| status.to_string())),
            ("s3-code", s3_code),
            ("s3-request-id", request_id),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(call: Call) -> String {
        let fields: Vec<_> =
            call.fields().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        fields.join(" ")
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let call = Call { operation: "delete", key: "a/b".to_owned(), ..Call::default() };
        assert!(!call.is_alarming());
        assert_eq!(text(call), "operation=delete key=a/b outcome=ok");
    }

    #[test]
    fn all_that_is_known_is_told() {
        let own = |text: &str| Some(text.to_owned());
        let failure = Failure {
            code: "unavailable",
            expected: false,
            status: Some(503),
            s3_code: own("SlowDown"),
            request_id: own("4442587FB7D0A2F9"),
        };
        let call = Call {
            operation: "put",
            key: "k".to_owned(),
            version: own("v1"),
            size: Some(12),
            etag: own("abc"),
            entries: Some(2),
            failure: Some(failure),
        };
        assert!(call.is_alarming());
        assert_eq!(
            text(call),
            "operation=put key=k outcome=unavailable version=v1 size=12 etag=abc entries=2 \
             s3-status=503 s3-code=SlowDown s3-request-id=4442587FB7D0A2F9"
        );
    }

    #[test]
    fn an_expected_failure_alarms_nobody() {
        let failure = Failure { code: "not-found", expected: true, ..Failure::default() };
        let call = Call { operation: "get", failure: Some(failure), ..Call::default() };
        assert!(!call.is_alarming());
        assert_eq!(text(call), "operation=get key= outcome=not-found");
    }
}
