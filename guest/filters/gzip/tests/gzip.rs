//! Whole artifacts through encoder and decoder, and what becomes of broken ones.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{Read, Write};

use artifact_filter_gzip::{ANSWER_BYTES, Decoder, Encoder, Fault, Level, Ready};
use flate2::{Compression, GzBuilder, bufread, write};
use proptest::{collection::vec, prelude::*};

/// Two files packed by GNU gzip 1.12 and written one behind the other, each with its name
/// and time in its header.
const BY_GNU_GZIP: &str = "1f8b080800e10b5e0003612e747874004bcb2c2a2e51c84dcd4d4a2de20200a7f4850a0d0000001f\
    8b080800e10b5e0203622e747874002b4e4dcecf4b51c84dcd4d4a2de2020036184b0e0e000000";
const UNPACKED: &[u8] = b"first member\nsecond member\n";

/// Pushes the chunk, and asks for more until there is no more.
fn drained(
    mut push: impl FnMut(Vec<u8>) -> Result<Ready, Fault>,
    chunk: &[u8],
    to: &mut Vec<u8>,
) -> Result<(), Fault> {
    let mut ready = push(chunk.to_vec())?;
    loop {
        assert!(ready.bytes.len() <= ANSWER_BYTES);
        assert!(!ready.more || !ready.bytes.is_empty(), "the host takes that for a failure");
        to.extend(ready.bytes);
        if !ready.more {
            return Ok(());
        }
        ready = push(Vec::new())?;
    }
}

fn level(level: u32) -> Level {
    Level::parse(&[("level".to_owned(), level.to_string())]).unwrap()
}

fn encoded(level: Level, bytes: &[u8], chunk: usize) -> Vec<u8> {
    let (mut encoder, mut stored) = (Encoder::new(level), Vec::new());
    for chunk in bytes.chunks(chunk) {
        drained(|chunk| encoder.push(chunk), chunk, &mut stored).unwrap();
    }
    let last = encoder.finish().unwrap();
    assert!(last.len() <= ANSWER_BYTES);
    stored.extend(last);
    stored
}

fn decoded(stored: &[u8], chunk: usize) -> Result<Vec<u8>, Fault> {
    let (mut decoder, mut bytes) = (Decoder::default(), Vec::new());
    for chunk in stored.chunks(chunk) {
        drained(|chunk| decoder.push(chunk), chunk, &mut bytes)?;
    }
    decoder.finish()?;
    Ok(bytes)
}

/// Bytes that do not compress, the same at each run.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// Text with repetitions, as logs have them.
fn text(length: usize) -> Vec<u8> {
    let lines =
        (0_u32..).flat_map(|n| format!("{n} GET /runs/{}/patch 200\n", n % 97).into_bytes());
    lines.take(length).collect()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = write::GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn from_hex(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

#[test]
fn what_goes_in_comes_out_at_every_level() {
    for bytes in [Vec::new(), vec![7], text(700_000), noise(700_000), vec![0; 5 << 20]] {
        for level in (0..=9).map(level) {
            let stored = encoded(level, &bytes, 64 << 10);
            // Level 1 has one code for all bytes, of 9 bits at most.
            assert!(stored.len() < bytes.len() + bytes.len() / 8 + 100, "{level:?}");
            assert!(decoded(&stored, 64 << 10).unwrap() == bytes, "{level:?}");
        }
    }
    assert!(encoded(level(9), &text(700_000), 1 << 20).len() < 150_000);
}

#[test]
fn another_decoder_reads_what_is_stored() {
    for bytes in [Vec::new(), text(300_000), noise(300_000)] {
        let mut read = Vec::new();
        let stored = encoded(Level::default(), &bytes, 10_000);
        // Not the one for many members: there is one, and nothing behind it.
        bufread::GzDecoder::new(&stored[..]).read_to_end(&mut read).unwrap();
        assert!(read == bytes);
        // Neither a name nor a time: the same bytes are stored alike.
        assert_eq!(stored[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
        // CRC-32 and length, of 4 bytes each (RFC 1952, 2.3.1).
        let mut crc = flate2::Crc::new();
        crc.update(&bytes);
        let trailer = [crc.sum().to_le_bytes(), crc.amount().to_le_bytes()].concat();
        assert!(stored.ends_with(&trailer));
    }
}

#[test]
fn what_others_packed_is_read_in_any_pieces() {
    let with_all_fields = {
        let builder = GzBuilder::new().filename("a").comment("b").extra("extra").mtime(1);
        let mut encoder = builder.write(Vec::new(), Compression::best());
        encoder.write_all(UNPACKED).unwrap();
        encoder.finish().unwrap()
    };
    let many_members: Vec<u8> = UNPACKED.chunks(3).flat_map(packed).collect();
    let empty_ones = [packed(b""), packed(UNPACKED), packed(b""), packed(b"")].concat();
    for stored in [from_hex(BY_GNU_GZIP), with_all_fields, many_members, empty_ones] {
        for chunk in [1, 2, 3, 7, 1000] {
            assert_eq!(decoded(&stored, chunk).unwrap(), UNPACKED, "{chunk}");
        }
    }
}

#[test]
fn a_bomb_comes_out_in_pieces() {
    let bomb = packed(&vec![0; 64 << 20]);
    assert!(bomb.len() < 70_000);
    let mut decoder = Decoder::default();
    let mut ready = decoder.push(bomb).unwrap();
    let (mut answers, mut length) = (1, ready.bytes.len());
    while ready.more {
        assert_eq!(ready.bytes.len(), ANSWER_BYTES);
        assert_eq!(ready.bytes.capacity(), ANSWER_BYTES);
        ready = decoder.push(Vec::new()).unwrap();
        answers += 1;
        length += ready.bytes.len();
    }
    assert_eq!((answers, length), (257, 64 << 20));
    decoder.finish().unwrap();
}

#[test]
fn every_cut_is_seen() {
    for stored in [packed(&text(500)), from_hex(BY_GNU_GZIP)] {
        let whole = decoded(&stored, 100).unwrap();
        for length in 0..stored.len() {
            // Between members there is an end: nothing in the format says how many there are.
            if decoded(&stored[..length], 10).is_ok_and(|bytes| whole.starts_with(&bytes)) {
                assert_eq!(stored[length..length + 2], [0x1f, 0x8b]);
                continue;
            }
            let fault = decoded(&stored[..length], 10).unwrap_err();
            assert_eq!(fault, Fault::Truncated(length.try_into().unwrap()));
        }
    }
    assert_eq!(
        Fault::Truncated(9).to_string(),
        "the stored gzip data is cut short: it ends after 9 bytes"
    );
}

#[test]
fn every_changed_byte_that_matters_is_seen() {
    let bytes = text(2000);
    let stored = packed(&bytes);
    for at in 0..stored.len() {
        let mut changed = stored.clone();
        changed[at] ^= 0x10;
        match decoded(&changed, 100) {
            // Time, hints and the name of the system; and what fills up the last byte
            // before the trailer. No part of the artifact.
            Ok(read) => {
                assert!(read == bytes, "{at}");
                assert!((4..10).contains(&at) || at == stored.len() - 9, "{at}");
            }
            Err(Fault::NotGzip) => assert!(at < 2, "{at}"),
            Err(Fault::Damaged(..) | Fault::Truncated(_)) => assert!(at >= 2, "{at}"),
            Err(fault) => panic!("{at}: {fault}"),
        }
    }
}

#[test]
fn a_wrong_crc_and_a_wrong_length_are_told_apart() {
    let stored = packed(b"text");
    for (from_end, expected) in [(8, "incorrect data check"), (4, "incorrect length check")] {
        let mut changed = stored.clone();
        let at = stored.len() - from_end;
        changed[at] ^= 1;
        let fault = decoded(&changed, 1000).unwrap_err().to_string();
        let beginning = "the stored gzip data is damaged before byte ";
        assert!(fault.starts_with(beginning) && fault.ends_with(expected), "{fault}");
    }
}

#[test]
fn what_was_never_compressed_is_refused_at_once() {
    for stored in [&b"--- a/file\n"[..], b"\x1f\x8c", b"\0", b"\x1fa"] {
        assert_eq!(decoded(stored, 1), Err(Fault::NotGzip));
        assert_eq!(Decoder::default().push(stored.to_vec()), Err(Fault::NotGzip));
    }
}

#[test]
fn bytes_behind_the_end_are_refused() {
    for garbage in [&b"x"[..], b"\0", b"\0\0\0\0", b"\x1fx", b"text"] {
        let stored = packed(b"text");
        let end = stored.len().try_into().unwrap();
        for chunk in [1, 1000] {
            let fault = decoded(&[&stored, garbage].concat(), chunk).unwrap_err();
            assert_eq!(fault, Fault::Appended(end), "{garbage:?}");
        }
        assert_eq!(
            Fault::Appended(end).to_string(),
            format!("the stored gzip data ends at byte {end}, and bytes that are not gzip follow")
        );
    }
}

#[test]
fn after_a_fault_nothing_is_given() {
    let mut decoder = Decoder::default();
    assert_eq!(decoder.push(b"text".to_vec()), Err(Fault::NotGzip));
    assert_eq!(decoder.push(packed(b"text")), Err(Fault::NotGzip));
    let mut changed = packed(b"text");
    changed[10] |= 6; // A block of the reserved type.
    let mut decoder = Decoder::default();
    let fault = decoder.push(changed).unwrap_err();
    assert!(fault.to_string().ends_with("invalid block type"), "{fault}");
    assert!(decoder.push(packed(b"text")).is_err());
}

#[test]
fn an_end_before_all_was_taken_is_refused() {
    let mut decoder = Decoder::default();
    assert!(decoder.push(packed(&vec![0; 1 << 20])).unwrap().more);
    assert!(matches!(decoder.finish(), Err(Fault::NotTaken | Fault::Truncated(_))));
    let mut encoder = Encoder::new(level(0));
    assert!(encoder.push(noise(1 << 20)).unwrap().more);
    assert_eq!(encoder.finish(), Err(Fault::NotTaken));
}

/// Bytes of which some repeat.
fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
    vec((any::<u8>(), 1_usize..2000), 0..200)
        .prop_map(|runs| runs.into_iter().flat_map(|(byte, run)| vec![byte; run]).collect())
}

proptest! {
    #[test]
    fn any_bytes_in_any_chunks_come_out(
        bytes in some_bytes(),
        number in 0_u32..=9,
        chunks in (1_usize..100_000, 1_usize..5000),
    ) {
        let stored = encoded(level(number), &bytes, chunks.0);
        prop_assert!(decoded(&stored, chunks.1).unwrap() == bytes);
        let mut read = Vec::new();
        bufread::MultiGzDecoder::new(&stored[..]).read_to_end(&mut read).unwrap();
        prop_assert!(read == bytes);
    }

    #[test]
    fn any_bytes_are_read_or_refused_as_the_other_decoder_does(
        mut stored in vec(any::<u8>(), 0..200),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        chunk in 1_usize..300,
    ) {
        let mut file = packed(&stored);
        file.extend(packed(b"text"));
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        stored.clear();
        let other = bufread::MultiGzDecoder::new(&file[..]).read_to_end(&mut stored);
        match decoded(&file, chunk) {
            Ok(read) => prop_assert!(other.is_ok() && read == stored),
            Err(fault) => prop_assert!(other.is_err(), "{}", fault),
        }
    }
}
