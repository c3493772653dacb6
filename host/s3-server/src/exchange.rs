use std::{fmt, time::Duration};

/// One request and what was answered, as it went over the wire.
///
/// Never holds a header's value but lengths and the authorization scheme, and no
/// bytes of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exchange {
    /// The method, such as `PUT`.
    pub method: String,
    /// Path and query exactly as they came: still percent-encoded.
    pub target: String,
    /// The scheme of the `Authorization` header, such as `AWS4-HMAC-SHA256`; none for
    /// a request that was not signed by header.
    pub authorization: Option<String>,
    /// What the request's `Content-Length` says, where it has one.
    pub request_length: Option<u64>,
    /// The status that was answered.
    pub status: u16,
    /// Length of the answer's body, where it is known before it is sent.
    pub response_length: Option<u64>,
    /// From the request's head to the answer's head.
    pub elapsed: Duration,
}

impl Exchange {
    /// Whether the request came with a signature; that it was right shows in the status.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.authorization.is_some()
    }
}

impl fmt::Display for Exchange {
    /// One line: `PUT /bucket/key (signed, 4 bytes) -> 200`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signed = if self.is_signed() { "signed" } else { "not signed" };
        write!(f, "{} {} ({signed}", self.method, self.target)?;
        match self.request_length {
            Some(length) if length > 0 => write!(f, ", {length} bytes)")?,
            _ => f.write_str(")")?,
        }
        write!(f, " -> {}", self.status)?;
        match self.response_length {
            Some(length) if length > 0 => write!(f, " ({length} bytes)"),
            _ => Ok(()),
        }
    }
}
