//! How the checksums of parts become that of the object.
//!
//! Source: [checking object integrity][integrity].
//!
//! [integrity]: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html

use artifact_s3::ChecksumAlgorithm;
use base64::{Engine, engine::general_purpose::STANDARD};
use crc_fast::{CrcAlgorithm, checksum_combine};
use s3s::{
    S3Result,
    crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha256},
    dto::{Checksum, ChecksumType, CreateMultipartUploadInput},
    s3_error,
};

/// Which checksum an upload has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UploadChecksum {
    pub(super) algorithm: ChecksumAlgorithm,
    /// Of all bytes; otherwise the checksum of the parts' checksums.
    pub(super) full_object: bool,
    /// Whether the caller asked for it; S3 keeps a CRC64NVME where nobody did.
    pub(super) asked: bool,
}

impl UploadChecksum {
    /// What the caller asks for, by the table in S3's user guide.
    pub(super) fn of(input: &CreateMultipartUploadInput) -> S3Result<Self> {
        use ChecksumAlgorithm as A;
        let wanted = input.checksum_type.as_ref().map(ChecksumType::as_str);
        let Some(name) = &input.checksum_algorithm else {
            return match wanted {
                None => Ok(Self { algorithm: A::Crc64Nvme, full_object: true, asked: false }),
                Some(_) => Err(s3_error!(
                    InvalidRequest,
                    "x-amz-checksum-type needs x-amz-checksum-algorithm"
                )),
            };
        };
        let algorithm = [A::Crc32, A::Crc32c, A::Crc64Nvme, A::Sha256]
            .into_iter()
            .find(|algorithm| self::name(*algorithm).eq_ignore_ascii_case(name.as_str()))
            .ok_or_else(|| s3_error!(NotImplemented, "this server keeps no {}", name.as_str()))?;
        let full_object = match (algorithm, wanted) {
            (A::Crc32 | A::Crc32c | A::Sha256, None | Some(ChecksumType::COMPOSITE)) => false,
            (A::Crc64Nvme, None) | (A::Crc32 | A::Crc32c | A::Crc64Nvme, Some("FULL_OBJECT")) => {
                true
            }
            (_, Some(wanted)) => {
                return Err(s3_error!(
                    InvalidRequest,
                    "The {wanted} checksum type cannot be used with the {} checksum algorithm.",
                    self::name(algorithm)
                ));
            }
        };
        Ok(Self { algorithm, full_object, asked: true })
    }

    /// S3's name for the type.
    pub(super) fn kind(self) -> ChecksumType {
        let kind =
            if self.full_object { ChecksumType::FULL_OBJECT } else { ChecksumType::COMPOSITE };
        ChecksumType::from_static(kind)
    }

    /// The object's checksum, from those of its parts and their lengths.
    pub(super) fn join<'a>(
        self,
        parts: impl ExactSizeIterator<Item = (&'a Checksum, u64)>,
    ) -> S3Result<String> {
        let count = parts.len();
        let mut combined = 0;
        let mut all = Vec::new();
        for (checksum, length) in parts {
            let bytes = value(checksum, self.algorithm)
                .and_then(|value| STANDARD.decode(value).ok())
                .ok_or_else(|| s3_error!(InternalError, "a part has no checksum"))?;
            if self.full_object {
                let part = bytes.iter().fold(0, |crc, byte| crc << 8 | u64::from(*byte));
                combined = checksum_combine(self.crc()?, combined, part, length);
            } else {
                all.extend_from_slice(&bytes);
            }
        }
        if self.full_object {
            let bytes = combined.to_be_bytes();
            let width = if self.algorithm == ChecksumAlgorithm::Crc64Nvme { 8 } else { 4 };
            return Ok(STANDARD.encode(&bytes[8 - width..]));
        }
        let digest = match self.algorithm {
            ChecksumAlgorithm::Crc32 => STANDARD.encode(Crc32::checksum(&all)),
            ChecksumAlgorithm::Crc32c => STANDARD.encode(Crc32c::checksum(&all)),
            ChecksumAlgorithm::Crc64Nvme => STANDARD.encode(Crc64Nvme::checksum(&all)),
            ChecksumAlgorithm::Sha256 => STANDARD.encode(Sha256::checksum(&all)),
        };
        Ok(format!("{digest}-{count}"))
    }

    fn crc(self) -> S3Result<CrcAlgorithm> {
        match self.algorithm {
            ChecksumAlgorithm::Crc32 => Ok(CrcAlgorithm::Crc32IsoHdlc),
            ChecksumAlgorithm::Crc32c => Ok(CrcAlgorithm::Crc32Iscsi),
            ChecksumAlgorithm::Crc64Nvme => Ok(CrcAlgorithm::Crc64Nvme),
            ChecksumAlgorithm::Sha256 => Err(s3_error!(InternalError, "SHA-256 cannot be joined")),
        }
    }
}

/// S3's name, as in `x-amz-checksum-algorithm`.
pub(super) fn name(algorithm: ChecksumAlgorithm) -> &'static str {
    match algorithm {
        ChecksumAlgorithm::Crc32 => "CRC32",
        ChecksumAlgorithm::Crc32c => "CRC32C",
        ChecksumAlgorithm::Crc64Nvme => "CRC64NVME",
        ChecksumAlgorithm::Sha256 => "SHA256",
    }
}

/// The value that belongs to the algorithm, where there is one.
pub(super) fn value(checksum: &Checksum, algorithm: ChecksumAlgorithm) -> Option<&str> {
    match algorithm {
        ChecksumAlgorithm::Crc32 => checksum.checksum_crc32.as_deref(),
        ChecksumAlgorithm::Crc32c => checksum.checksum_crc32c.as_deref(),
        ChecksumAlgorithm::Crc64Nvme => checksum.checksum_crc64nvme.as_deref(),
        ChecksumAlgorithm::Sha256 => checksum.checksum_sha256.as_deref(),
    }
}

/// A value of one algorithm, where S3's structures want it.
pub(super) fn of_value(value: String, algorithm: ChecksumAlgorithm) -> Checksum {
    let mut checksum = Checksum::default();
    let place = match algorithm {
        ChecksumAlgorithm::Crc32 => &mut checksum.checksum_crc32,
        ChecksumAlgorithm::Crc32c => &mut checksum.checksum_crc32c,
        ChecksumAlgorithm::Crc64Nvme => &mut checksum.checksum_crc64nvme,
        ChecksumAlgorithm::Sha256 => &mut checksum.checksum_sha256,
    };
    *place = Some(value);
    checksum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(algorithm: ChecksumAlgorithm, full_object: bool, parts: &[&[u8]]) -> String {
        let of = |bytes: &[u8]| match algorithm {
            ChecksumAlgorithm::Crc32 => STANDARD.encode(Crc32::checksum(bytes)),
            ChecksumAlgorithm::Crc32c => STANDARD.encode(Crc32c::checksum(bytes)),
            ChecksumAlgorithm::Crc64Nvme => STANDARD.encode(Crc64Nvme::checksum(bytes)),
            ChecksumAlgorithm::Sha256 => STANDARD.encode(Sha256::checksum(bytes)),
        };
        let checksums: Vec<(Checksum, u64)> =
            parts.iter().map(|part| (of_value(of(part), algorithm), part.len() as u64)).collect();
        let checksum = UploadChecksum { algorithm, full_object, asked: true };
        checksum.join(checksums.iter().map(|(sum, length)| (sum, *length))).unwrap()
    }

    #[test]
    fn the_checksum_of_the_object_follows_from_those_of_its_parts() {
        use ChecksumAlgorithm::{Crc32, Crc32c, Crc64Nvme, Sha256};
        // The check value of the catalogue of CRC algorithms for "123456789".
        for (algorithm, check) in
            [(Crc32, "y/Q5Jg=="), (Crc32c, "4waSgw=="), (Crc64Nvme, "rosUhgp5mIg=")]
        {
            assert_eq!(joined(algorithm, true, &[b"123", b"", b"456789"]), check);
        }
        let all = [
            s3s::crypto::Sha256::checksum(b"123").as_ref(),
            s3s::crypto::Sha256::checksum(b"456").as_ref(),
        ]
        .concat();
        let composite = STANDARD.encode(s3s::crypto::Sha256::checksum(&all));
        assert_eq!(joined(Sha256, false, &[b"123", b"456"]), format!("{composite}-2"));
    }
}
