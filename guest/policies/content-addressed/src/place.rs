use std::borrow::Cow;

use crate::Mode;

/// What stands for the digest in a key, until it is known.
pub const PLACEHOLDER: &str = "{sha256}";

/// The key that bytes with this digest are put under; if there is none, why.
///
/// One rule holds for every key, however it came about: its last segment, up to the
/// first `.`, is the digest. So no two artifacts have the same key.
pub fn place<'a>(mode: Mode, key: &'a str, digest: &str) -> Result<Cow<'a, str>, String> {
    let key = match mode {
        Mode::Assign if key.contains(PLACEHOLDER) => key.replace(PLACEHOLDER, digest).into(),
        Mode::Assign | Mode::Require => Cow::Borrowed(key),
    };
    if name(&key) == digest {
        return Ok(key);
    }
    Err(["the last segment of the key must be the SHA-256 of the bytes, ", digest].concat())
}

/// The last segment, up to its first `.`.
fn name(key: &str) -> &str {
    let segment = key.rsplit_once('/').map_or(key, |(_, segment)| segment);
    segment.split_once('.').map_or(segment, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const OTHER: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn placed(mode: Mode, key: &str) -> Option<String> {
        place(mode, key, DIGEST).ok().map(Cow::into_owned)
    }

    #[test]
    fn a_key_that_ends_in_the_digest_is_kept_in_either_mode() {
        for key in ["D", "a/D", "a//D", "D/D", "D.patch", "a.b/D.tar.gz", "D."] {
            let key = key.replace('D', DIGEST);
            assert_eq!(placed(Mode::Require, &key), Some(key.clone()));
            assert_eq!(placed(Mode::Assign, &key), Some(key));
        }
    }

    #[test]
    fn every_other_key_is_refused_in_either_mode_with_the_digest() {
        let upper = DIGEST.to_uppercase();
        for key in ["", "a", "a/D/", "D/a", "aD", "Da", ".D", "a.D", "O", "D/O", "O.D", &upper] {
            let key = key.replace('D', DIGEST).replace('O', OTHER);
            for mode in [Mode::Require, Mode::Assign] {
                let reason = place(mode, &key, DIGEST).unwrap_err();
                assert!(reason.ends_with(&format!("SHA-256 of the bytes, {DIGEST}")), "{reason}");
            }
        }
    }

    #[test]
    fn a_placeholder_becomes_the_digest_where_that_is_asked_for() {
        for key in ["P", "a/P.patch", "P/P"] {
            let key = key.replace('P', PLACEHOLDER);
            assert_eq!(placed(Mode::Assign, &key), Some(key.replace(PLACEHOLDER, DIGEST)));
            assert_eq!(placed(Mode::Require, &key), None);
        }
    }

    #[test]
    fn a_placeholder_elsewhere_leads_to_no_key_that_other_bytes_could_have() {
        for key in ["P/a", "P/O", "aP", "a.P", "OP"] {
            let key = key.replace('P', PLACEHOLDER).replace('O', OTHER);
            assert_eq!(placed(Mode::Assign, &key), None, "{key}");
        }
    }
}
