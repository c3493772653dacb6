//! Redirects: followed once, and never into a loop.

use super::{
    Call::{Delete, Get, List, Put, PutStream},
    Kind, Row, Step, lasting, row, steps, well,
};
use crate::support::{Act, answer, ok};

fn to_region(status: &str, region: &str) -> Act {
    answer(status, &[("x-amz-bucket-region", region)], "")
}

fn to(location: &str) -> Act {
    answer("307 Temporary Redirect", &[("Location", location)], "")
}

fn to_itself() -> Act {
    let answer = "HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: \
                  http://{here}/test-bucket/k\r\n\r\n";
    steps([Step::ReadAll, Step::WriteHere(answer.to_owned())])
}

pub(crate) fn rows() -> Vec<Row> {
    let moved = |region| to_region("301 Moved Permanently", region);
    let named =
        |says| super::Ends::Badly { kind: Kind::Service, retryable: false, attempts: 2, says };
    vec![
        row("to another region", Put, [moved("eu-a-1"), ok()], well(""), 2),
        row(
            "to region after region",
            Delete,
            [moved("eu-a-1"), moved("eu-b-1"), moved("eu-a-1")],
            named("is in region \"eu-b-1\""),
            2,
        ),
        row(
            "to the region where it came from",
            Delete,
            [moved("eu-test-1")],
            lasting(Kind::Service, "check the endpoint and the region"),
            1,
        ),
        row(
            "to a region that is none",
            Get,
            [moved("a/../b")],
            lasting(Kind::Service, "a/../b"),
            1,
        ),
        row(
            "to nowhere",
            List,
            [answer("301 Moved Permanently", &[], "")],
            lasting(Kind::Service, "does not say where"),
            1,
        ),
        row("to the same place", Get, [to_itself()], lasting(Kind::Service, "127.0.0.1"), 1),
        row(
            "to a path and no host",
            Get,
            [to("/test-bucket/k")],
            lasting(Kind::Service, "does not say where"),
            1,
        ),
        row(
            "to another protocol",
            Get,
            [to("ftp://other.test/k")],
            lasting(Kind::Service, "ftp://other.test"),
            1,
        ),
        row(
            "to another region, for a stream that was taken",
            PutStream,
            [moved("eu-a-1"), ok()],
            well(""),
            2,
        ),
    ]
}
