//! A put in two parts, one after the other. What fails is aborted, and once more a little
//! later, for the parts that were under way.

use super::{
    Call::{PutParts, PutPartsIfAbsent},
    Ends, Kind, Row, Step, lasting, once, passing, raw, row, steps, well,
};
use crate::support::{Act, answer, error, response};

/// The MD5 sum of nothing, as good as any; and what S3 makes of two of them.
const ETAG: &str = "\"d41d8cd98f00b204e9800998ecf8427e\"";
const OF_TWO: &str = "5873dd45edd01f09c1ef2e7819369e8e-2";

fn begun() -> Act {
    let xml = "<InitiateMultipartUploadResult><UploadId>u</UploadId>\
               </InitiateMultipartUploadResult>";
    answer("200 OK", &[], xml)
}

fn part() -> Act {
    answer("200 OK", &[("ETag", ETAG)], "")
}

fn completed() -> Act {
    let xml = format!(
        "<CompleteMultipartUploadResult><ETag>{OF_TWO}</ETag></CompleteMultipartUploadResult>"
    );
    answer("200 OK", &[], &xml)
}

fn aborted() -> Act {
    answer("204 No Content", &[], "")
}

/// The answer to HEAD where the object is there.
fn stored() -> Act {
    let etag = format!("\"{OF_TWO}\"");
    let length = (super::PARTS).to_string();
    let head = response("200 OK", &[("ETag", &etag)], b"");
    let head = String::from_utf8(head).unwrap();
    Act::Answer(head.replace("Content-Length: 0", &format!("Content-Length: {length}")).into())
}

fn missing() -> Act {
    answer("404 Not Found", &[], "")
}

pub(crate) fn rows() -> Vec<Row> {
    sending().into_iter().chain(completing()).collect()
}

fn sending() -> Vec<Row> {
    let put = |name, acts: Vec<Act>, ends| {
        let requests = acts.len();
        row(name, PutParts, acts, ends, requests)
    };
    let busy = || error("503 Slow Down", "SlowDown");
    let reset = || steps([Step::Read(1 << 20), Step::Reset]);
    let no_id = answer("200 OK", &[], "<InitiateMultipartUploadResult/>");
    let denied = || error("403 Forbidden", "AccessDenied");
    let no_etag = answer("200 OK", &[], "");
    vec![
        put("all is well", vec![begun(), part(), part(), completed()], well(OF_TWO)),
        put(
            "an upload that is begun at the second try",
            vec![busy(), begun(), part(), part(), completed()],
            well(OF_TWO),
        ),
        put(
            "an upload that is not begun",
            vec![busy(), busy()],
            passing(Kind::Throttled, "SlowDown"),
        ),
        put("an upload without an id", vec![no_id], lasting(Kind::Service, "no upload id")),
        put(
            "a part that is refused for now",
            vec![begun(), busy(), part(), part(), completed()],
            well(OF_TWO),
        ),
        put(
            "a part that breaks off",
            vec![begun(), part(), reset(), part(), completed()],
            well(OF_TWO),
        ),
        put(
            "a part that is refused for good",
            vec![begun(), part(), denied(), aborted(), aborted()],
            lasting(Kind::AccessDenied, "AccessDenied"),
        ),
        put(
            "a part that is refused, of an upload that is gone",
            vec![begun(), error("404 Not Found", "NoSuchUpload"), aborted(), aborted()],
            lasting(Kind::Service, "NoSuchUpload"),
        ),
        put(
            "a part without an etag",
            vec![begun(), no_etag, aborted(), aborted()],
            lasting(Kind::Service, "no etag for part 1"),
        ),
        put(
            "a part that breaks off twice",
            vec![begun(), reset(), reset(), aborted(), aborted()],
            passing(Kind::Unreachable, "the connection to"),
        ),
    ]
}

fn completing() -> Vec<Row> {
    let put = |name, call, acts: Vec<Act>, ends| {
        let acts: Vec<Act> = [begun(), part(), part()].into_iter().chain(acts).collect();
        let requests = acts.len();
        row(name, call, acts, ends, requests)
    };
    let late = || answer("200 OK", &[], "\n\n<Error><Code>InternalError</Code></Error>");
    let lost = || raw("");
    let gone = || error("404 Not Found", "NoSuchUpload");
    let small = error("400 Bad Request", "EntityTooSmall");
    let taken = error("412 Precondition Failed", "PreconditionFailed");
    let conflict = error("409 Conflict", "ConditionalRequestConflict");
    let page = answer("200 OK", &[], "<html></html>");
    let failed =
        |retryable, says| Ends::Badly { kind: Kind::Service, retryable, attempts: 2, says };
    vec![
        put(
            "an error in the answer to the completion",
            PutParts,
            vec![late(), completed()],
            well(OF_TWO),
        ),
        put(
            "an error in the answer, twice, and no object",
            PutParts,
            vec![late(), late(), missing(), aborted(), missing(), aborted()],
            failed(true, "InternalError"),
        ),
        put(
            "an error in the answer, twice, and the object is there",
            PutParts,
            vec![late(), late(), stored()],
            well(OF_TWO),
        ),
        put(
            "the answer is lost, and the object is there",
            PutParts,
            vec![lost(), gone(), stored()],
            well(OF_TWO),
        ),
        put(
            "the answer is lost, and another's object is there",
            PutParts,
            vec![
                lost(),
                gone(),
                answer("200 OK", &[("ETag", "\"f\"")], ""),
                aborted(),
                missing(),
                aborted(),
            ],
            failed(false, "somebody aborted it"),
        ),
        put(
            "parts that are too small for the service",
            PutParts,
            vec![small, aborted(), aborted()],
            lasting(Kind::Service, "EntityTooSmall"),
        ),
        put(
            "a condition that does not hold",
            PutPartsIfAbsent,
            vec![taken, aborted(), aborted()],
            lasting(Kind::PreconditionFailed, "PreconditionFailed"),
        ),
        put(
            "another write under way, after which the parts are to be sent anew",
            PutPartsIfAbsent,
            vec![conflict, aborted(), aborted()],
            once(Kind::PreconditionFailed, "ConditionalRequestConflict"),
        ),
        put(
            "an answer that is none",
            PutParts,
            vec![page, missing(), aborted(), missing(), aborted()],
            lasting(Kind::Service, "is no CompleteMultipartUploadResult"),
        ),
    ]
}
