//! Whole artifacts through encoder and decoder, and everything that may be done to the
//! stored bytes.

#![expect(clippy::unwrap_used, reason = "tests")]

use artifact_filter_encrypt::{Decoder, Encoder, Fault, Keys, Ready};
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use proptest::{collection::vec, prelude::*};
use sha2::{Digest, Sha256};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER_KEY: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const SALT: [u8; 32] = [9; 32];
const NAME: &str = "runs/1/patch";

const HEADER: usize = 80;
const FRAME: usize = 8;
const SEGMENT: usize = 65_536;
const TAG: usize = 16;
/// A segment that is not the last, as it is stored.
const SEALED: usize = FRAME + SEGMENT + TAG;

fn keys(key: &str, old: &[&str]) -> Keys {
    let mut settings = vec![("key".to_owned(), key.to_owned())];
    if !old.is_empty() {
        settings.push(("old-keys".to_owned(), old.join(",")));
    }
    Keys::parse(&settings).unwrap()
}

/// Pushes the chunk, and asks for more until there is no more.
fn drained(
    mut push: impl FnMut(Vec<u8>) -> Result<Ready, Fault>,
    chunk: &[u8],
    to: &mut Vec<u8>,
) -> Result<(), Fault> {
    let mut ready = push(chunk.to_vec())?;
    loop {
        assert!(ready.bytes.len() <= HEADER + 4 * SEALED);
        assert!(!ready.more || !ready.bytes.is_empty(), "the host takes that for a failure");
        to.extend(ready.bytes);
        if !ready.more {
            return Ok(());
        }
        ready = push(Vec::new())?;
    }
}

fn encrypted_with(keys: &Keys, name: &str, salt: &[u8], bytes: &[u8], chunk: usize) -> Vec<u8> {
    let (mut encoder, mut stored) = (Encoder::open(keys, name, salt).unwrap(), Vec::new());
    for chunk in bytes.chunks(chunk) {
        drained(|chunk| encoder.push(chunk), chunk, &mut stored).unwrap();
    }
    stored.extend(encoder.finish().unwrap());
    stored
}

fn encrypted(bytes: &[u8]) -> Vec<u8> {
    encrypted_with(&keys(KEY, &[]), NAME, &SALT, bytes, 100_000)
}

/// What was given out before the end or the fault, and the fault.
fn decrypted_with(keys: Keys, name: &str, stored: &[u8], chunk: usize) -> (Vec<u8>, Option<Fault>) {
    let (mut decoder, mut bytes) = (Decoder::open(keys, name), Vec::new());
    for chunk in stored.chunks(chunk) {
        if let Err(fault) = drained(|chunk| decoder.push(chunk), chunk, &mut bytes) {
            // It does not recover: nothing comes after a fault.
            assert_eq!(decoder.push(Vec::new()), Err(fault.clone()));
            return (bytes, Some(fault));
        }
    }
    (bytes, decoder.finish().err())
}

fn decrypted(stored: &[u8]) -> (Vec<u8>, Option<Fault>) {
    decrypted_with(keys(KEY, &[]), NAME, stored, 50_000)
}

fn fault(stored: &[u8]) -> Fault {
    decrypted(stored).1.unwrap()
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| ((at * 7 + at / 256) % 256).try_into().unwrap()).collect()
}

/// HMAC by RFC 2104.
fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = parts
        .iter()
        .fold(Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)), |hash, part| {
            hash.chain_update(part)
        });
    let outer = Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c));
    outer.chain_update(inner.finalize()).finalize().into()
}

/// HKDF by RFC 5869, for one block.
fn hkdf(salt: &[u8], key: &[u8], info: &[&str]) -> [u8; 32] {
    let info = info.concat();
    hmac(&hmac(salt, &[key]), &[info.as_bytes(), &[1]])
}

/// The format of the README, from nothing but SHA-256 and ChaCha20-Poly1305.
fn by_the_readme(key: [u8; 32], name: &str, salt: &[u8; 32], bytes: &[u8]) -> Vec<u8> {
    let label = "artifact-filter-encrypt/1 ";
    let mut stored = b"\x89ARTENC\x01".to_vec();
    stored.extend(&hkdf(&[], &key, &[label, "key id"])[..8]);
    stored.extend(salt);
    stored.extend(hkdf(salt, &key, &[label, "check ", name]));
    let cipher = ChaCha20Poly1305::new(&hkdf(salt, &key, &[label, "segments ", name]).into());
    let count = bytes.len().div_ceil(SEGMENT).max(1);
    for number in 0..count {
        let segment = &bytes[number * SEGMENT..bytes.len().min((number + 1) * SEGMENT)];
        let last = number + 1 == count;
        let number = u32::try_from(number).unwrap().to_be_bytes();
        let length = u32::try_from(segment.len()).unwrap() + if last { 1 << 31 } else { 0 };
        let frame = [number, length.to_be_bytes()].concat();
        let mut nonce = [0; 12];
        nonce[7..11].copy_from_slice(&number);
        nonce[11] = last.into();
        let payload = Payload { msg: segment, aad: &frame };
        let sealed = cipher.encrypt(&nonce.into(), payload).unwrap();
        stored.extend(frame);
        stored.extend(sealed);
    }
    stored
}

#[test]
fn what_goes_in_comes_out() {
    for length in [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 700_000] {
        let bytes = pattern(length);
        let stored = encrypted(&bytes);
        let segments = length.div_ceil(SEGMENT).max(1);
        assert_eq!(stored.len(), HEADER + length + segments * (FRAME + TAG));
        assert!(decrypted(&stored) == (bytes, None), "{length}");
    }
}

#[test]
fn the_format_is_that_of_the_readme() {
    let key: Vec<u8> = (0..32).collect();
    for length in [0, 5, SEGMENT, 150_000] {
        let bytes = pattern(length);
        let expected = by_the_readme(key.clone().try_into().unwrap(), NAME, &SALT, &bytes);
        assert!(encrypted(&bytes) == expected, "{length}");
    }
}

/// Made with Python's `cryptography` 48.0.0, by the README.
#[test]
fn another_implementation_makes_the_same_bytes() {
    let salt: Vec<u8> = (100..132).collect();
    let stored = encrypted_with(&keys(KEY, &[]), "runs/1/é", &salt, &pattern(150_000), 4096);
    let hex = base16ct::lower::encode_string;
    assert_eq!(
        hex(&stored[..HEADER]),
        "89415254454e4301a1fbb88ccd6918c16465666768696a6b6c6d6e6f707172737475767778797a7b\
         7c7d7e7f80818283b911481a8bf04886eecd3ada5e6277a1bcce245f4f58ec3d01c858c2a0658eed"
    );
    assert_eq!(
        hex(&Sha256::digest(&stored)),
        "92aa16b0dc0940f424e883d502e0fc67ea691a8fa0dbcdb38d46dd2e83e1c004"
    );
}

#[test]
fn a_salt_of_another_length_is_refused() {
    for length in [0, 16, 31, 33] {
        let refused = Encoder::open(&keys(KEY, &[]), NAME, &vec![1; length]).unwrap_err();
        assert_eq!(refused, Fault::Salt(length));
    }
    assert_eq!(Fault::Salt(16).to_string(), "the host gave a salt of 16 bytes and not of 32");
}

#[test]
fn nothing_of_the_artifact_is_seen_and_another_salt_changes_all_of_it() {
    let bytes = vec![b'a'; 1000];
    let (one, two) =
        (encrypted(&bytes), { encrypted_with(&keys(KEY, &[]), NAME, &[8; 32], &bytes, 1000) });
    assert!(!one.windows(4).any(|window| window == b"aaaa"));
    let body = |stored: &[u8]| stored[HEADER + FRAME..].to_vec();
    let same = body(&one).iter().zip(body(&two)).filter(|(one, two)| **one == *two).count();
    assert!(same < 30, "{same} of 1,016 bytes are the same");
}

#[test]
fn every_cut_is_seen() {
    let stored = encrypted(&pattern(2 * SEGMENT + 100));
    let ends = [HEADER, HEADER + SEALED, HEADER + 2 * SEALED, stored.len()];
    for length in (0..HEADER + 40)
        .chain(ends.iter().flat_map(|end| end - 30..*end))
        .chain(ends[..3].iter().flat_map(|end| *end..end + 30))
    {
        let (bytes, fault) = decrypted(&stored[..length]);
        assert_eq!(fault, Some(Fault::Truncated(length.try_into().unwrap())));
        let whole = ends[1..].iter().filter(|end| **end <= length).count();
        assert!(bytes == pattern(whole * SEGMENT), "{length}");
    }
    assert_eq!(
        Fault::Truncated(5).to_string(),
        "the stored bytes are cut short: they end after 5 bytes"
    );
}

#[test]
fn a_cut_that_is_dressed_up_as_the_end_is_seen() {
    // The last segment that is left says that it is the last one.
    let mut stored = encrypted(&pattern(3 * SEGMENT));
    stored.truncate(HEADER + 2 * SEALED);
    stored[HEADER + SEALED + 4] |= 0x80;
    assert!(decrypted(&stored) == (pattern(SEGMENT), Some(Fault::Altered(1))));
    // And the other way about: the end says that it is none.
    let mut stored = encrypted(&pattern(2 * SEGMENT));
    stored[HEADER + SEALED + 4] &= 0x7f;
    assert!(decrypted(&stored) == (pattern(SEGMENT), Some(Fault::Altered(1))));
}

#[test]
fn every_changed_bit_of_a_small_artifact_is_seen_and_nothing_given() {
    let stored = encrypted(b"hello");
    for at in 0..stored.len() {
        for bit in 0..8 {
            let mut changed = stored.clone();
            changed[at] ^= 1 << bit;
            let (bytes, fault) = decrypted(&changed);
            assert_eq!(bytes, b"", "{at}");
            let fault = fault.unwrap();
            match at {
                0..7 => assert_eq!(fault, Fault::NotEncrypted),
                7 => assert_eq!(fault, Fault::Version(1 ^ (1 << bit))),
                8..16 => assert!(matches!(fault, Fault::OtherKey(_))),
                16..HEADER => assert_eq!(fault, Fault::Header),
                80..84 => assert!(matches!(fault, Fault::Misplaced { expected: 0, .. })),
                // A length, and then the bytes and the tag.
                _ => assert!(matches!(
                    fault,
                    Fault::Altered(0) | Fault::Truncated(_) | Fault::Appended(_)
                )),
            }
        }
    }
}

#[test]
fn a_changed_byte_is_seen_in_its_segment_and_what_was_before_it_is_right() {
    let bytes = pattern(2 * SEGMENT + 100);
    let stored = encrypted(&bytes);
    for (at, segment) in [
        (HEADER + FRAME, 0),
        (HEADER + SEALED - 1, 0),
        (HEADER + SEALED + FRAME + 1000, 1),
        (stored.len() - 1, 2),
        (stored.len() - 50, 2),
    ] {
        let mut changed = stored.clone();
        changed[at] ^= 1;
        // Small chunks: an answer that fails gives nothing of what came before in it.
        let (given, fault) = decrypted_with(keys(KEY, &[]), NAME, &changed, 24);
        assert_eq!(fault, Some(Fault::Altered(segment)));
        assert!(given == bytes[..usize::try_from(segment).unwrap() * SEGMENT]);
    }
    assert_eq!(
        Fault::Altered(2).to_string(),
        "the stored bytes were altered: segment 2 is not authentic"
    );
}

#[test]
fn segments_in_another_order_are_seen() {
    let stored = encrypted(&pattern(4 * SEGMENT));
    let segment = |number: usize| {
        let begins = HEADER + number * SEALED;
        stored[begins..begins + SEALED].to_vec()
    };
    let header = stored[..HEADER].to_vec();
    let swapped = [header.clone(), segment(1), segment(0), segment(2), segment(3)].concat();
    assert_eq!(fault(&swapped), Fault::Misplaced { expected: 0, found: 1 });
    let doubled = [header.clone(), segment(0), segment(0), segment(1)].concat();
    assert_eq!(fault(&doubled), Fault::Misplaced { expected: 1, found: 0 });
    let left_out = [header.clone(), segment(0), segment(2), segment(3)].concat();
    assert_eq!(fault(&left_out), Fault::Misplaced { expected: 1, found: 2 });
    assert_eq!(
        fault(&left_out).to_string(),
        "the stored bytes are out of order: segment 2 stands where segment 1 belongs"
    );
    // With numbers that were put right they are still not authentic.
    let (mut first, mut second) = (segment(1), segment(0));
    first[3] = 0;
    second[3] = 1;
    assert_eq!(fault(&[header, first, second, segment(2), segment(3)].concat()), Fault::Altered(0));
}

#[test]
fn a_segment_of_another_artifact_is_seen() {
    let (one, two) = (encrypted(&pattern(3 * SEGMENT)), {
        encrypted_with(&keys(KEY, &[]), NAME, &[8; 32], &vec![0; 3 * SEGMENT], SEGMENT)
    });
    let mut spliced = one.clone();
    let second = HEADER + SEALED..HEADER + 2 * SEALED;
    spliced[second.clone()].copy_from_slice(&two[second]);
    assert!(decrypted(&spliced) == (pattern(SEGMENT), Some(Fault::Altered(1))));
    // Nor does the header of the one fit the segments of the other.
    let mut crossed = one;
    crossed[..HEADER].copy_from_slice(&two[..HEADER]);
    assert_eq!(fault(&crossed), Fault::Altered(0));
}

#[test]
fn what_was_appended_is_seen() {
    for length in [0, 100, SEGMENT, 2 * SEGMENT] {
        let stored = encrypted(&pattern(length));
        for more in [&b"x"[..], &[0; 24], &stored] {
            let fault = fault(&[&stored, more].concat());
            assert_eq!(fault, Fault::Appended(stored.len().try_into().unwrap()));
        }
    }
    assert_eq!(
        Fault::Appended(9).to_string(),
        "the stored bytes end at byte 9, and others were appended to them"
    );
}

#[test]
fn an_artifact_under_another_name_is_seen() {
    let stored = encrypted(b"hello");
    for name in ["runs/2/patch", "", "runs/1/patch "] {
        let (bytes, fault) = decrypted_with(keys(KEY, &[]), name, &stored, 10);
        assert_eq!((&bytes[..], fault), (&b""[..], Some(Fault::Header)), "{name:?}");
    }
    assert_eq!(
        Fault::Header.to_string(),
        "the stored bytes belong to an artifact of another name, or their header was altered"
    );
}

#[test]
fn a_key_is_replaced_and_the_old_one_reads_what_it_wrote() {
    let stored = encrypted(b"hello");
    let (bytes, fault) = decrypted_with(keys(OTHER_KEY, &[]), NAME, &stored, 10);
    assert_eq!(bytes, b"");
    let told = fault.unwrap().to_string();
    assert!(
        told.starts_with("the stored bytes are encrypted with another key, of the id "),
        "{told}"
    );
    assert!(told.ends_with(": if it is one of yours, put it into the setting `old-keys`"));

    let both = || keys(OTHER_KEY, &[KEY]);
    assert_eq!(decrypted_with(both(), NAME, &stored, 10), (b"hello".to_vec(), None));
    let new = encrypted_with(&both(), NAME, &SALT, b"hello", 10);
    assert_eq!(decrypted_with(both(), NAME, &new, 10), (b"hello".to_vec(), None));
    assert_eq!(decrypted_with(keys(OTHER_KEY, &[]), NAME, &new, 10), (b"hello".to_vec(), None));
}

#[test]
fn what_was_never_encrypted_is_refused_at_once() {
    for stored in [&b"--- a/file\n"[..], b"\x1f\x8b\x08", &[0; 200], b"\x89PNG\r\n\x1a\n"] {
        assert_eq!(fault(stored), Fault::NotEncrypted);
        let mut decoder = Decoder::open(keys(KEY, &[]), NAME);
        assert_eq!(decoder.push(stored.to_vec()), Err(Fault::NotEncrypted));
    }
    assert_eq!(fault(b""), Fault::Truncated(0));
    assert_eq!(
        Fault::NotEncrypted.to_string(),
        "the stored bytes are not encrypted: they were stored without this filter, or replaced"
    );
}

#[test]
fn an_answer_is_bounded_and_an_end_before_all_was_taken_is_refused() {
    let bytes = pattern(1 << 20);
    let mut encoder = Encoder::open(&keys(KEY, &[]), NAME, &SALT).unwrap();
    let ready = encoder.push(bytes.clone()).unwrap();
    assert_eq!((ready.bytes.len(), ready.more), (HEADER + 4 * SEALED, true));
    assert_eq!(encoder.finish(), Err(Fault::NotTaken));
    let mut decoder = Decoder::open(keys(KEY, &[]), NAME);
    let ready = decoder.push(encrypted(&bytes)).unwrap();
    assert_eq!((ready.bytes.len(), ready.more), (4 * SEGMENT, true));
    assert_eq!(decoder.finish(), Err(Fault::NotTaken));
}

#[test]
fn no_secret_shows_in_debug() {
    let encoder = Encoder::open(&keys(KEY, &[]), NAME, &SALT).unwrap();
    assert_eq!(format!("{encoder:?}"), "Encoder { segment: Ok(0), .. }");
    let decoder = Decoder::open(keys(KEY, &[]), NAME);
    assert_eq!(format!("{decoder:?}"), "Decoder { name: \"runs/1/patch\", .. }");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_in_any_chunks_come_out(
        length in 0_usize..300_000,
        salt in any::<[u8; 32]>(),
        name in ".{0,40}",
        chunks in (1_usize..200_000, 200_usize..200_000),
    ) {
        let bytes = pattern(length);
        let stored = encrypted_with(&keys(KEY, &[]), &name, &salt, &bytes, chunks.0);
        prop_assert!(stored == encrypted_with(&keys(KEY, &[]), &name, &salt, &bytes, 300_000));
        prop_assert!(decrypted_with(keys(KEY, &[]), &name, &stored, chunks.1) == (bytes, None));
    }

    #[test]
    fn no_change_passes_and_what_is_given_is_a_true_beginning(
        length in 0_usize..200_000,
        at in any::<prop::sample::Index>(),
        inserted in vec(any::<u8>(), 0..40),
        removed in 0_usize..100_000,
        chunk in 1000_usize..200_000,
    ) {
        let bytes = pattern(length);
        let stored = encrypted(&bytes);
        let at = at.index(stored.len());
        let mut changed = stored[..at].to_vec();
        changed.extend(inserted);
        changed.extend(stored.iter().skip(at + removed));
        prop_assume!(changed != stored);
        let (given, fault) = decrypted_with(keys(KEY, &[]), NAME, &changed, chunk);
        prop_assert!(fault.is_some());
        prop_assert!(bytes.starts_with(&given));
    }

    #[test]
    fn any_bytes_at_all_are_refused(stored in vec(any::<u8>(), 0..300), chunk in 1_usize..300) {
        let whole = encrypted(b"hello");
        let behind_a_header = [&whole[..HEADER], &stored].concat();
        for stored in [&stored, &behind_a_header] {
            let (given, fault) = decrypted_with(keys(KEY, &[]), NAME, stored, chunk);
            prop_assert!(given.is_empty() && fault.is_some());
        }
    }
}
