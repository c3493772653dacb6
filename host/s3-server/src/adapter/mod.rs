//! The protocol's calls, answered by an `S3Client`.

mod batch;
mod body;
mod calls;
pub(crate) mod error;
mod listing;
mod options;
mod part;
mod remembered;
pub(crate) mod verify;

use std::{fmt, sync::Arc};

use artifact_s3::{Bucket, ObjectKey, S3Client};
use s3s::{S3Result, dto::PutObjectInput, s3_error};

use self::remembered::Remembered;
pub(crate) use self::{body::to_blob, calls::length, listing::url_encode, remembered::Completed};

/// Speaks to any [`S3Client`] as s3s asks.
///
/// Whatever an `S3Client` could not be told is refused with `NotImplemented`, so that
/// nothing is ever dropped on the way.
pub(crate) struct Adapter {
    client: Arc<dyn S3Client>,
    remembered: Remembered,
}

impl Adapter {
    pub(crate) fn new(client: Arc<dyn S3Client>) -> Self {
        Self { client, remembered: Remembered::default() }
    }
}

/// Refuses a put that could not be passed on, before its bytes come.
pub(crate) fn check_put(input: &PutObjectInput) -> S3Result<()> {
    parse_key(&input.key)?;
    options::of_put(input, None).map(drop)
}

impl fmt::Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Adapter").field(&self.client).finish()
    }
}

fn parse_bucket(name: &str) -> S3Result<Bucket> {
    Bucket::parse(name).map_err(|e| s3_error!(e, InvalidBucketName, "{e}"))
}

fn parse_key(key: &str) -> S3Result<ObjectKey> {
    ObjectKey::parse(key).map_err(|e| s3_error!(e, InvalidArgument, "{e}"))
}

/// Refuses a call that gives any of these fields.
macro_rules! refuse {
    ($input:expr, $($field:ident),+ $(,)?) => {
        $(
            if $input.$field.is_some() {
                return Err(s3s::s3_error!(
                    NotImplemented,
                    "this server does not know {}",
                    stringify!($field).replace('_', "-"),
                ));
            }
        )+
    };
}
pub(crate) use refuse;
