//! Statuses, heads, and what comes before and beside an answer.

use super::{
    Call::{
        Delete, Get, GetRange, GetTwice, Head, HeadTwice, List, Put, PutIfAbsent, PutLarge,
        PutStream,
    },
    Ends, Kind, Row, Step, lasting, passing, raw, row, steps, well,
};
use crate::support::{Act, answer, error, ok, response};

const EMPTY_LISTING: &str = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";

fn bare(status: &str) -> Act {
    answer(status, &[], "")
}

fn asking(status: &str, retry_after: &str) -> Act {
    answer(status, &[("Retry-After", retry_after)], "")
}

/// An answer, with this before it.
fn after(before: &str, answer: &[u8]) -> Act {
    Act::Answer([before.as_bytes(), answer].concat())
}

fn hello() -> Vec<u8> {
    response("200 OK", &[], b"hello")
}

pub(crate) fn rows() -> Vec<Row> {
    statuses().into_iter().chain(interim()).chain(heads()).collect()
}

fn statuses() -> Vec<Row> {
    let slow = || error("503 Slow Down", "SlowDown");
    let broken = || error("500 Internal Server Error", "InternalError");
    let conflict = || error("409 Conflict", "ConditionalRequestConflict");
    let after_two = |kind, says| Ends::Badly { kind, retryable: false, attempts: 2, says };
    let throttled = |says| passing(Kind::Throttled, says);
    let waiting = |row: Row| Row { waits: true, ..row };
    vec![
        row("503", Put, [slow(), ok()], well(""), 2),
        row("503, twice", Put, [slow(), slow()], throttled("SlowDown"), 2),
        row(
            "503 to a conditional write, which was refused",
            PutIfAbsent,
            [slow(), ok()],
            well(""),
            2,
        ),
        row(
            "a bare 503 to a conditional write, which may have happened behind a proxy",
            PutIfAbsent,
            [bare("503 Service Unavailable")],
            lasting(Kind::Throttled, "HTTP 503"),
            1,
        ),
        row(
            "503 with a code that nobody knows, to a conditional write",
            PutIfAbsent,
            [error("503 Service Unavailable", "Whatever")],
            lasting(Kind::Throttled, "Whatever"),
            1,
        ),
        row(
            "a bare 429 to a conditional write, which was refused",
            PutIfAbsent,
            [bare("429 Too Many Requests"), ok()],
            well(""),
            2,
        ),
        row("503 to a stream that was taken, and is kept", PutStream, [slow(), ok()], well(""), 2),
        row(
            "a bare 503, twice",
            Head,
            [bare("503 Service Unavailable"), bare("503 Service Unavailable")],
            throttled("asks to be called less often"),
            2,
        ),
        waiting(row(
            "503 with Retry-After",
            Put,
            [asking("503 Slow Down", "1"), ok()],
            well(""),
            2,
        )),
        waiting(row(
            "429 with Retry-After",
            Delete,
            [asking("429 Too Many Requests", "1"), ok()],
            well(""),
            2,
        )),
        waiting(row(
            "500 with Retry-After",
            Delete,
            [asking("500 Internal Server Error", " 1 "), ok()],
            well(""),
            2,
        )),
        row(
            "503 with a Retry-After that is over",
            Delete,
            [asking("503 Slow Down", "Sun, 06 Nov 1994 08:49:37 GMT"), ok()],
            well(""),
            2,
        ),
        row(
            "503 with a Retry-After that is none",
            Delete,
            [asking("503 Slow Down", "in -1 while"), ok()],
            well(""),
            2,
        ),
        row(
            "503 with a Retry-After of more seconds than a number holds",
            Delete,
            [asking("503 Slow Down", "99999999999999999999999"), ok()],
            well(""),
            2,
        ),
        row("429", Get, [bare("429 Too Many Requests"), Act::Answer(hello())], well("hello"), 2),
        row(
            "429, twice",
            Get,
            [bare("429 Too Many Requests"), bare("429 Too Many Requests")],
            throttled("HTTP 429"),
            2,
        ),
        row("500", Put, [broken(), ok()], well(""), 2),
        row("500, twice", Put, [broken(), broken()], passing(Kind::Service, "InternalError"), 2),
        row(
            "500 to a conditional write, which may have happened",
            PutIfAbsent,
            [broken()],
            lasting(Kind::Service, "InternalError"),
            1,
        ),
        row(
            "a bare 500, twice",
            List,
            [bare("500 Internal Server Error"), bare("502 Bad Gateway")],
            passing(Kind::Service, "is an S3 endpoint"),
            2,
        ),
        row(
            "503, and then an answer that cannot be used",
            List,
            [slow(), answer("200 OK", &[], "<html></html>")],
            after_two(Kind::Service, "is no ListBucketResult"),
            2,
        ),
        row(
            "503, and then an answer that does not say how long it is",
            Head,
            [slow(), raw("HTTP/1.1 200 OK\r\nETag: \"e\"\r\n\r\n")],
            after_two(Kind::Service, "did not say how long"),
            2,
        ),
        row(
            "503, and then bytes that nobody asked for",
            GetRange,
            [slow(), Act::Answer(hello())],
            after_two(Kind::Service, "ignored the range"),
            2,
        ),
        row(
            "416, and what to do",
            GetRange,
            [error("416 Range Not Satisfiable", "InvalidRange")],
            lasting(Kind::InvalidRange, "Said the service; ask `head` for the size"),
            1,
        ),
        row(
            "412 without a word, and what to do",
            PutIfAbsent,
            [bare("412 Precondition Failed")],
            lasting(Kind::PreconditionFailed, "does not hold; read the object again"),
            1,
        ),
        row(
            "409, twice, and what to do",
            PutIfAbsent,
            [conflict(), conflict()],
            passing(Kind::PreconditionFailed, "another write to the key was under way"),
            2,
        ),
        row("501", Put, [bare("501 Not Implemented")], lasting(Kind::Service, "HTTP 501"), 1),
        row(
            "a status that nobody knows",
            Put,
            [bare("799 Whatever")],
            lasting(Kind::Service, "HTTP 799"),
            1,
        ),
        row(
            "404 with a page instead of an error",
            Get,
            [answer("404 Not Found", &[], "<html>no</html>")],
            lasting(Kind::NoSuchKey, "there is no object of this key"),
            1,
        ),
    ]
}

/// 1xx, asked for by nobody.
fn interim() -> Vec<Row> {
    let going_on = "HTTP/1.1 100 Continue\r\n\r\n";
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n";
    let refused = response("403 Forbidden", &[], b"");
    let flood = || steps([Step::ReadAll, Step::Flood(going_on.into())]);
    let at_head = steps([
        Step::ReadHead,
        Step::Write(going_on.into()),
        Step::ReadAll,
        Step::Write(response("200 OK", &[("ETag", "\"e\"")], b"")),
    ]);
    vec![
        row("100 Continue before the answer", Get, [after(going_on, &hello())], well("hello"), 1),
        row("100 Continue before the body", PutLarge, [at_head], well("e"), 1),
        row(
            "100 Continue, many times",
            Delete,
            [after(&going_on.repeat(1000), &response("200 OK", &[], b""))],
            well(""),
            1,
        ),
        row(
            "100 Continue before a refusal",
            Put,
            [after(going_on, &refused)],
            lasting(Kind::AccessDenied, "HTTP 403"),
            1,
        ),
        row("103 Early Hints before the answer", Get, [after(hints, &hello())], well("hello"), 1),
        row(
            "100 Continue without end",
            Head,
            [flood(), flood()],
            passing(Kind::Timeout, "127.0.0.1"),
            2,
        ),
        row(
            "100 Continue, and then nothing",
            Put,
            [raw(going_on), raw(going_on)],
            passing(Kind::Unreachable, "the connection to"),
            2,
        ),
    ]
}

/// What is no HTTP, or too much of it.
fn heads() -> Vec<Row> {
    let broken = || passing(Kind::Unreachable, "the connection to");
    let twice = |answer: &str| [raw(answer), raw(answer)];
    let many: String = (0..5000).map(|n| format!("x-amz-meta-{n}: v\r\n")).collect();
    let many = format!("HTTP/1.1 200 OK\r\n{many}Content-Length: 0\r\n\r\n");
    let giant = format!("HTTP/1.1 200 OK\r\nx-amz-meta-a: {}\r\n\r\n", "a".repeat(2 << 20));
    let two_lengths = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 3\r\n\r\nhello";
    let smuggled = [hello(), response("200 OK", &[], b"forged")].concat();
    let head = response("200 OK", &[], b"hello");
    vec![
        row("another protocol", Put, twice("SSH-2.0-OpenSSH_9.6\r\n"), broken(), 2),
        row("a head of 5,000 headers", Head, twice(&many), broken(), 2),
        row("a header of 2 MiB", Head, twice(&giant), broken(), 2),
        row("two lengths that differ", Get, twice(two_lengths), broken(), 2),
        row(
            "a length that is no number",
            Get,
            twice("HTTP/1.1 200 OK\r\nContent-Length: 5 bytes\r\n\r\nhello"),
            broken(),
            2,
        ),
        row(
            "an answer to the next call, sent with this one",
            GetTwice,
            [Act::Answer(smuggled), answer("200 OK", &[], "true")],
            well("hello true"),
            2,
        ),
        row(
            "a body that HEAD has not",
            HeadTwice,
            [Act::Answer(head), answer("200 OK", &[("x-amz-meta-a", "b")], "")],
            well("5 0"),
            2,
        ),
        row("no etag for what was put", Put, [ok()], well(""), 1),
        row("no etag for what is read", Get, [Act::Answer(hello())], well("hello"), 1),
        row(
            "no length for what is read",
            Get,
            [raw("HTTP/1.1 200 OK\r\n\r\nhello")],
            lasting(Kind::Service, "did not say how long"),
            1,
        ),
        row(
            "no length for what is described",
            Head,
            [raw("HTTP/1.1 200 OK\r\nETag: \"e\"\r\n\r\n")],
            lasting(Kind::Service, "did not say how long"),
            1,
        ),
        row(
            "no length for a listing",
            List,
            [raw(format!("HTTP/1.1 200 OK\r\n\r\n{EMPTY_LISTING}"))],
            well(""),
            1,
        ),
        row(
            "a listing that drips",
            List,
            [Act::Drip(super::IDLE / 40, response("200 OK", &[], EMPTY_LISTING.as_bytes()))],
            well(""),
            1,
        ),
        row(
            "a body where there is none",
            Delete,
            [raw("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello")],
            Ends::Well(String::new()),
            1,
        ),
    ]
}
