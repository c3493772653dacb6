//! The libraries of the bundled filters, as a program would use them.

use anyhow::{anyhow, ensure};
use bytes::Bytes;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce, aead::AeadInOut};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

pub(super) const LEVEL: u32 = 6;

const WINDOW_BITS: u8 = 15;
const CHUNK: usize = 256 << 10;
/// Of the filter `encrypt`: what is encrypted and authenticated at once.
const SEGMENT: usize = 64 << 10;

/// Compresses chunk by chunk.
pub(super) fn gzip(bytes: &[u8]) -> anyhow::Result<Vec<Bytes>> {
    let mut deflate = Compress::new_gzip(Compression::new(LEVEL), WINDOW_BITS);
    let mut stored = Vec::new();
    let mut chunks = bytes.chunks(CHUNK).peekable();
    while let Some(mut chunk) = chunks.next() {
        let flush =
            if chunks.peek().is_some() { FlushCompress::None } else { FlushCompress::Finish };
        loop {
            let mut answer = Vec::with_capacity(CHUNK);
            let before = deflate.total_in();
            let status = deflate.compress_vec(chunk, &mut answer, flush)?;
            chunk = &chunk[usize::try_from(deflate.total_in() - before)?..];
            let full = answer.len() == answer.capacity();
            stored.push(answer.into());
            if status == Status::StreamEnd || (chunk.is_empty() && !full) {
                break;
            }
        }
    }
    Ok(stored)
}

/// Decompresses what a filter stored, to so many bytes.
pub(super) fn gunzip(stored: &[Bytes], length: usize) -> anyhow::Result<()> {
    let mut inflate = Decompress::new_gzip(WINDOW_BITS);
    for stored in stored {
        for mut chunk in stored.chunks(CHUNK) {
            loop {
                let mut answer = Vec::with_capacity(CHUNK);
                let before = inflate.total_in();
                let status = inflate.decompress_vec(chunk, &mut answer, FlushDecompress::None)?;
                chunk = &chunk[usize::try_from(inflate.total_in() - before)?..];
                let full = answer.len() == answer.capacity();
                if status == Status::StreamEnd || (chunk.is_empty() && !full) {
                    break;
                }
            }
        }
    }
    ensure!(usize::try_from(inflate.total_out())? == length, "not all of it came back");
    Ok(())
}

/// Encrypts segment by segment; each has a buffer of its own, as whoever sends it needs.
pub(super) fn encrypt(bytes: &[u8]) -> anyhow::Result<Vec<Vec<u8>>> {
    let cipher = cipher();
    let seal = |(number, segment): (u32, &[u8])| {
        let mut sealed = Vec::with_capacity(segment.len() + 16);
        sealed.extend_from_slice(segment);
        let done = cipher.encrypt_in_place(&nonce(number), &number.to_be_bytes(), &mut sealed);
        done.map(|()| sealed).map_err(|_| anyhow!("it cannot be encrypted"))
    };
    (0..).zip(bytes.chunks(SEGMENT)).map(seal).collect()
}

pub(super) fn decrypt(sealed: &[Vec<u8>]) -> anyhow::Result<()> {
    let cipher = cipher();
    for (number, sealed) in (0..).zip(sealed) {
        let mut segment = sealed.clone();
        cipher
            .decrypt_in_place(&nonce(number), &u32::to_be_bytes(number), &mut segment)
            .map_err(|_| anyhow!("it cannot be decrypted"))?;
    }
    Ok(())
}

fn cipher() -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&[7; 32].into())
}

fn nonce(number: u32) -> Nonce {
    let mut nonce = [0; 12];
    nonce[8..].copy_from_slice(&number.to_be_bytes());
    nonce.into()
}
