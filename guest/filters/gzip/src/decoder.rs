use artifact_filter_pieces::{Input, Ready};
use flate2::{Decompress, FlushDecompress, Status};

use crate::{ANSWER_BYTES, Fault, WINDOW_BITS};

/// What each member of a gzip file begins with (RFC 1952, 2.3.1).
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Decompresses one artifact: a gzip file of one member or more.
///
/// Each member's CRC and length are checked where it ends, so bytes are given before
/// they are known to be right: only the end says that all of them were.
///
/// It holds a window of 32 KiB, the chunk that came last, and its answer.
#[derive(Debug)]
pub struct Decoder {
    inflate: Decompress,
    input: Input,
    /// Length of the members that have ended.
    ended: u64,
}

impl Default for Decoder {
    /// Begins an artifact.
    fn default() -> Self {
        let inflate = Decompress::new_gzip(WINDOW_BITS);
        Self { inflate, input: Input::default(), ended: 0 }
    }
}

impl Decoder {
    /// Takes the next stored bytes, and gives those that are ready: at most
    /// [`ANSWER_BYTES`].
    pub fn push(&mut self, chunk: Vec<u8>) -> Result<Ready, Fault> {
        self.input.add(chunk);
        let mut bytes = Vec::with_capacity(ANSWER_BYTES);
        loop {
            self.check_magic()?;
            let before = self.inflate.total_in();
            let status = self
                .inflate
                .decompress_vec(self.input.rest(), &mut bytes, FlushDecompress::None)
                .map_err(|error| {
                    let what = error.message().unwrap_or("not enough memory");
                    Fault::Damaged(self.place(), what.to_owned())
                })?;
            let used = self.inflate.total_in() - before;
            self.input.skip(usize::try_from(used).unwrap_or(usize::MAX));
            if matches!(status, Status::StreamEnd) {
                self.ended = self.place();
                self.inflate.reset(true);
            }
            // A full answer may have left something in the decoder, too.
            let more = bytes.len() == bytes.capacity();
            if more || self.input.rest().is_empty() {
                return Ok(Ready { bytes, more });
            }
            if used == 0 {
                return Err(Fault::Damaged(self.place(), "no progress".to_owned()));
            }
        }
    }

    /// Ends the artifact; nothing is held back.
    pub fn finish(self) -> Result<(), Fault> {
        if !self.input.rest().is_empty() {
            return Err(Fault::NotTaken);
        }
        if self.ended == 0 || self.inflate.total_in() > 0 {
            return Err(Fault::Truncated(self.place()));
        }
        Ok(())
    }

    /// Whether a member begins where one must: zlib would call all else a wrong header.
    fn check_magic(&self) -> Result<(), Fault> {
        let seen = usize::try_from(self.inflate.total_in()).unwrap_or(usize::MAX);
        let expected = MAGIC.get(seen..).unwrap_or_default();
        if self.input.rest().iter().zip(expected).all(|(byte, magic)| byte == magic) {
            return Ok(());
        }
        Err(if self.ended == 0 { Fault::NotGzip } else { Fault::Appended(self.ended) })
    }

    fn place(&self) -> u64 {
        self.ended + self.inflate.total_in()
    }
}
