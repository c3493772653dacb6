use super::HttpS3;
use crate::{ChecksumAlgorithm, PutOptions, S3Error};

/// Which uploads carry a checksum that the service checks and keeps.
///
/// Where none is set, it is CRC-64/NVME for AWS, as in AWS's own clients, and
/// [`WhenAsked`](Self::WhenAsked) for any other endpoint: some services refuse it.
///
/// SHA-256 of an upload in parts is checked by the service part by part, and no download
/// is compared with it: S3 keeps only a checksum of the parts' checksums (`COMPOSITE`),
/// and a reader does not know where the parts began. The CRCs are of the whole object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadChecksum {
    /// Those whose [`PutOptions::checksum`] names an algorithm.
    WhenAsked,
    /// All: with the algorithm of the options, or else with this one.
    Always(ChecksumAlgorithm),
}

impl UploadChecksum {
    pub(super) fn of_endpoint(is_aws: bool) -> Self {
        if is_aws { Self::Always(ChecksumAlgorithm::Crc64Nvme) } else { Self::WhenAsked }
    }
}

impl HttpS3 {
    /// The checksum that an upload with these options carries.
    pub(super) fn checksum_of(&self, options: &PutOptions) -> Option<ChecksumAlgorithm> {
        match self.parts().upload_checksum {
            UploadChecksum::WhenAsked => options.checksum,
            UploadChecksum::Always(algorithm) => options.checksum.or(Some(algorithm)),
        }
    }
}

/// The error, with advice where the service seems to refuse the checksum's headers.
///
/// Services say so with a status of their own (501 `NotImplemented`), or name the header
/// in a message (400 `InvalidArgument`).
pub(super) fn advised(error: S3Error, sent: Option<ChecksumAlgorithm>) -> S3Error {
    let Some(algorithm) = sent else {
        return error;
    };
    let named = error.message().to_ascii_lowercase().contains("x-amz-checksum")
        || error.message().to_ascii_lowercase().contains("x-amz-sdk-checksum");
    if error.status() != Some(501) && !(error.status() == Some(400) && named) {
        return error;
    }
    error.advised(&format!(
        "the upload carried a {} checksum; if the service does not take these, ask for none and \
         set `upload_checksum` of the client to `WhenAsked`",
        algorithm.name()
    ))
}
