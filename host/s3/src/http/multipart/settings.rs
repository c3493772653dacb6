use crate::Body;

const MIB: u64 = 1024 * 1024;

/// Most parts of one upload.
///
/// Source: [multipart upload limits][limits], as the others here.
///
/// [limits]: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
const MAX_PARTS: u64 = 10_000;

/// Smallest part; the last one may be smaller.
const MIN_PART: u64 = 5 * MIB;

/// Most parts at once that a client can be set to: more connections than any service
/// gives one client.
const MAX_PARALLEL: usize = 1000;

/// Most bytes of a stream that are held in memory to learn whether it ends there.
const MAX_HELD: u64 = 16 * MIB;

/// When an upload goes in parts, how large they are, and how many are under way at once.
///
/// - A body goes in parts if it is longer than [`threshold`](Self::threshold), and in one
///   request else. A stream is held in memory until it has ended or shown more bytes than
///   the threshold, or than 16 MiB where that is less; a longer one goes in parts. To send
///   a stream of more than 16 MiB in one request, make it
///   [replayable](Body::into_replayable) first.
/// - The parts of a file, and of bytes in memory, are read where they are when they are
///   sent. Those of a stream are in memory until they are stored: `parallel` times
///   `part_size` in all, 32 MiB by default, the part that is being read included.
/// - Ten thousand parts have to suffice. Where the length is known, parts are as large as
///   that needs: 525 MiB for 5 TiB. Where it is not, they grow as the stream goes on, each
///   to a thousandth of all that came before it and no further than is needed, so that
///   5 TiB fit: 100 MiB after 100 GiB, and about 1 GiB from 1 TiB on. Of parts that have
///   grown fewer are under way at once, so that their memory stays that of `parallel`
///   times `part_size`, or of two such parts (one, if `parallel` is 1) if that is more.
///
/// ```
/// use artifact_s3::{HttpS3, Multipart};
///
/// let far_away = Multipart { part_size: 64 << 20, parallel: 8, ..Multipart::default() };
/// let builder = HttpS3::builder().multipart(far_away);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multipart {
    /// Longest body in bytes that goes in one request, at most 5 GiB; 16 MiB, by default.
    pub threshold: u64,
    /// Smallest part in bytes, 5 MiB to 5 GiB; 8 MiB, by default.
    pub part_size: u64,
    /// Most parts under way at once, of one upload, 1 to 1000; 4, by default. It begins
    /// with one, or two of a stream, and has one more each time that none ends for 10 ms.
    pub parallel: usize,
}

impl Default for Multipart {
    fn default() -> Self {
        Self { threshold: 16 * MIB, part_size: 8 * MIB, parallel: 4 }
    }
}

impl Multipart {
    /// Says what is wrong, and what to set.
    pub(in crate::http) fn check(self) -> Result<(), String> {
        let Self { threshold, part_size, parallel } = self;
        if part_size < MIN_PART {
            return Err(format!(
                "part_size is {part_size}, and S3 takes no parts below 5 MiB; set it to at least \
                 {MIN_PART}"
            ));
        }
        if part_size > Body::MAX_PUT {
            return Err(format!(
                "part_size is {part_size}, and S3 takes no parts above 5 GiB; set it to at most {}",
                Body::MAX_PUT
            ));
        }
        if threshold > Body::MAX_PUT {
            return Err(format!(
                "threshold is {threshold}, and S3 takes at most 5 GiB in one request; set it to \
                 at most {}",
                Body::MAX_PUT
            ));
        }
        if !(1..=MAX_PARALLEL).contains(&parallel) {
            return Err(format!("parallel is {parallel}; set it to 1 up to {MAX_PARALLEL}"));
        }
        Ok(())
    }

    /// Most bytes of a stream that are held in memory to learn whether it ends there.
    pub(super) fn held(self) -> u64 {
        self.threshold.min(MAX_HELD)
    }

    /// The size of the part after so many, with so many bytes in them.
    pub(super) fn next_part(self, length: Option<u64>, parts: u64, sent: u64) -> u64 {
        let enough = |bytes: u64, parts: u64| bytes.div_ceil(parts).next_multiple_of(MIB);
        let size = if let Some(length) = length {
            enough(length, MAX_PARTS)
        } else {
            let parts_left = MAX_PARTS.saturating_sub(parts).max(1);
            let all = enough(Body::MAX_OBJECT.saturating_sub(sent), parts_left);
            (sent / 1000).next_multiple_of(MIB).min(all)
        };
        size.max(self.part_size)
    }

    /// How many of the `parallel` places a part of this size takes, whose bytes are in
    /// memory: two at least can be under way, or one where `parallel` is one.
    pub(super) fn places(self, size: u64) -> u32 {
        let most = u64::try_from(self.parallel / 2).unwrap_or(1).max(1);
        u32::try_from(size.div_ceil(self.part_size).clamp(1, most)).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_parts_suffice_for_five_tebibytes() {
        for part_size in [MIN_PART, 8 * MIB, 100 * MIB, 600 * MIB, Body::MAX_PUT] {
            let multipart = Multipart { part_size, ..Multipart::default() };
            for length in [None, Some(Body::MAX_OBJECT)] {
                let (mut sent, mut parts, mut largest) = (0, 0, 0);
                while sent < Body::MAX_OBJECT {
                    let size = multipart.next_part(length, parts, sent);
                    assert!((part_size..=Body::MAX_PUT).contains(&size));
                    // What the documentation says of memory.
                    assert!(
                        size <= part_size.max((sent / 1000).next_multiple_of(MIB))
                            || length.is_some()
                    );
                    (sent, parts, largest) = (sent + size, parts + 1, largest.max(size));
                }
                assert!(parts <= MAX_PARTS, "{part_size} {length:?}: {parts} parts");
                assert!(largest <= part_size.max(1200 * MIB), "{part_size}: {largest}");
            }
        }
        let known = Multipart::default().next_part(Some(Body::MAX_OBJECT), 0, 0);
        assert_eq!(known, 525 * MIB);
        assert_eq!(Multipart::default().next_part(Some(17 * MIB), 0, 0), 8 * MIB);
    }

    #[test]
    fn large_parts_take_more_places_and_leave_room_for_two() {
        let of = |parallel| Multipart { parallel, ..Multipart::default() };
        for (parallel, size, places) in [
            (4, 1, 1),
            (4, 8 * MIB, 1),
            (4, 9 * MIB, 2),
            (4, 1024 * MIB, 2),
            (1, 1024 * MIB, 1),
            (3, 1024 * MIB, 1),
            (8, 17 * MIB, 3),
        ] {
            assert_eq!(of(parallel).places(size), places, "{parallel} {size}");
        }
    }
}
