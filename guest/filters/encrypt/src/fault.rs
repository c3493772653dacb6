use std::fmt;

use crate::format::SALT;

/// Why bytes cannot be encrypted or decrypted.
///
/// Segments are counted from 0. No case holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The host gave a salt of so many bytes.
    Salt(usize),
    /// The stored bytes do not begin as encrypted ones do.
    NotEncrypted,
    /// They are of this version of the format.
    Version(u8),
    /// They are encrypted with another key, of this id.
    OtherKey(String),
    /// Key, salt and the artifact's name do not belong together.
    Header,
    /// They end, after so many, where more must follow.
    Truncated(u64),
    /// This segment is not authentic.
    Altered(u32),
    /// A segment stands where another belongs.
    Misplaced {
        /// The number of the one that belongs there.
        expected: u32,
        /// The number of the one that is there.
        found: u32,
    },
    /// Bytes follow the last segment, which ends at this byte.
    Appended(u64),
    /// There are more segments than can be counted.
    TooLarge,
    /// The end was asked for while bytes were ready.
    NotTaken,
    /// A primitive refused lengths that it takes.
    Cipher,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Salt(length) => {
                write!(f, "the host gave a salt of {length} bytes and not of {SALT}")
            }
            Self::NotEncrypted => f.write_str(
                "the stored bytes are not encrypted: they were stored without this filter, or \
                 replaced",
            ),
            Self::Version(version) => write!(
                f,
                "the stored bytes are in version {version} of the format, and this filter knows \
                 version 1"
            ),
            Self::OtherKey(id) => write!(
                f,
                "the stored bytes are encrypted with another key, of the id {id}: if it is one of \
                 yours, put it into the setting `old-keys`"
            ),
            Self::Header => f.write_str(
                "the stored bytes belong to an artifact of another name, or their header was \
                 altered",
            ),
            Self::Truncated(at) => {
                write!(f, "the stored bytes are cut short: they end after {at} bytes")
            }
            Self::Altered(number) => {
                write!(f, "the stored bytes were altered: segment {number} is not authentic")
            }
            Self::Misplaced { expected, found } => write!(
                f,
                "the stored bytes are out of order: segment {found} stands where segment \
                 {expected} belongs"
            ),
            Self::Appended(at) => {
                write!(f, "the stored bytes end at byte {at}, and others were appended to them")
            }
            Self::TooLarge => f.write_str("an artifact can have 256 TiB at most"),
            Self::NotTaken => {
                f.write_str("the end was asked for before all that was ready was taken")
            }
            Self::Cipher => f.write_str("the cipher failed"),
        }
    }
}
