use std::io;

use base64::{Engine, engine::general_purpose::STANDARD};
use crc_fast::{CrcAlgorithm, Digest as Crc};
use futures::TryStreamExt;
use md5::Md5;
use sha2::{Digest, Sha256};

use crate::{ByteStream, ChecksumAlgorithm};

/// Bytes hashed before other tasks get their turn.
const SLICE: usize = 256 * 1024;

impl ChecksumAlgorithm {
    /// The header that carries the checksum.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// S3's name for it (`x-amz-checksum-algorithm`).
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha256 => "SHA256",
        }
    }

    /// What the checksum of an object in parts covers (`x-amz-checksum-type`): all of its
    /// bytes, or the checksums of its parts.
    ///
    /// Source: [checking object integrity][integrity], where CRC-64/NVME has the one
    /// type, SHA-256 the other, and the rest both.
    ///
    /// [integrity]: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
    pub(super) fn multipart_type(self) -> &'static str {
        match self {
            Self::Crc32 | Self::Crc32c | Self::Crc64Nvme => "FULL_OBJECT",
            Self::Sha256 => "COMPOSITE",
        }
    }

    /// The checksum of a whole, of those of its parts and their lengths, in order; none
    /// where the whole's cannot be had of them.
    pub(super) fn combined<'a>(
        self,
        parts: impl IntoIterator<Item = (&'a str, u64)>,
    ) -> Option<String> {
        let crc = match self {
            Self::Crc32 => CrcAlgorithm::Crc32IsoHdlc,
            Self::Crc32c => CrcAlgorithm::Crc32Iscsi,
            Self::Crc64Nvme => CrcAlgorithm::Crc64Nvme,
            Self::Sha256 => return None,
        };
        let mut whole = None;
        let mut width = 0;
        for (checksum, length) in parts {
            let bytes = STANDARD.decode(checksum).ok()?;
            width = bytes.len();
            let part = bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
            whole = Some(match whole {
                None => part,
                Some(before) => crc_fast::checksum_combine(crc, before, part, length),
            });
        }
        Some(STANDARD.encode(&whole?.to_be_bytes()[8_usize.checked_sub(width)?..]))
    }

    /// The checksum of all bytes, as S3 writes it: base64, big-endian.
    pub(super) async fn of(self, bytes: ByteStream) -> io::Result<String> {
        let mut hasher = Hasher::new(self);
        each_slice(bytes, |slice| hasher.update(slice)).await?;
        Ok(hasher.finish())
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha256 => None,
        }
    }
}

/// A checksum of bytes that come one slice after the other.
#[derive(Clone, Debug)]
pub(crate) struct Hasher {
    algorithm: ChecksumAlgorithm,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Crc(Box<Crc>),
    Sha256(Sha256),
}

impl Hasher {
    pub(crate) fn new(algorithm: ChecksumAlgorithm) -> Self {
        let state = match algorithm.crc() {
            Some(crc) => State::Crc(Box::new(Crc::new(crc))),
            None => State::Sha256(Sha256::new()),
        };
        Self { algorithm, state }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Crc(crc) => crc.update(bytes),
            State::Sha256(sha) => sha.update(bytes),
        }
    }

    /// Goes on with bytes that were hashed apart: those that follow on these.
    ///
    /// False where the algorithm cannot do that (SHA-256).
    pub(crate) fn append(&mut self, next: &Self) -> bool {
        match (&mut self.state, &next.state) {
            (State::Crc(crc), State::Crc(next)) => crc.combine(next),
            _ => return false,
        }
        true
    }

    /// The checksum, as S3 writes it: base64, big-endian.
    pub(crate) fn finish(self) -> String {
        match (self.state, self.algorithm) {
            (State::Sha256(sha), _) => STANDARD.encode(sha.finalize()),
            (State::Crc(crc), ChecksumAlgorithm::Crc64Nvme) => {
                STANDARD.encode(crc.finalize().to_be_bytes())
            }
            (State::Crc(crc), _) => {
                // The lower half: a CRC of 32 bits is given in 64.
                let [_, _, _, _, low @ ..] = crc.finalize().to_be_bytes();
                STANDARD.encode(low)
            }
        }
    }
}

/// SHA-256 of all bytes, in hexadecimal, as `x-amz-content-sha256` has it.
pub(crate) async fn sha256_hex(bytes: ByteStream) -> io::Result<String> {
    let mut digest = Sha256::new();
    each_slice(bytes, |slice| digest.update(slice)).await?;
    Ok(base16ct::lower::encode_string(&digest.finalize()))
}

/// MD5 of all bytes, in base64, as `Content-MD5` has it.
pub(super) async fn md5_base64(bytes: ByteStream) -> io::Result<String> {
    let mut digest = Md5::new();
    each_slice(bytes, |slice| digest.update(slice)).await?;
    Ok(STANDARD.encode(digest.finalize()))
}

async fn each_slice(mut bytes: ByteStream, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut taken = 0;
    while let Some(chunk) = bytes.try_next().await? {
        for slice in chunk.chunks(SLICE) {
            take(slice);
            taken += slice.len();
            if taken >= SLICE {
                taken = 0;
                tokio::task::yield_now().await;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Body;

    #[tokio::test]
    async fn checksums_are_those_of_the_catalogues() {
        // The check values of "123456789" in the catalogue of CRC algorithms, and
        // of FIPS 180's "abc".
        let of = async |algorithm: ChecksumAlgorithm, text: &'static str| {
            algorithm.of(Body::from(text).into_stream()).await.unwrap()
        };
        let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
        let digits = "123456789";
        assert_eq!(of(ChecksumAlgorithm::Crc32, digits).await, base64(&[0xcb, 0xf4, 0x39, 0x26]));
        assert_eq!(of(ChecksumAlgorithm::Crc32c, digits).await, base64(&[0xe3, 0x06, 0x92, 0x83]));
        assert_eq!(
            of(ChecksumAlgorithm::Crc64Nvme, digits).await,
            base64(&0xae8b_1486_0a79_9888_u64.to_be_bytes())
        );
        assert_eq!(
            sha256_hex(Body::from("abc").into_stream()).await.unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[tokio::test]
    async fn the_parts_checksums_make_that_of_the_whole() {
        let bytes: Vec<u8> =
            (0..100_000_u32).map(|n| (n.wrapping_mul(n) / 7).to_le_bytes()[0]).collect();
        for algorithm in
            [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Crc32c, ChecksumAlgorithm::Crc64Nvme]
        {
            let mut parts = Vec::new();
            for part in bytes.chunks(33_333) {
                let checksum = algorithm.of(Body::from(part.to_vec()).into_stream()).await.unwrap();
                parts.push((checksum, part.len() as u64));
            }
            let combined = algorithm.combined(parts.iter().map(|(c, n)| (c.as_str(), *n)));
            let whole = algorithm.of(Body::from(bytes.clone()).into_stream()).await.unwrap();
            assert_eq!(combined, Some(whole));
        }
        assert_eq!(ChecksumAlgorithm::Sha256.combined([("AAAA", 1)]), None);
        assert_eq!(ChecksumAlgorithm::Crc32.combined([]), None);
    }

    #[tokio::test]
    async fn md5_is_that_of_rfc_1321() {
        // MD5 ("abc") = 900150983cd24fb0d6963f7d28e17f72
        let abc = md5_base64(Body::from("abc").into_stream()).await.unwrap();
        assert_eq!(abc, "kAFQmDzST7DWlj99KOF/cg==");
    }
}
