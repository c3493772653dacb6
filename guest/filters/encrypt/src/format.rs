use crate::Fault;

/// Plain bytes of every segment but the last, which has that many or fewer.
pub(crate) const SEGMENT: usize = 64 << 10;

/// Bytes by which a segment is longer when it is encrypted: the tag of Poly1305.
pub(crate) const TAG: usize = 16;

pub(crate) const SALT: usize = 32;
pub(crate) const KEY_ID: usize = 8;
pub(crate) const CHECK: usize = 32;

/// What an encrypted artifact begins with. The first byte is in no text.
pub(crate) const MAGIC: [u8; 7] = *b"\x89ARTENC";
const VERSION: u8 = 1;

/// What stands before the segments, 80 bytes: magic, version, key id, salt, check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Which key the artifact's own one is derived from.
    pub(crate) key_id: [u8; KEY_ID],
    /// What it is derived with: random, and no other artifact's.
    pub(crate) salt: [u8; SALT],
    /// Derived beside it: says that key, salt and the artifact's name belong together.
    pub(crate) check: [u8; CHECK],
}

impl Header {
    pub(crate) const LENGTH: usize = MAGIC.len() + 1 + KEY_ID + SALT + CHECK;

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        [&MAGIC[..], &[VERSION], &self.key_id, &self.salt, &self.check].concat()
    }

    /// The header at the beginning of the bytes, and its length; none if it is not all
    /// there yet. Fails as soon as the bytes show that it is none.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Self>, Fault> {
        if bytes.iter().zip(MAGIC).any(|(byte, magic)| *byte != magic) {
            return Err(Fault::NotEncrypted);
        }
        let fields = || {
            let (version, rest) = bytes.get(MAGIC.len()..)?.split_first()?;
            let (key_id, rest) = rest.split_first_chunk()?;
            let (salt, rest) = rest.split_first_chunk()?;
            let header = Self { key_id: *key_id, salt: *salt, check: *rest.first_chunk()? };
            Some((*version, header))
        };
        match fields() {
            None => Ok(None),
            Some((VERSION, header)) => Ok(Some(header)),
            Some((version, _)) => Err(Fault::Version(version)),
        }
    }
}

/// What stands before each segment, 8 bytes: its number, and its length as plain bytes,
/// big-endian, with the highest bit of the length set for the last one.
///
/// It is authenticated with its segment. What a decoder makes of it before that is only
/// to say more clearly what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) number: u32,
    pub(crate) length: usize,
    pub(crate) last: bool,
}

impl Frame {
    pub(crate) const LENGTH: usize = 8;
    const LAST: u32 = 1 << 31;

    pub(crate) fn to_bytes(self) -> [u8; Self::LENGTH] {
        // A segment has 17 bits at most.
        let length = u32::try_from(self.length).unwrap_or(!Self::LAST);
        let length = if self.last { length | Self::LAST } else { length };
        (u64::from(self.number) << 32 | u64::from(length)).to_be_bytes()
    }

    /// The frame at the beginning of the bytes, which is to be that of the segment with
    /// this number; none if it is not all there yet.
    pub(crate) fn read(bytes: &[u8], number: u32) -> Result<Option<Self>, Fault> {
        let fields = || {
            let (found, rest) = bytes.split_first_chunk()?;
            Some((u32::from_be_bytes(*found), u32::from_be_bytes(*rest.first_chunk()?)))
        };
        let Some((found, length)) = fields() else {
            return Ok(None);
        };
        let last = length & Self::LAST != 0;
        let length = usize::try_from(length & !Self::LAST).unwrap_or(usize::MAX);
        if length > SEGMENT || (length < SEGMENT && !last) {
            return Err(Fault::Altered(number));
        }
        if found != number {
            return Err(Fault::Misplaced { expected: number, found });
        }
        Ok(Some(Self { number, length, last }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let header = Header { key_id: [1; 8], salt: [2; 32], check: [3; 32] };
        let bytes = header.to_bytes();
        assert_eq!(bytes.len(), Header::LENGTH);
        assert_eq!(Header::LENGTH, 80);
        assert_eq!(Header::read(&bytes), Ok(Some(header)));
        assert_eq!(Header::read(&[&bytes[..], b"more"].concat()), Ok(Some(header)));
        for length in 0..bytes.len() {
            assert_eq!(Header::read(&bytes[..length]), Ok(None), "{length}");
        }
    }

    #[test]
    fn other_bytes_and_other_versions_are_refused_as_soon_as_they_show() {
        for other in [&b"h"[..], b"hello", b"\x1f\x8b", b"\x89PNG", &[0; 100]] {
            assert_eq!(Header::read(other), Err(Fault::NotEncrypted), "{other:?}");
        }
        let header = Header { key_id: [1; 8], salt: [2; 32], check: [3; 32] };
        let mut bytes = header.to_bytes();
        bytes[7] = 2;
        assert_eq!(Header::read(&bytes), Err(Fault::Version(2)));
    }

    #[test]
    fn a_frame_is_read_as_it_was_written() {
        for (number, length, last) in
            [(0, SEGMENT, false), (1, 0, true), (u32::MAX, SEGMENT, true), (7, 1, true)]
        {
            let frame = Frame { number, length, last };
            let bytes = frame.to_bytes();
            assert_eq!(Frame::read(&bytes, number), Ok(Some(frame)));
            assert_eq!(Frame::read(&bytes[..7], number), Ok(None));
        }
        let frame = Frame { number: 0x0102, length: 3, last: true };
        assert_eq!(frame.to_bytes(), [0, 0, 1, 2, 0x80, 0, 0, 3]);
    }

    #[test]
    fn a_frame_that_no_encoder_makes_is_refused() {
        for (number, length, last) in
            [(0, 1, false), (0, SEGMENT + 1, true), (0, SEGMENT + 1, false), (9, 0, false)]
        {
            let bytes = Frame { number, length, last }.to_bytes();
            assert_eq!(Frame::read(&bytes, 0), Err(Fault::Altered(0)), "{bytes:?}");
        }
        let bytes = Frame { number: 3, length: SEGMENT, last: false }.to_bytes();
        assert_eq!(Frame::read(&bytes, 2), Err(Fault::Misplaced { expected: 2, found: 3 }));
    }
}
