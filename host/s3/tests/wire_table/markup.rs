//! XML that is an error in a success, malformed, giant, deep, or full of entities.

use super::{
    Call::{Copy, Delete, Get, Head, List, Put, PutIfAbsent},
    Ends, Kind, Row, lasting, passing, raw, row, well,
};
use crate::support::{Act, answer, ok, response};

const COPIED: &str = "<CopyObjectResult><ETag>\"c\"</ETag></CopyObjectResult>";

fn xml(body: &str) -> Act {
    answer("200 OK", &[("Content-Type", "application/xml")], body)
}

fn refusal(body: &str) -> Act {
    answer("403 Forbidden", &[], body)
}

fn error(code: &str) -> String {
    format!("<?xml version=\"1.0\"?>\n\n<Error><Code>{code}</Code><Message>m</Message></Error>")
}

fn listed(key: &str) -> String {
    format!("<ListBucketResult><Contents><Key>{key}</Key></Contents></ListBucketResult>")
}

/// The head of an answer without its body, as HEAD has it.
fn described() -> Act {
    let mut head = response("200 OK", &[("ETag", "\"e\"")], b"12345");
    head.truncate(head.len() - 5);
    Act::Answer(head)
}

pub(crate) fn rows() -> Vec<Row> {
    successes().into_iter().chain(listings()).chain(errors()).collect()
}

/// 200, and `<Error>` in the body.
fn successes() -> Vec<Row> {
    let busy = || xml(&error("SlowDown"));
    let broken = || xml(&error("InternalError"));
    let denied = || xml(&error("AccessDenied"));
    vec![
        row(
            "an error in the answer to a copy",
            Copy,
            [described(), busy(), xml(COPIED)],
            well("c"),
            3,
        ),
        row(
            "an error in the answer to a copy, twice",
            Copy,
            [described(), broken(), broken()],
            passing(Kind::Service, "InternalError"),
            3,
        ),
        row(
            "an error in the answer to a copy that does not pass",
            Copy,
            [described(), denied()],
            lasting(Kind::AccessDenied, "AccessDenied"),
            2,
        ),
        row("an error in the answer to a put", Put, [busy(), ok()], well(""), 2),
        row(
            "an error in the answer to a delete",
            Delete,
            [denied()],
            lasting(Kind::AccessDenied, "AccessDenied"),
            1,
        ),
        row(
            "an error in the answer to a conditional put, which may have happened",
            PutIfAbsent,
            [broken()],
            lasting(Kind::Service, "InternalError"),
            1,
        ),
        row(
            "an error instead of a listing",
            List,
            [busy(), busy()],
            passing(Kind::Throttled, "SlowDown"),
            2,
        ),
        row(
            "an object that is an error's XML",
            Get,
            [xml("<Error><Code>SlowDown</Code></Error>")],
            well("<Error><Code>SlowDown</Code></Error>"),
            1,
        ),
        row(
            "a copy that ends without a result",
            Copy,
            [described(), xml("")],
            lasting(Kind::Service, "is no CopyObjectResult"),
            2,
        ),
    ]
}

fn listings() -> Vec<Row> {
    let none = || lasting(Kind::Service, "is no ListBucketResult");
    let list = |name, body: &str, ends| row(name, List, [xml(body)], ends, 1);
    let unclosed = format!("HTTP/1.1 200 OK\r\n\r\n{}", &listed("k")[..40]);
    let cut = || raw(&response("200 OK", &[], listed("k").as_bytes())[..60]);
    let laughs: String = (1..=9)
        .map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10)))
        .collect();
    let laughs = format!("<!DOCTYPE l [<!ENTITY l0 \"lol\">{laughs}]>{}", listed("&l9;"));
    let file = "<!DOCTYPE l [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>";
    vec![
        list("a listing of no bytes", "", none()),
        list("a page instead of a listing", "<!doctype html><html>Welcome</html>", none()),
        list("another root", COPIED, none()),
        list("a listing that is not closed", "<ListBucketResult><Contents>", none()),
        list("a listing that closes what is not open", "<ListBucketResult></Contents>", none()),
        list(
            "a size that is none",
            "<ListBucketResult><Contents><Size>-1</Size></Contents></ListBucketResult>",
            none(),
        ),
        list(
            "a size of more than a number holds",
            "<ListBucketResult><Contents><Size>99999999999999999999</Size></Contents></ListBucketResult>",
            none(),
        ),
        list(
            "two keys of one object",
            "<ListBucketResult><Contents><Key>a</Key><Key>b</Key></Contents></ListBucketResult>",
            none(),
        ),
        list(
            "a flag that is none",
            "<ListBucketResult><IsTruncated>perhaps</IsTruncated></ListBucketResult>",
            none(),
        ),
        list(
            "text where objects are",
            "<ListBucketResult>text<Contents><Key>k</Key></Contents></ListBucketResult>",
            well("k"),
        ),
        list(
            "elements that nobody knows",
            &listed("k</Key><New><Deep a=\"1\"/></New><Key2>x</Key2><Key3>")
                .replace("<Key3></Key>", ""),
            well("k"),
        ),
        list(
            "a listing that goes on without saying how",
            "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
            lasting(Kind::Service, "goes on"),
        ),
        list(
            "a listing of 17 MiB",
            &format!("<ListBucketResult>{}", " ".repeat(17 << 20)),
            lasting(Kind::Service, "longer than 16777216 bytes"),
        ),
        list(
            "a listing a million elements deep",
            &format!("<ListBucketResult>{}", "<a>".repeat(1 << 20)),
            none(),
        ),
        list(
            "a million elements deep, and closed",
            &format!(
                "<ListBucketResult>{}{}</ListBucketResult>",
                "<a>".repeat(1 << 20),
                "</a>".repeat(1 << 20)
            ),
            well(""),
        ),
        list(
            "the five entities of XML",
            &listed("&lt;&gt;&amp;&apos;&quot;&#107;&#x6b;"),
            well("<>&'\"kk"),
        ),
        list("entities of entities of entities", &laughs, none()),
        list("an entity that is a file", &format!("{file}{}", listed("&f;")), none()),
        list("an entity that nobody declared", &listed("&who;"), none()),
        list("a character that is none", &listed("&#x110000;"), none()),
        row("a listing that ends early, without a length", List, [raw(unclosed)], none(), 1),
        row("a listing that is cut short", List, [cut(), xml(&listed("k"))], well("k"), 2),
        row(
            "a listing that is cut short, twice",
            List,
            [cut(), cut()],
            passing(Kind::Unreachable, "broke off"),
            2,
        ),
    ]
}

fn errors() -> Vec<Row> {
    let denied = |says| lasting(Kind::AccessDenied, says);
    let get = |name, body: &str, says| row(name, Get, [refusal(body)], denied(says), 1);
    let giant = format!("<Error><Code>{}</Code></Error>", "x".repeat(1 << 20));
    let file = "<!DOCTYPE e [<!ENTITY f SYSTEM \"file:///etc/passwd\">]><Error><Code>C</Code>\
                <Message>&f;</Message></Error>";
    let bare = "the service refused the call (HTTP 403)";
    vec![
        get("an error that is not closed", "<Error><Code>NoSuchKey</Code>", bare),
        get("an error of 1 MiB", &giant, bare),
        get("an error whose message is a file", file, bare),
        get("an error with two codes", "<Error><Code>A</Code><Code>B</Code></Error>", bare),
        get(
            "an error with what it was about",
            "<Error><Code>C</Code><Message>m</Message><Resource>/b/k</Resource><Detail><Code>D</Code></Detail></Error>",
            "m (HTTP 403, C)",
        ),
        get(
            "an error in a namespace",
            "<s:Error xmlns:s=\"urn:s\"><s:Code>C</s:Code></s:Error>",
            "(HTTP 403, C)",
        ),
        get(
            "an error after a byte order mark",
            "\u{feff}<Error><Code>C</Code></Error>",
            "(HTTP 403, C)",
        ),
        get("an error in CDATA", "<Error><Code><![CDATA[C]]></Code></Error>", "(HTTP 403, C)"),
        get(
            "an error with escape codes",
            "<Error><Code>C</Code><Message>a\u{1b}[31m\nb</Message></Error>",
            "a[31m b (HTTP 403, C)",
        ),
        get("JSON", "{\"code\": \"AccessDenied\"}", bare),
        row(
            "an error that is no text",
            Get,
            [Act::Answer(response("403 Forbidden", &[], b"<Error><Code>\xff\xfe</Code></Error>"))],
            denied("HTTP 403"),
            1,
        ),
        row("a bare error to HEAD", Head, [answer("403 Forbidden", &[], "")], denied(bare), 1),
        row(
            "an error that is cut short",
            Get,
            [
                raw(&response("503 Slow Down", &[], error("SlowDown").as_bytes())[..60]),
                answer("200 OK", &[], "hello"),
            ],
            well("hello"),
            2,
        ),
        row(
            "a refusal that is cut short",
            Get,
            [
                raw(&response("404 Not Found", &[], error("NoSuchBucket").as_bytes())[..60]),
                Act::Answer(response("404 Not Found", &[], error("NoSuchBucket").as_bytes())),
            ],
            Ends::Badly {
                kind: Kind::NoSuchBucket,
                retryable: false,
                attempts: 2,
                says: "NoSuchBucket",
            },
            2,
        ),
    ]
}
