use std::fmt;

/// Why bytes cannot be compressed or decompressed.
///
/// Places are counted in stored bytes, from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The stored bytes do not begin as gzip does.
    NotGzip,
    /// The stored bytes end, after so many, where more must follow.
    Truncated(u64),
    /// What comes before this place is not what an encoder makes; and what is wrong with
    /// it in zlib's words, such as `incorrect data check` for a CRC.
    Damaged(u64, String),
    /// From this place on there are bytes that do not belong to it.
    Appended(u64),
    /// The end was asked for while bytes were ready.
    NotTaken,
    /// The encoder failed, which it does not for any bytes.
    Encoder,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGzip => f.write_str(
                "the stored bytes are not gzip: they were stored without this filter, or replaced",
            ),
            Self::Truncated(at) => {
                write!(f, "the stored gzip data is cut short: it ends after {at} bytes")
            }
            Self::Damaged(at, what) => {
                write!(f, "the stored gzip data is damaged before byte {at}: {what}")
            }
            Self::Appended(at) => write!(
                f,
                "the stored gzip data ends at byte {at}, and bytes that are not gzip follow"
            ),
            Self::NotTaken => {
                f.write_str("the end was asked for before all that was ready was taken")
            }
            Self::Encoder => f.write_str("the gzip encoder failed"),
        }
    }
}
