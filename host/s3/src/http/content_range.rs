use std::ops::Range;

use http::{HeaderMap, StatusCode, header};

use super::{object_headers, response::Answer, transport::ResponseBody};
use crate::{ByteRange, S3Error};

/// What part of an object an answer holds: `Content-Range: bytes 0-99/1234`.
///
/// It is never empty, and lies within the object. A total that is not told (`*`) is
/// none to us: nobody could say then whether a download is whole.
///
/// Source: [RFC 9110, section 14.4](https://www.rfc-editor.org/rfc/rfc9110#section-14.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ContentRange {
    /// The end is excluded.
    pub(super) bytes: Range<u64>,
    /// Length of the whole object.
    pub(super) total: u64,
}

impl ContentRange {
    /// None where the header is missing, given twice, or makes no sense.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(header::CONTENT_RANGE).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Self::parse(value.to_str().ok()?),
            _ => None,
        }
    }

    /// Refuses an answer that holds other bytes than these, or not all of them.
    pub(super) fn expect(&self, asked: &Range<u64>, answer: &Answer) -> Result<(), S3Error> {
        let shown = |bytes: &Range<u64>| format!("{}-{}", bytes.start, bytes.end - 1);
        if self.bytes != *asked {
            return Err(answer.refused(format!(
                "bytes {} were asked for, and the service sent bytes {}",
                shown(asked),
                shown(&self.bytes),
            )));
        }
        let length = answer.stream.as_ref().and_then(ResponseBody::length);
        match length.filter(|length| *length != asked.end - asked.start) {
            Some(length) => Err(answer.refused(format!(
                "the service says that it sends bytes {}, and that they are {length}",
                shown(asked),
            ))),
            None => Ok(()),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (unit, rest) = text.trim().split_once(' ')?;
        let (span, total) = rest.split_once('/')?;
        let (first, last) = span.split_once('-')?;
        let (first, last, total) = (number(first)?, number(last)?, number(total)?);
        (unit.eq_ignore_ascii_case("bytes") && first <= last && last < total)
            .then(|| Self { bytes: first..last + 1, total })
    }
}

/// Which bytes of the object an answer holds: those that were asked for, or it is an
/// error.
pub(super) fn of_answer(answer: &Answer, asked: Option<ByteRange>) -> Result<Range<u64>, S3Error> {
    let Some(asked) = asked else {
        if answer.status != StatusCode::OK {
            return Err(answer.refused("the whole object was asked for, and something else came"));
        }
        let size = object_headers::size(&answer.headers);
        return Ok(0..size.map_err(|error| answer.tried(error))?);
    };
    // A caller that wants ten bytes must not be handed all of them as if they were these.
    if answer.status != StatusCode::PARTIAL_CONTENT {
        return Err(answer.refused("the service ignored the range and sent the whole object"));
    }
    let range = told(answer)?;
    let Some(asked) = asked.within(range.total) else {
        return Err(answer.refused("the range lies outside the object, and the service sent bytes"));
    };
    range.expect(&asked, answer)?;
    Ok(asked)
}

/// What the answer to a request for a range says that it holds.
pub(super) fn told(answer: &Answer) -> Result<ContentRange, S3Error> {
    ContentRange::of(&answer.headers).ok_or_else(|| {
        answer.refused(
            "the service did not say which bytes of how many it sent: the header Content-Range \
             is missing or makes no sense",
        )
    })
}

/// Digits only: `parse` alone would take a plus sign as well.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_range_within_an_object_of_known_length_is_one() {
        let range = |bytes, total| Some(ContentRange { bytes, total });
        for (text, expected) in [
            ("bytes 2-4/10", range(2..5, 10)),
            ("Bytes 0-0/1", range(0..1, 1)),
            ("bytes 0-18446744073709551614/18446744073709551615", range(0..u64::MAX, u64::MAX)),
            ("bytes 2-4/*", None),
            ("bytes */10", None),
            ("bytes 4-2/10", None),
            ("bytes 2-10/10", None),
            ("bytes -4/10", None),
            ("bytes 2-/10", None),
            ("bytes +2-4/10", None),
            ("bytes 2 - 4/10", None),
            ("bytes=2-4/10", None),
            ("items 2-4/10", None),
            ("bytes 2-99999999999999999999/10", None),
            ("2-4/10", None),
            ("", None),
        ] {
            assert_eq!(ContentRange::parse(text), expected, "{text}");
        }
    }
}
