use md5::{Digest, Md5};

use crate::{
    Budget,
    answers::{self, refuse},
    bindings::agent::artifacts::types::S3Error,
    budget::Share,
};

/// Bytes in blocks of one size, so that they grow without being copied and any of them is
/// found at once.
#[derive(Debug)]
pub struct Blob {
    blocks: Vec<Vec<u8>>,
    length: usize,
    expected: Option<u64>,
    hash: Md5,
    share: Share,
}

/// Bytes in a block; only the last one has fewer.
const BLOCK: usize = 64 * 1024;

/// What a blob without bytes takes.
const OVERHEAD: usize = 256;

impl Blob {
    /// One without bytes yet, of a length that may be known.
    pub fn new(expected: Option<u64>, budget: &Budget) -> Result<Self, S3Error> {
        let share = budget.take(OVERHEAD)?;
        Ok(Self { blocks: Vec::new(), length: 0, expected, hash: Md5::new(), share })
    }

    /// Adds bytes at the end.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), S3Error> {
        self.share.grow(bytes.len())?;
        self.hash.update(bytes);
        self.length += bytes.len();
        while !bytes.is_empty() {
            let block = match self.blocks.last_mut() {
                Some(block) if block.len() < BLOCK => block,
                _ => {
                    self.blocks.push(Vec::new());
                    continue;
                }
            };
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - block.len()));
            block.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Ends it; fails where it is not as long as was said.
    pub fn finish(mut self) -> Result<Self, S3Error> {
        let length = self.length as u64;
        if let Some(expected) = self.expected.filter(|expected| *expected != length) {
            return Err(refuse(&format!(
                "the body was said to have {expected} bytes, and {length} were written"
            )));
        }
        if let Some(last) = self.blocks.last_mut() {
            last.shrink_to_fit();
        }
        Ok(self)
    }

    /// The MD5 of the bytes, in hexadecimal: S3's etag of what came in one part.
    #[must_use]
    pub fn etag(&self) -> String {
        hex(&self.hash.clone().finalize())
    }

    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The bytes from `start`, at most up to `end` and to the end of a block.
    pub fn read(&self, start: usize, end: usize) -> Result<&[u8], S3Error> {
        if start >= end {
            return Ok(&[]);
        }
        let (block, from) = (start / BLOCK, start % BLOCK);
        let to = (from + (end - start)).min(BLOCK);
        self.blocks
            .get(block)
            .and_then(|block| block.get(from..to.min(block.len())))
            .filter(|part| !part.is_empty())
            .ok_or_else(answers::invalid_range)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(chunks: &[&[u8]]) -> Blob {
        let mut blob = Blob::new(None, &Budget::new(1 << 20)).unwrap();
        for chunk in chunks {
            blob.push(chunk).unwrap();
        }
        blob.finish().unwrap()
    }

    fn read(blob: &Blob, mut start: usize, end: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while start < end {
            let part = blob.read(start, end).unwrap();
            assert!(!part.is_empty(), "it would never end");
            all.extend_from_slice(part);
            start += part.len();
        }
        all
    }

    #[test]
    fn bytes_come_back_across_blocks() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let blob = blob(&[&bytes[..10], &bytes[10..70_000], &bytes[70_000..]]);
        assert_eq!(blob.len(), 200_000);
        assert_eq!(blob.blocks.len(), 4);
        for (start, end) in [(0, 200_000), (5, 6), (65_535, 65_537), (199_999, 200_000), (7, 7)] {
            assert_eq!(read(&blob, start, end), bytes[start..end], "{start}..{end}");
        }
        assert!(blob.read(200_000, 200_001).is_err());
    }

    #[test]
    fn the_etag_is_the_md5_however_the_bytes_came() {
        // RFC 1321, A.5.
        assert_eq!(blob(&[b"a", b"bc"]).etag(), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(blob(&[]).etag(), "d41d8cd98f00b204e9800998ecf8427e");
    }

    #[test]
    fn a_blob_keeps_its_word_on_its_length() {
        let mut blob = Blob::new(Some(3), &Budget::new(1 << 20)).unwrap();
        blob.push(b"ab").unwrap();
        assert!(blob.finish().unwrap_err().message.contains("3 bytes, and 2 were"));
    }

    #[test]
    fn what_does_not_fit_is_refused_and_given_back() {
        let budget = Budget::new(1000);
        let mut blob = Blob::new(None, &budget).unwrap();
        blob.push(&[0; 700]).unwrap();
        assert_eq!(blob.push(&[0; 700]).unwrap_err().code.as_deref(), Some("InsufficientStorage"));
        assert_eq!(blob.len(), 700);
        drop(blob);
        assert_eq!(budget.left(), 1000);
    }
}
