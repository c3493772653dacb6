//! Where a message of HTTP/1.1 ends: RFC 9112, section 6.

/// What follows a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

impl Framing {
    pub(super) fn of_request(head: &[u8]) -> Self {
        if is_chunked(head) {
            return Self::Chunked;
        }
        Self::Length(content_length(head).unwrap_or(0))
    }

    /// `to_head`: the request's method was `HEAD`.
    pub(super) fn of_answer(head: &[u8], to_head: bool) -> Self {
        if to_head || is_interim(head) || matches!(status(head), Some(204 | 304)) {
            return Self::Length(0);
        }
        if is_chunked(head) {
            return Self::Chunked;
        }
        content_length(head).map_or(Self::UntilClose, Self::Length)
    }
}

/// Whether another answer follows, such as after `100 Continue`.
pub(super) fn is_interim(head: &[u8]) -> bool {
    status(head).is_some_and(|status| status < 200)
}

pub(super) fn is_head_request(head: &[u8]) -> bool {
    head.starts_with(b"HEAD ")
}

pub(super) fn is_xml(head: &[u8]) -> bool {
    header(head, "content-type").is_some_and(|kind| kind.contains("xml"))
}

/// Bytes of the head, with the empty line, where all of it is there.
pub(super) fn head_length(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    std::str::from_utf8(line.split(|byte| *byte == b' ').nth(1)?).ok()?.parse().ok()
}

fn content_length(head: &[u8]) -> Option<u64> {
    header(head, "content-length")?.parse().ok()
}

fn is_chunked(head: &[u8]) -> bool {
    header(head, "transfer-encoding").is_some_and(|coding| coding.ends_with("chunked"))
}

/// The value, in lower case.
fn header(head: &[u8], name: &str) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    head.split("\r\n").skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_ascii_lowercase())
    })
}

/// Finds the end of a body that comes in chunks: RFC 9112, section 7.1.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    /// Bytes of data that are still to come, with the line break after them.
    data: u64,
    line: Vec<u8>,
    in_trailer: bool,
}

impl Chunks {
    /// How many of these bytes belong to the body, and whether it ends with them.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while at < bytes.len() {
            if self.data > 0 {
                let left = usize::try_from(self.data).unwrap_or(usize::MAX);
                let taken = left.min(bytes.len() - at);
                at += taken;
                self.data -= taken as u64;
                continue;
            }
            self.line.push(bytes[at]);
            at += 1;
            if !self.line.ends_with(b"\r\n") {
                continue;
            }
            let line = String::from_utf8_lossy(&self.line).trim().to_owned();
            self.line.clear();
            if self.in_trailer {
                if line.is_empty() {
                    return (at, true);
                }
                continue;
            }
            let size = line.split(';').next().unwrap_or_default().trim();
            match u64::from_str_radix(size, 16) {
                Ok(size @ 1..) => self.data = size.saturating_add(2),
                // What is no size ends it as well: nobody could read on.
                _ => self.in_trailer = true,
            }
        }
        (at, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_says_what_follows() {
        let answer = |head: &str, to_head| Framing::of_answer(head.as_bytes(), to_head);
        let whole = "HTTP/1.1 200 OK\r\nContent-length: 12\r\n\r\n";
        assert_eq!(answer(whole, false), Framing::Length(12));
        assert_eq!(answer(whole, true), Framing::Length(0));
        assert_eq!(answer("HTTP/1.1 204 No Content\r\n\r\n", false), Framing::Length(0));
        assert_eq!(answer("HTTP/1.1 200 OK\r\n\r\n", false), Framing::UntilClose);
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(answer(chunked, false), Framing::Chunked);
        assert_eq!(Framing::of_request(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"), Framing::Length(0));
        assert!(is_interim(b"HTTP/1.1 100 Continue\r\n\r\n"));
    }

    #[test]
    fn chunks_end_where_they_say_however_they_come() {
        let body = b"4;x=y\r\nwith\r\nA\r\n0123\r\n\r\n89\r\n0\r\nTrailer: x\r\n\r\n";
        let mut bytes = body.to_vec();
        bytes.extend_from_slice(b"HTTP/1.1 200 OK");
        for step in [1, 2, 3, 7, bytes.len()] {
            let (mut chunks, mut taken) = (Chunks::default(), 0);
            for piece in bytes.chunks(step) {
                let (part, ended) = chunks.take(piece);
                taken += part;
                if ended {
                    break;
                }
            }
            assert_eq!(taken, body.len(), "{step} bytes at a time");
        }
    }
}
