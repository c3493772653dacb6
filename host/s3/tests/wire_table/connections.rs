//! Connections that are refused, reset, closed, or silent.

use std::time::Duration;

use super::{
    Call::{Delete, Get, GetTwice, Head, List, Put, PutIfAbsent, PutLarge, PutStream},
    Kind, Row, Step, lasting, passing, raw, row, steps, well,
};
use crate::support::{Act, answer, ok, response};

const BROKE: &str = "the connection to 127.0.0.1";

fn hello() -> Act {
    answer("200 OK", &[("ETag", "\"e\"")], "hello")
}

fn reset_at_once() -> Act {
    steps([Step::Reset])
}

fn reset_instead_of_an_answer() -> Act {
    steps([Step::ReadAll, Step::Reset])
}

fn reset_within_the_body() -> Act {
    steps([Step::Read(1 << 20), Step::Reset])
}

pub(crate) fn rows() -> Vec<Row> {
    let refused = || passing(Kind::Unreachable, "refused");
    let broken = || passing(Kind::Unreachable, BROKE);
    let silent = || passing(Kind::Timeout, "neither took nor sent a byte for 4s");
    let nobody = |name, call| Row { server: None, ..row(name, call, [], refused(), 0) };
    vec![
        nobody("nothing listens", Get),
        nobody("nothing listens to a write", Put),
        nobody("nothing listens to a stream, of which nothing is taken", PutStream),
        row("reset before anything is read", Get, [reset_at_once(), hello()], well("hello"), 2),
        row(
            "reset before anything is read, twice",
            Get,
            [reset_at_once(), reset_at_once()],
            broken(),
            2,
        ),
        row("reset before the answer", Put, [reset_instead_of_an_answer(), ok()], well(""), 2),
        row(
            "reset before the answer, twice",
            Delete,
            [reset_instead_of_an_answer(), reset_instead_of_an_answer()],
            broken(),
            2,
        ),
        row(
            "reset before the answer to a conditional write, which may have happened",
            PutIfAbsent,
            [reset_instead_of_an_answer()],
            lasting(Kind::Unreachable, BROKE),
            1,
        ),
        row(
            "reset within the body of an upload",
            PutLarge,
            [reset_within_the_body(), ok()],
            well(""),
            2,
        ),
        row(
            "reset within the body of an upload, twice",
            PutLarge,
            [reset_within_the_body(), reset_within_the_body()],
            broken(),
            2,
        ),
        row(
            "reset after a stream was taken, which is kept",
            PutStream,
            [reset_instead_of_an_answer(), ok()],
            well(""),
            2,
        ),
        row("closed before anything is read", Get, [Act::CloseAfter(0), hello()], well("hello"), 2),
        row("closed instead of an answer", List, [raw(""), raw("")], broken(), 2),
        row(
            "closed within the head of the answer",
            Head,
            [raw("HTTP/1.1 200 OK\r\nETag: "), raw("HTTP/1.1 2")],
            broken(),
            2,
        ),
        row(
            "reset within the head of the answer",
            Head,
            [
                steps([Step::ReadAll, Step::Write(b"HTTP/1.1 200 OK\r\n".to_vec()), Step::Reset]),
                ok(),
            ],
            well("0"),
            2,
        ),
        row(
            "the next call meets a connection that was closed meanwhile",
            GetTwice,
            [
                steps([Step::ReadAll, Step::Write(response("200 OK", &[], b"a")), Step::Close]),
                hello(),
            ],
            well("a hello"),
            2,
        ),
        row("silence", Head, [Act::Silence, Act::Silence], silent(), 2),
        row("silence, and then an answer", Delete, [Act::Silence, ok()], well(""), 2),
        row(
            "silence after a conditional write, which may have happened",
            PutIfAbsent,
            [Act::Silence],
            lasting(Kind::Timeout, "neither took"),
            1,
        ),
        row(
            "an upload of which nothing is read",
            PutLarge,
            [steps([Step::ReadHead, Step::Hang]), steps([Step::ReadHead, Step::Hang])],
            silent(),
            2,
        ),
        row(
            "a head that drips for longer than the limit",
            Head,
            [
                steps([
                    Step::ReadAll,
                    Step::Drip(Duration::from_millis(200), response("200 OK", &[], b"")),
                ]),
                ok(),
            ],
            well("0"),
            2,
        ),
    ]
}
