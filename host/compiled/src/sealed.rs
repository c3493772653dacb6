use sha2::{Digest, Sha256};

use crate::{Code, Key};

/// Code with what tells whether it is whole and the one that was asked for: what a
/// child answers, and what a file of the cache holds.
///
/// It does not tell who wrote it.
pub(crate) struct Sealed;

const MAGIC: &[u8; 8] = b"artcode1";
/// Magic, key, and digest of the code.
const HEAD: usize = 8 + 32 + 32;

impl Sealed {
    /// Bytes of a sealed piece of code besides the code.
    pub(crate) const OVERHEAD: u64 = HEAD as u64;

    /// What stands before the code.
    pub(crate) fn head(key: Key, code: &Code) -> Vec<u8> {
        let digest: [u8; 32] = Sha256::digest(code.bytes()).into();
        [&MAGIC[..], &key.0, &digest].concat()
    }

    /// The code, if these bytes are the code of this key.
    pub(crate) fn open(key: Key, mut bytes: Vec<u8>) -> Option<Code> {
        let (head, code) = bytes.split_at_checked(HEAD)?;
        let digest: [u8; 32] = Sha256::digest(code).into();
        if head != [&MAGIC[..], &key.0, &digest].concat() {
            return None;
        }
        bytes.drain(..HEAD);
        Some(Code::believed(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_whole_and_was_asked_for_is_opened() {
        let (key, code) = (Key([7; 32]), Code::believed(b"code".to_vec()));
        let sealed = [Sealed::head(key, &code), b"code".to_vec()].concat();
        assert_eq!(Sealed::open(key, sealed.clone()).unwrap().bytes(), b"code");
        assert!(Sealed::open(Key([8; 32]), sealed.clone()).is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(Sealed::open(key, changed).is_none(), "{at}");
            assert!(Sealed::open(key, sealed[..at].to_vec()).is_none(), "{at}");
        }
    }
}
