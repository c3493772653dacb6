//! What can be wrong with the bytes that are to be stored.

use std::time::Duration;

use crate::{S3Error, S3ErrorKind, spool::SpoolError};

/// The body failed to give its bytes.
pub(crate) fn failed(error: std::io::Error) -> S3Error {
    S3Error::new(S3ErrorKind::BodyFailed, format!("the body failed: {error}")).caused_by(error)
}

/// The body did not keep its word.
pub(crate) fn wrong_length(declared: u64, found: Option<u64>) -> S3Error {
    let found = match found {
        Some(found) if found < declared => format!("ended after {found}"),
        _ => "went on".to_owned(),
    };
    S3Error::new(
        S3ErrorKind::BodyFailed,
        format!("the body was said to have {declared} bytes, and {found}; nothing was stored"),
    )
}

/// The body gave nothing for too long.
pub(crate) fn silent(idle: Duration) -> S3Error {
    S3Error::new(
        S3ErrorKind::BodyFailed,
        format!("the body to be stored gave no bytes for {idle:?}"),
    )
}

pub(crate) fn too_long() -> S3Error {
    S3Error::new(
        S3ErrorKind::InvalidRequest,
        "the body is longer than 5 TiB, the most that S3 takes as one object",
    )
}

impl From<SpoolError> for S3Error {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::TooLong => too_long(),
            SpoolError::Source(error) => failed(error),
            SpoolError::File(error) => Self::new(
                S3ErrorKind::BodyFailed,
                format!(
                    "a body that has to be read before it is sent is written to a temporary file \
                     first, and that failed in {}: {error}",
                    std::env::temp_dir().display()
                ),
            )
            .caused_by(error),
        }
    }
}
