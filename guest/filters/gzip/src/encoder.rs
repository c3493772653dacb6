use artifact_filter_pieces::{Input, Ready};
use flate2::{Compress, FlushCompress, Status};

use crate::{ANSWER_BYTES, Fault, Level, WINDOW_BITS};

/// What is compressed before the encoder looks whether there is something to give.
///
/// It bounds the work for one answer: bytes that are dear to compress fill a block, of
/// 16,384 codes, soon. 256 KiB of them at once would take more than a second.
const SLICE: usize = 8 << 10;

/// Compresses one artifact. The same bytes give the same bytes: no name and no time
/// are stored with them.
///
/// It holds a quarter of a mebibyte, the chunk that came last, and its answer.
#[derive(Debug)]
pub struct Encoder {
    deflate: Compress,
    input: Input,
}

impl Encoder {
    /// Begins an artifact.
    #[must_use]
    pub fn new(level: Level) -> Self {
        let deflate = Compress::new_gzip(level.compression(), WINDOW_BITS);
        Self { deflate, input: Input::default() }
    }

    /// Takes the next bytes, and gives those that are ready: at most [`ANSWER_BYTES`].
    pub fn push(&mut self, chunk: Vec<u8>) -> Result<Ready, Fault> {
        self.input.add(chunk);
        let mut bytes = Vec::with_capacity(ANSWER_BYTES);
        loop {
            self.deflate(&mut bytes, FlushCompress::None)?;
            if !bytes.is_empty() || self.input.rest().is_empty() {
                break;
            }
        }
        // A full answer may have left something in the encoder, too.
        let more = !self.input.rest().is_empty() || bytes.len() == bytes.capacity();
        Ok(Ready { bytes, more })
    }

    /// Ends the artifact, and gives what was held back: at most [`ANSWER_BYTES`].
    pub fn finish(mut self) -> Result<Vec<u8>, Fault> {
        if !self.input.rest().is_empty() {
            return Err(Fault::NotTaken);
        }
        // A window, and what is encoded and not yet given: about half of this.
        let mut bytes = Vec::with_capacity(ANSWER_BYTES);
        match self.deflate(&mut bytes, FlushCompress::Finish)? {
            Status::StreamEnd => Ok(bytes),
            Status::Ok | Status::BufError => Err(Fault::Encoder),
        }
    }

    /// Goes on with the next slice of the input.
    fn deflate(&mut self, bytes: &mut Vec<u8>, flush: FlushCompress) -> Result<Status, Fault> {
        let rest = self.input.rest();
        let slice = rest.get(..SLICE).unwrap_or(rest);
        let before = self.deflate.total_in();
        let status = self.deflate.compress_vec(slice, bytes, flush).map_err(|_| Fault::Encoder)?;
        let used = self.deflate.total_in() - before;
        if used == 0 && bytes.is_empty() && !slice.is_empty() {
            return Err(Fault::Encoder);
        }
        self.input.skip(usize::try_from(used).unwrap_or(usize::MAX));
        Ok(status)
    }
}
