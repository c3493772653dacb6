use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;

use crate::{
    Fault,
    format::{CHECK, KEY_ID, SALT},
};

/// A key that the owner of the store keeps: 32 bytes.
pub(crate) struct MasterKey([u8; 32]);

/// What is derived from a master key for one artifact.
pub(crate) struct Derived {
    /// Encrypts the segments of this artifact, and nothing else.
    pub(crate) key: [u8; 32],
    /// Commits the header to master key, salt and name.
    pub(crate) check: [u8; CHECK],
}

impl MasterKey {
    fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let decoded = base16ct::mixed::decode(text, &mut bytes).ok()?.len();
        (decoded == bytes.len()).then_some(Self(bytes))
    }

    /// A name for the key that tells nothing of it.
    pub(crate) fn id(&self) -> Result<[u8; KEY_ID], Fault> {
        let mut id = [0; KEY_ID];
        let hkdf = Hkdf::<Sha256>::new(None, &self.0);
        hkdf.expand(b"artifact-filter-encrypt/1 key id", &mut id).map_err(|_| Fault::Cipher)?;
        Ok(id)
    }

    /// The artifact's name is in it: under another one its bytes cannot be read.
    pub(crate) fn derive(&self, salt: &[u8; SALT], name: &str) -> Result<Derived, Fault> {
        let (mut key, mut check) = ([0; 32], [0; CHECK]);
        let hkdf = Hkdf::<Sha256>::new(Some(salt), &self.0);
        for (purpose, into) in [
            (&b"artifact-filter-encrypt/1 segments "[..], &mut key),
            (b"artifact-filter-encrypt/1 check ", &mut check),
        ] {
            hkdf.expand_multi_info(&[purpose, name.as_bytes()], into).map_err(|_| Fault::Cipher)?;
        }
        Ok(Derived { key, check })
    }
}

/// The keys of the settings: `key` encrypts and decrypts, `old-keys` only decrypt.
pub struct Keys {
    current: MasterKey,
    old: Vec<MasterKey>,
}

impl Keys {
    /// The keys of the settings, which come as name and value.
    ///
    /// `key` is required: 64 hexadecimal digits. `old-keys` are such keys between
    /// commas.
    pub fn parse(settings: &[(String, String)]) -> Result<Self, InvalidSetting> {
        let (mut current, mut old) = (None, Vec::new());
        for (name, value) in settings {
            match name.as_str() {
                "key" => {
                    let key = MasterKey::parse(value.trim());
                    current = Some(key.ok_or(InvalidSetting::Key)?);
                }
                "old-keys" => {
                    for (at, entry) in value.split(',').enumerate() {
                        let key = MasterKey::parse(entry.trim());
                        old.push(key.ok_or(InvalidSetting::OldKey(at + 1))?);
                    }
                }
                _ => return Err(InvalidSetting::Unknown),
            }
        }
        Ok(Self { current: current.ok_or(InvalidSetting::Missing)?, old })
    }

    /// The key that encrypts.
    pub(crate) fn current(&self) -> &MasterKey {
        &self.current
    }

    /// The key of this id.
    pub(crate) fn find(&self, id: [u8; KEY_ID]) -> Result<&MasterKey, Fault> {
        for key in [&self.current].into_iter().chain(&self.old) {
            if key.id()? == id {
                return Ok(key);
            }
        }
        Err(Fault::OtherKey(base16ct::lower::encode_string(&id)))
    }
}

impl fmt::Debug for Keys {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("old", &self.old.len()).finish_non_exhaustive()
    }
}

/// A setting that cannot be understood. What was written is not repeated, whichever
/// setting it is: it may be a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidSetting {
    /// `key` is not there.
    Missing,
    /// `key` is no key.
    Key,
    /// An entry of `old-keys` is no key. They are counted from 1.
    OldKey(usize),
    /// There is a setting of another name.
    Unknown,
}

impl fmt::Display for InvalidSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str(
                "the setting `key` is missing: give the filter 64 hexadecimal digits that are \
                 random and secret",
            ),
            Self::Key => f.write_str("the setting `key` is wrong: a key has 64 hexadecimal digits"),
            Self::OldKey(at) => write!(
                f,
                "the setting `old-keys` is wrong: entry {at} is no key of 64 hexadecimal digits"
            ),
            Self::Unknown => {
                f.write_str("there is a setting other than `key` and `old-keys`: take it out")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const TWO: &str = "FFfe02030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn parse(settings: &[(&str, &str)]) -> Result<Keys, InvalidSetting> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Keys::parse(&settings.iter().map(owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_key_has_64_digits() {
        let expected: Vec<u8> = (0..32).collect();
        assert_eq!(parse(&[("key", ONE)]).unwrap().current.0[..], expected);
        let keys = parse(&[("old-keys", &format!(" {ONE} ,{TWO}\n")), ("key", TWO)]).unwrap();
        assert_eq!(keys.current.0[..3], [0xff, 0xfe, 2]);
        assert_eq!(keys.old.len(), 2);
        assert_eq!(keys.old[1].0, keys.current.0);
    }

    #[test]
    fn a_wrong_setting_is_named_and_not_shown() {
        let long = format!("{ONE}00");
        let secret = "s3cr3t";
        for value in ["", " ", secret, &ONE[1..], &ONE[2..], &long, &ONE.replace('a', "g")] {
            assert_eq!(parse(&[("key", value)]).unwrap_err(), InvalidSetting::Key);
            let list = format!("{ONE},{value}");
            let old = parse(&[("key", ONE), ("old-keys", &list)]).unwrap_err();
            assert_eq!(old, InvalidSetting::OldKey(2));
        }
        assert_eq!(parse(&[]).unwrap_err(), InvalidSetting::Missing);
        assert_eq!(parse(&[("old-keys", ONE)]).unwrap_err(), InvalidSetting::Missing);
        // A name and a value that changed places, for instance.
        assert_eq!(parse(&[("key", ONE), (secret, "key")]).unwrap_err(), InvalidSetting::Unknown);
        for (bad, named) in [
            (InvalidSetting::Missing, "`key`"),
            (InvalidSetting::Key, "`key`"),
            (InvalidSetting::OldKey(2), "`old-keys` is wrong: entry 2"),
            (InvalidSetting::Unknown, "`key` and `old-keys`"),
        ] {
            assert!(bad.to_string().contains(named), "{bad}");
        }
    }

    #[test]
    fn no_key_shows_in_debug() {
        let keys = parse(&[("key", ONE), ("old-keys", TWO)]).unwrap();
        assert_eq!(format!("{keys:?}"), "Keys { old: 1, .. }");
    }

    #[test]
    fn what_is_derived_differs_in_key_salt_name_and_purpose() {
        let keys = parse(&[("key", ONE), ("old-keys", TWO)]).unwrap();
        let (one, two) = (keys.current(), &keys.old[0]);
        let mut all = Vec::new();
        for derived in [
            one.derive(&[0; 32], "a"),
            one.derive(&[1; 32], "a"),
            one.derive(&[0; 32], "b"),
            one.derive(&[0; 32], ""),
            two.derive(&[0; 32], "a"),
        ] {
            let Derived { key, check } = derived.unwrap();
            all.extend([key, check]);
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert_ne!(one.id(), two.id());
    }
}
