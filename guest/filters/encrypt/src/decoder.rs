use std::fmt;

use artifact_filter_pieces::{Input, Ready};
use ctutils::CtEq;

use crate::{
    ANSWER_SEGMENTS, Fault, Keys,
    format::{Frame, Header, TAG},
    stream::Segments,
};

/// Decrypts one artifact.
///
/// It gives a segment once it is authentic. Only the end says that there were all of
/// them: until then a reader has a true beginning, and not the artifact.
///
/// It holds a segment, the chunk that came last, and its answer.
pub struct Decoder {
    keys: Keys,
    name: String,
    place: Place,
    input: Input,
    /// Stored bytes that are decrypted.
    used: u64,
}

/// What comes next in the stored bytes.
enum Place {
    Header,
    Segment(Segments),
    /// Nothing: the last segment was read.
    End,
}

impl Decoder {
    /// Begins the artifact of this name.
    #[must_use]
    pub fn open(keys: Keys, name: &str) -> Self {
        let (place, input) = (Place::Header, Input::default());
        Self { keys, name: name.to_owned(), place, input, used: 0 }
    }

    /// Takes the next stored bytes, and gives those that are ready.
    pub fn push(&mut self, chunk: Vec<u8>) -> Result<Ready, Fault> {
        self.input.add(chunk);
        if matches!(self.place, Place::Header) {
            let Some(header) = Header::read(self.input.rest())? else {
                return Ok(Ready::default());
            };
            self.place = Place::Segment(self.unlock(&header)?);
            self.skip(Header::LENGTH);
        }
        let mut bytes = Vec::new();
        for _ in 0..ANSWER_SEGMENTS {
            let Some(frame) = self.whole_segment()? else {
                return Ok(Ready { bytes, more: false });
            };
            self.decrypt(frame, &mut bytes)?;
        }
        Ok(Ready { bytes, more: self.whole_segment()?.is_some() })
    }

    /// Ends the artifact; nothing is held back.
    pub fn finish(self) -> Result<(), Fault> {
        if self.whole_segment()?.is_some() {
            return Err(Fault::NotTaken);
        }
        match self.place {
            Place::End => Ok(()),
            Place::Header | Place::Segment(_) => {
                let rest = self.input.rest().len();
                Err(Fault::Truncated(self.used + u64::try_from(rest).unwrap_or(u64::MAX)))
            }
        }
    }

    fn unlock(&self, header: &Header) -> Result<Segments, Fault> {
        let master = self.keys.find(header.key_id)?;
        let derived = master.derive(&header.salt, &self.name)?;
        if !derived.check.ct_eq(&header.check).to_bool() {
            return Err(Fault::Header);
        }
        Ok(Segments::new(&derived))
    }

    /// The next segment, if all of it is there.
    fn whole_segment(&self) -> Result<Option<Frame>, Fault> {
        let rest = self.input.rest();
        match &self.place {
            Place::Header => Ok(None),
            Place::Segment(segments) => {
                let frame = Frame::read(rest, segments.number()?)?;
                Ok(frame.filter(|frame| rest.len() >= Frame::LENGTH + frame.length + TAG))
            }
            Place::End if rest.is_empty() => Ok(None),
            Place::End => Err(Fault::Appended(self.used)),
        }
    }

    fn decrypt(&mut self, frame: Frame, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        let Place::Segment(segments) = &mut self.place else {
            return Ok(());
        };
        let end = Frame::LENGTH + frame.length + TAG;
        let mut segment = self.input.rest().get(Frame::LENGTH..end).unwrap_or_default().to_vec();
        segments.open(&mut segment, frame)?;
        bytes.extend(segment);
        if frame.last {
            self.place = Place::End;
        }
        self.skip(end);
        Ok(())
    }

    fn skip(&mut self, count: usize) {
        self.input.skip(count);
        self.used += u64::try_from(count).unwrap_or(u64::MAX);
    }
}

impl fmt::Debug for Decoder {
    /// Without keys and bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("name", &self.name).finish_non_exhaustive()
    }
}
