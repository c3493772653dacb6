//! What is filtered: half of it can be compressed.

use bytes::Bytes;

const STRETCH: usize = 1 << 20;

/// A mebibyte of lines of a log, a mebibyte of random bytes, and so on; the same each time.
pub(super) fn mixed(length: usize) -> Bytes {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut bytes = Vec::with_capacity(length + STRETCH);
    while bytes.len() < length {
        let end = bytes.len() + STRETCH;
        while bytes.len() < end {
            let (second, session, size) = (random.next(), random.next(), random.next());
            let line = format!(
                "2026-11-25T21:{:02}:{:02}Z info agent::tools session={session:016x} \
                 tool={} outcome={} bytes={}\n",
                second % 60,
                second / 60 % 60,
                ["read_file", "apply_patch", "run_tests", "search"][(session % 4) as usize],
                ["ok", "ok", "ok", "failed"][(size % 4) as usize],
                size % 100_000,
            );
            bytes.extend(line.into_bytes());
        }
        bytes.truncate(end);
        while bytes.len() < end + STRETCH {
            bytes.extend(random.next().to_le_bytes());
        }
    }
    bytes.truncate(length);
    bytes.into()
}

/// Marsaglia's xorshift: good enough that nothing compresses it.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::mixed;

    #[test]
    fn half_of_it_is_text() {
        let bytes = mixed(4 << 20);
        assert_eq!(bytes.len(), 4 << 20);
        let text = bytes.iter().filter(|byte| byte.is_ascii_graphic()).count();
        assert!((2 << 20..3 << 20).contains(&text), "{text}");
    }
}
