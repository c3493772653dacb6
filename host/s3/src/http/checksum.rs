use std::{fmt::Write, io};

use base64::{Engine, engine::general_purpose::STANDARD};
use crc_fast::{CrcAlgorithm, Digest as Crc};
use futures::TryStreamExt;
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

    /// The checksum of all bytes, as S3 writes it: base64, big-endian.
    pub(super) async fn of(self, bytes: ByteStream) -> io::Result<String> {
        Ok(match self {
            Self::Crc32 => STANDARD.encode(crc32(CrcAlgorithm::Crc32IsoHdlc, bytes).await?),
            Self::Crc32c => STANDARD.encode(crc32(CrcAlgorithm::Crc32Iscsi, bytes).await?),
            Self::Crc64Nvme => {
                STANDARD.encode(crc(CrcAlgorithm::Crc64Nvme, bytes).await?.to_be_bytes())
            }
            Self::Sha256 => STANDARD.encode(sha256(bytes).await?),
        })
    }
}

/// SHA-256 of all bytes, in hexadecimal, as `x-amz-content-sha256` has it.
pub(crate) async fn sha256_hex(bytes: ByteStream) -> io::Result<String> {
    let mut hex = String::with_capacity(64);
    for byte in sha256(bytes).await? {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(hex)
}

async fn sha256(bytes: ByteStream) -> io::Result<[u8; 32]> {
    let mut digest = Sha256::new();
    each_slice(bytes, |slice| digest.update(slice)).await?;
    Ok(digest.finalize().into())
}

/// The lower half: a CRC of 32 bits is given in 64.
async fn crc32(algorithm: CrcAlgorithm, bytes: ByteStream) -> io::Result<[u8; 4]> {
    let [_, _, _, _, low @ ..] = crc(algorithm, bytes).await?.to_be_bytes();
    Ok(low)
}

async fn crc(algorithm: CrcAlgorithm, bytes: ByteStream) -> io::Result<u64> {
    let mut digest = Crc::new(algorithm);
    each_slice(bytes, |slice| digest.update(slice)).await?;
    Ok(digest.finalize())
}

async fn each_slice(mut bytes: ByteStream, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    while let Some(chunk) = bytes.try_next().await? {
        for slice in chunk.chunks(SLICE) {
            take(slice);
            tokio::task::yield_now().await;
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
}
