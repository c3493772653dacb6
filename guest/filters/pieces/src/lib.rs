//! What the bundled filters share: bytes that came in, and bytes that are ready.

#![forbid(unsafe_code)]

/// An answer to a chunk, as `filter.wit` has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether there are more; an empty chunk asks for them.
    pub more: bool,
}

/// Bytes that came in, up to those that are used.
///
/// It holds what was not used of earlier chunks, and the chunk that came last.
#[derive(Clone, Debug, Default)]
pub struct Input {
    bytes: Vec<u8>,
    used: usize,
}

impl Input {
    /// Takes in the next chunk.
    pub fn add(&mut self, chunk: Vec<u8>) {
        self.bytes.drain(..self.used);
        self.used = 0;
        if self.bytes.is_empty() {
            self.bytes = chunk;
        } else {
            self.bytes.extend(chunk);
        }
    }

    /// The bytes that are not used yet.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        self.bytes.get(self.used..).unwrap_or_default()
    }

    /// Uses so many of them, or all if there are fewer.
    pub fn skip(&mut self, count: usize) {
        self.used = self.used.saturating_add(count).min(self.bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_used_stays_in_front_of_what_comes() {
        let mut input = Input::default();
        assert_eq!(input.rest(), b"");
        input.add(b"abc".to_vec());
        input.skip(2);
        assert_eq!(input.rest(), b"c");
        input.add(b"de".to_vec());
        assert_eq!(input.rest(), b"cde");
        input.add(Vec::new());
        assert_eq!(input.rest(), b"cde");
        input.skip(usize::MAX);
        assert_eq!(input.rest(), b"");
        input.add(b"f".to_vec());
        assert_eq!(input.rest(), b"f");
    }
}
