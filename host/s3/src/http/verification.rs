use http::HeaderMap;

use super::{checksum::Hasher, error_response::clean};
use crate::{ChecksumAlgorithm, S3Error, S3ErrorKind};

/// Most characters that are shown of a checksum; SHA-256 has 44.
const MAX_SHOWN: usize = 64;

/// The checksum of a whole object, as the service told it with the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToldChecksum {
    pub(crate) algorithm: ChecksumAlgorithm,
    /// As S3 writes it: base64, big-endian.
    value: String,
}

impl ToldChecksum {
    /// The quickest of those in an answer, if it has any that covers the whole object.
    ///
    /// A checksum of checksums (`COMPOSITE`, with the number of parts behind a `-`)
    /// cannot be compared with anything that is known here.
    ///
    /// Source: [checking object integrity][integrity].
    ///
    /// [integrity]: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        use ChecksumAlgorithm as A;

        // Most services tell none, which one look shows.
        if !headers.keys().any(|name| name.as_str().starts_with("x-amz-checksum-")) {
            return None;
        }
        let text = |name: &str| headers.get(name)?.to_str().ok();
        if text("x-amz-checksum-type").is_some_and(|kind| kind.eq_ignore_ascii_case("COMPOSITE")) {
            return None;
        }
        [A::Crc64Nvme, A::Crc32c, A::Crc32, A::Sha256].into_iter().find_map(|algorithm| {
            let value = text(algorithm.header())?.trim();
            let told = !value.is_empty() && !value.contains('-');
            told.then(|| Self { algorithm, value: value.to_owned() })
        })
    }

    /// Whether it can be made of the checksums of parts.
    pub(crate) fn is_of_parts(&self) -> bool {
        self.algorithm != ChecksumAlgorithm::Sha256
    }

    /// Whether the bytes that were hashed are those of the object.
    pub(crate) fn check(&self, hasher: Hasher) -> Result<(), S3Error> {
        let found = hasher.finish();
        if found == self.value {
            return Ok(());
        }
        Err(S3Error::new(
            S3ErrorKind::Integrity,
            format!(
                "the bytes that arrived have the {name} {found}, and those of the object have \
                 {told}: they were damaged on the way or in the storage; throw them away and read \
                 again",
                name = self.algorithm.name(),
                told = clean(&self.value, MAX_SHOWN),
            ),
        ))
    }
}
