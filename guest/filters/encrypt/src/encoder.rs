use std::{fmt, mem};

use artifact_filter_pieces::{Input, Ready};

use crate::{
    ANSWER_SEGMENTS, Fault, Keys,
    format::{Frame, Header, SEGMENT, TAG},
    stream::Segments,
};

/// Encrypts one artifact.
///
/// It holds a segment back, since what comes decides whether it is the last; and the
/// chunk that came last, and its answer.
pub struct Encoder {
    /// The header, until it is given.
    header: Vec<u8>,
    segments: Segments,
    input: Input,
}

impl Encoder {
    /// Begins the artifact of this name. The salt has 32 bytes that no other artifact
    /// was given: its key, and so the safety of every nonce, hangs on that.
    pub fn open(keys: &Keys, name: &str, salt: &[u8]) -> Result<Self, Fault> {
        let salt = *salt.as_array().ok_or(Fault::Salt(salt.len()))?;
        let master = keys.current();
        let derived = master.derive(&salt, name)?;
        let header = Header { key_id: master.id()?, salt, check: derived.check };
        let segments = Segments::new(&derived);
        Ok(Self { header: header.to_bytes(), segments, input: Input::default() })
    }

    /// Takes the next bytes, and gives those that are ready.
    pub fn push(&mut self, chunk: Vec<u8>) -> Result<Ready, Fault> {
        self.input.add(chunk);
        let mut bytes = mem::take(&mut self.header);
        for _ in 0..ANSWER_SEGMENTS {
            if !self.more() {
                break;
            }
            self.seal(SEGMENT, false, &mut bytes)?;
        }
        Ok(Ready { bytes, more: self.more() })
    }

    /// Ends the artifact, and gives its last segment.
    pub fn finish(mut self) -> Result<Vec<u8>, Fault> {
        if self.more() {
            return Err(Fault::NotTaken);
        }
        let mut bytes = mem::take(&mut self.header);
        self.seal(self.input.rest().len(), true, &mut bytes)?;
        Ok(bytes)
    }

    /// Whether a segment is full that is not the last.
    fn more(&self) -> bool {
        self.input.rest().len() > SEGMENT
    }

    fn seal(&mut self, length: usize, last: bool, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        let mut segment = Vec::with_capacity(length + TAG);
        segment.extend_from_slice(self.input.rest().get(..length).unwrap_or_default());
        let frame = self.segments.seal(&mut segment, last)?;
        bytes.reserve(Frame::LENGTH + segment.len());
        bytes.extend(frame.to_bytes());
        bytes.extend(segment);
        self.input.skip(length);
        Ok(())
    }
}

impl fmt::Debug for Encoder {
    /// Without keys and bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("segment", &self.segments.number()).finish_non_exhaustive()
    }
}
