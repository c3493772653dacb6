//! Objects that come slowly, in part, or other than they were asked for.

use std::time::Duration;

use super::{
    Call::{Get, GetRange},
    Ends, Kind, Row, Step, lasting, once, passing, raw, row, steps, well,
};
use crate::support::{Act, answer, error, response};

const CHANGED: &str = "the object changed while it was read";

/// So much of an object of the bytes 0 to 9.
fn begun(bytes: usize) -> Vec<u8> {
    let mut whole = response("200 OK", &[("ETag", "\"e\"")], b"0123456789");
    whole.truncate(whole.len() - 10 + bytes);
    whole
}

/// A part of that object, as `Content-Range` says.
fn part(range: &str, etag: &str, bytes: &str) -> Act {
    answer("206 Partial Content", &[("Content-Range", range), ("ETag", etag)], bytes)
}

fn rest() -> Act {
    part("bytes 4-9/10", "\"e\"", "456789")
}

fn reset(bytes: usize) -> Act {
    steps([Step::ReadAll, Step::Write(begun(bytes)), Step::Pause(SOON), Step::Reset])
}

/// Until what was written has surely been read.
const SOON: Duration = Duration::from_millis(200);

pub(crate) fn rows() -> Vec<Row> {
    broken().into_iter().chain(resumed()).chain(ranges()).collect()
}

fn broken() -> Vec<Row> {
    let whole = || well("0123456789");
    let no_etag = || raw(&response("200 OK", &[], b"0123456789")[..45]);
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let long = |length: u64| {
        raw(format!("HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: {length}\r\n\r\n01"))
    };
    let no_rest = Ends::Badly {
        kind: Kind::Unreachable,
        retryable: true,
        attempts: 3,
        says: "the connection to",
    };
    let nothing_there = error("416 Range Not Satisfiable", "InvalidRange");
    let changed = Ends::Badly {
        kind: Kind::PreconditionFailed,
        retryable: false,
        attempts: 2,
        says: CHANGED,
    };
    vec![
        row("a byte at a time", Get, [Act::Drip(SOON, begun(10))], whole(), 1),
        row(
            "reset after the head",
            Get,
            [reset(0), part("bytes 0-9/10", "\"e\"", "0123456789")],
            whole(),
            2,
        ),
        row("reset within the body", Get, [reset(4), rest()], whole(), 2),
        row("reset after the body", Get, [reset(10)], whole(), 1),
        row("cut short", Get, [raw(begun(4)), rest()], whole(), 2),
        row(
            "cut short, and nothing of the rest",
            Get,
            [raw(begun(4)), raw(""), raw("")],
            no_rest,
            3,
        ),
        row(
            "silence within the body",
            Get,
            [steps([Step::ReadAll, Step::Write(begun(4)), Step::Hang]), rest()],
            whole(),
            2,
        ),
        row("cut short, without an etag", Get, [no_etag()], once(Kind::Unreachable, "no etag"), 1),
        row(
            "in chunks, without a length",
            Get,
            [raw(chunked)],
            lasting(Kind::Service, "did not say how long"),
            1,
        ),
        row("of a length that nothing has", Get, [long(1 << 62), nothing_there], changed, 2),
        row(
            "of the greatest length there is",
            Get,
            [long(u64::MAX), long(u64::MAX)],
            passing(Kind::Unreachable, "the connection to"),
            2,
        ),
    ]
}

fn resumed() -> Vec<Row> {
    let badly = |kind, says| Ends::Badly { kind, retryable: false, attempts: 2, says };
    let refused = |code, status| error(status, code);
    let after = |name, act, ends| row(name, Get, [raw(begun(4)), act], ends, 2);
    vec![
        after(
            "the rest of another object",
            part("bytes 4-9/10", "\"f\"", "456789"),
            badly(Kind::PreconditionFailed, CHANGED),
        ),
        after(
            "the rest of a longer object",
            part("bytes 4-9/11", "\"e\"", "456789"),
            badly(Kind::PreconditionFailed, CHANGED),
        ),
        after(
            "no rest: it was overwritten",
            refused("PreconditionFailed", "412 Precondition Failed"),
            badly(Kind::PreconditionFailed, CHANGED),
        ),
        after(
            "no rest: it was deleted",
            refused("NoSuchKey", "404 Not Found"),
            badly(Kind::PreconditionFailed, CHANGED),
        ),
        after(
            "no rest: it was cut",
            refused("InvalidRange", "416 Range Not Satisfiable"),
            badly(Kind::PreconditionFailed, CHANGED),
        ),
        after(
            "no rest: it may no longer be read",
            refused("AccessDenied", "403 Forbidden"),
            badly(Kind::AccessDenied, "AccessDenied"),
        ),
        after(
            "all of it instead of the rest",
            Act::Answer(begun(10)),
            badly(Kind::Service, "ignored the range"),
        ),
        after(
            "other bytes than the rest",
            part("bytes 3-9/10", "\"e\"", "3456789"),
            badly(Kind::Service, ""),
        ),
        after(
            "fewer bytes than the rest",
            part("bytes 4-8/10", "\"e\"", "45678"),
            badly(Kind::Service, ""),
        ),
        after(
            "a rest without an etag",
            answer("206 Partial Content", &[("Content-Range", "bytes 4-9/10")], "456789"),
            badly(Kind::Service, "etag"),
        ),
        after(
            "a rest that is not said to be one",
            answer("206 Partial Content", &[("ETag", "\"e\"")], "456789"),
            badly(Kind::Service, "Content-Range"),
        ),
    ]
}

fn ranges() -> Vec<Row> {
    let get = |name, act, ends| row(name, GetRange, [act], ends, 1);
    let sent = |range, bytes| part(range, "\"e\"", bytes);
    let refused = |says| lasting(Kind::Service, says);
    vec![
        get("a range", sent("bytes 2-4/10", "234"), well("234")),
        get("the range of a shorter object", sent("bytes 2-3/4", "23"), well("23")),
        get("other bytes", sent("bytes 0-2/10", "012"), refused("bytes 2-4 were asked for")),
        get("fewer bytes", sent("bytes 2-3/10", "23"), refused("bytes 2-4 were asked for")),
        get("more bytes than it says", sent("bytes 2-4/10", "23456"), refused("that they are 5")),
        get(
            "no Content-Range",
            answer("206 Partial Content", &[], "234"),
            refused("Content-Range"),
        ),
        get("a Content-Range that is none", sent("bytes 4-2/10", "234"), refused("Content-Range")),
        get(
            "a Content-Range without a total",
            sent("bytes 2-4/*", "234"),
            refused("Content-Range"),
        ),
        get(
            "all of it instead of a range",
            answer("200 OK", &[], "0123456789"),
            refused("ignored the range"),
        ),
        get(
            "a range beyond the end",
            error("416 Range Not Satisfiable", "InvalidRange"),
            lasting(Kind::InvalidRange, "InvalidRange"),
        ),
    ]
}
