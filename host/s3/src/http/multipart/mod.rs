//! Multipart upload: the five calls of S3, and what is made of them.

// In the order in which an upload travels.
mod settings;
pub use settings::Multipart;
mod put;
mod source;
pub(super) use put::{Upload, put};
mod create;
mod upload_part;
// The end of one: a whole object, or nothing.
mod abort;
mod complete;
pub(super) use complete::CompletedPart;
mod list;
mod outcome;
mod unfinished;
pub use list::UnfinishedUpload;
pub(super) use unfinished::background;

#[cfg(any(test, fuzzing))]
pub(super) use {
    complete::CompleteMultipartUploadResult, create::InitiateMultipartUploadResult,
    list::ListMultipartUploadsResult,
};

use super::HttpS3;
use crate::{Bucket, ObjectKey, Operation, S3Error, http::request::target};

/// An upload that the service has begun, and that takes room there until it ends.
#[derive(Clone)]
pub(super) struct MultipartUpload {
    pub(super) s3: HttpS3,
    pub(super) bucket: Bucket,
    pub(super) key: ObjectKey,
    /// The service's name for it.
    pub(super) id: String,
}

impl MultipartUpload {
    fn on(&self, operation: Operation, error: S3Error) -> S3Error {
        error.on(operation, target(&self.bucket, Some(&self.key)))
    }
}
