use aead_stream::{NewStream, Nonce, StreamBE32, StreamPrimitive};
use chacha20poly1305::ChaCha20Poly1305;

use crate::{Fault, format::Frame, keys::Derived};

type Stream = StreamBE32<ChaCha20Poly1305>;

/// The segments of one artifact, from the first to the last.
///
/// The nonce of a segment is 7 bytes of 0, its number, and whether it is the last:
/// each once under a key that no other artifact has.
pub(crate) struct Segments {
    stream: Stream,
    /// The number of the next one; none where there are no more numbers.
    next: Option<u32>,
}

impl Segments {
    pub(crate) fn new(derived: &Derived) -> Self {
        let nonce = Nonce::<ChaCha20Poly1305, Stream>::default();
        Self { stream: Stream::new(&derived.key.into(), &nonce), next: Some(0) }
    }

    /// The number of the next segment.
    pub(crate) fn number(&self) -> Result<u32, Fault> {
        self.next.ok_or(Fault::TooLarge)
    }

    /// Encrypts the next segment, and gives what stands before it.
    pub(crate) fn seal(&mut self, segment: &mut Vec<u8>, last: bool) -> Result<Frame, Fault> {
        let frame = Frame { number: self.number()?, length: segment.len(), last };
        let sealed = self.stream.encrypt_in_place(frame.number, last, &frame.to_bytes(), segment);
        sealed.map_err(|_| Fault::Cipher)?;
        self.next = frame.number.checked_add(1);
        Ok(frame)
    }

    /// Decrypts the next segment. It stays as it was where it is not authentic.
    pub(crate) fn open(&mut self, segment: &mut Vec<u8>, frame: Frame) -> Result<(), Fault> {
        let Frame { number, last, .. } = frame;
        let opened = self.stream.decrypt_in_place(number, last, &frame.to_bytes(), segment);
        opened.map_err(|_| Fault::Altered(number))?;
        self.next = number.checked_add(1);
        Ok(())
    }
}
