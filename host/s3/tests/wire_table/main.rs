//! What a server can do to a client, row by row: the call, what the server does with each
//! request, how the call ends, and how many requests came.
//!
//! The client makes two tries. What a row does not script is answered with 599, so that a
//! request too many is seen.
#![allow(clippy::unwrap_used, clippy::format_collect, reason = "tests")]
#![allow(clippy::too_many_lines, reason = "tables")]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod connections;
mod markup;
mod parts;
mod reads;
mod redirects;

use std::time::{Duration, Instant};

use artifact_s3::{
    Body, ByteRange, DeleteOptions, GetOptions, HttpS3, ListOptions, Multipart, PutOptions,
    RetryPolicy, S3Client, S3Error, S3ErrorKind as Kind, WriteCondition,
};
use futures::stream;
use support::{Act, Server, bucket, key, nobody::Nobody, steps::Step};

/// Longest time without a byte. Rows that pause do so for a small part of it.
const IDLE: Duration = Duration::from_secs(4);

/// A body that no buffer between client and server holds.
const LARGE: usize = 16 << 20;

/// A body that goes in two parts, where it is to go in parts.
const PARTS: usize = (5 << 20) + 1;
const IN_PARTS: Multipart = Multipart { threshold: 5 << 20, part_size: 5 << 20, parallel: 1 };

struct Row {
    name: &'static str,
    call: Call,
    /// For each request; none where nobody listens.
    server: Option<Vec<Act>>,
    ends: Ends,
    requests: usize,
    /// Whether the call waits for a second, as the server asked.
    waits: bool,
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Get,
    /// Bytes 2 to 4.
    GetRange,
    GetTwice,
    Head,
    HeadTwice,
    Put,
    PutLarge,
    /// From a stream, of which nothing can be read again.
    PutStream,
    PutIfAbsent,
    PutParts,
    PutPartsIfAbsent,
    Delete,
    List,
    Copy,
}

#[derive(Debug, PartialEq)]
enum Ends {
    /// With these bytes, keys or whatever the call gives.
    Well(String),
    Badly {
        kind: Kind,
        retryable: bool,
        attempts: u32,
        says: &'static str,
    },
}

fn row(
    name: &'static str,
    call: Call,
    acts: impl IntoIterator<Item = Act>,
    ends: Ends,
    requests: usize,
) -> Row {
    let server = Some(acts.into_iter().collect());
    Row { name, call, server, ends, requests, waits: false }
}

fn well(gives: &str) -> Ends {
    Ends::Well(gives.to_owned())
}

/// After both tries, and worth another call later.
fn passing(kind: Kind, says: &'static str) -> Ends {
    Ends::Badly { kind, retryable: true, attempts: 2, says }
}

/// After one try, and for good.
fn lasting(kind: Kind, says: &'static str) -> Ends {
    Ends::Badly { kind, retryable: false, attempts: 1, says }
}

/// After one try, though another call may succeed.
fn once(kind: Kind, says: &'static str) -> Ends {
    Ends::Badly { kind, retryable: true, attempts: 1, says }
}

fn steps(steps: impl IntoIterator<Item = Step>) -> Act {
    Act::Steps(steps.into_iter().collect())
}

/// Reads the request, writes this, and closes.
fn raw(answer: impl Into<Vec<u8>>) -> Act {
    Act::AnswerAndClose(answer.into())
}

impl Call {
    async fn run(self, s3: &HttpS3) -> Result<String, S3Error> {
        let (bucket, key) = (&bucket(), &key("k"));
        let put = async |body: Body, options: &PutOptions| {
            let info = s3.put_object(bucket, key, body, options).await?;
            Ok(info.etag.unwrap_or_default())
        };
        let get = async |range| {
            let options = GetOptions { range, ..GetOptions::default() };
            let object = s3.get_object(bucket, key, &options).await?;
            let bytes = object.body.bytes().await.map_err(S3Error::from)?;
            Ok(String::from_utf8(bytes.to_vec()).unwrap())
        };
        let head = async || {
            let info = s3.head_object(bucket, key, &GetOptions::default()).await?;
            Ok(info.size.to_string())
        };
        let plain = PutOptions::default();
        let if_absent = PutOptions { condition: WriteCondition::IfAbsent, ..PutOptions::default() };
        match self {
            Self::Get => get(None).await,
            Self::GetRange => get(Some(ByteRange::Closed(2, 4))).await,
            Self::GetTwice => {
                let (first, second) = (get(None).await?, get(None).await?);
                Ok(format!("{first} {second}"))
            }
            Self::Head => head().await,
            Self::HeadTwice => {
                let (first, second) = (head().await?, head().await?);
                Ok(format!("{first} {second}"))
            }
            Self::Put => put("hello".into(), &plain).await,
            Self::PutLarge => put(vec![7; LARGE].into(), &plain).await,
            Self::PutStream => {
                let bytes = stream::iter([Ok("hello".into())]);
                put(Body::from_stream(bytes, Some(5)), &plain).await
            }
            Self::PutIfAbsent => put("hello".into(), &if_absent).await,
            Self::PutParts => put(vec![7; PARTS].into(), &plain).await,
            Self::PutPartsIfAbsent => put(vec![7; PARTS].into(), &if_absent).await,
            Self::Delete => {
                s3.delete_object(bucket, key, &DeleteOptions::default()).await?;
                Ok(String::new())
            }
            Self::List => {
                let listing = s3.list_objects(bucket, &ListOptions::default()).await?;
                let keys: Vec<_> = listing.objects.into_iter().map(|object| object.key).collect();
                Ok(keys.join(" "))
            }
            Self::Copy => {
                let copied = s3.copy_object(bucket, &support::key("from"), key, &plain).await?;
                Ok(copied.etag.unwrap_or_default())
            }
        }
    }
}

impl Row {
    /// Plays the row; what differs from it, if anything does.
    async fn play(self) -> Option<String> {
        let listens = self.server.is_some();
        let server = Server::start(self.server.unwrap_or_default()).await;
        let retry = RetryPolicy { max_attempts: 2, ..support::quick() };
        let mut client = server.builder().retry(retry).idle_timeout(IDLE);
        let nobody = Nobody::new();
        if !listens {
            client = client.endpoint(nobody.endpoint());
        }
        if matches!(self.call, Call::PutParts | Call::PutPartsIfAbsent) {
            client = client.multipart(IN_PARTS);
        }
        let s3 = client.build().await.unwrap();
        let began = Instant::now();
        // No row takes a third of it; more is a call that hangs.
        let ended = tokio::time::timeout(IDLE * 15, self.call.run(&s3)).await;
        let Ok(ended) = ended else {
            return Some(format!("{}: {:?} did not end", self.name, self.call));
        };
        let waited = began.elapsed();
        // What goes on after a call counts as well.
        s3.settle().await;
        let mut differs = Vec::new();
        match (&self.ends, &ended) {
            (Ends::Well(expected), Ok(given)) if expected == given => {}
            (Ends::Badly { kind, retryable, attempts, says }, Err(error))
                if (*kind, *retryable, *attempts)
                    == (error.kind(), error.is_retryable(), error.attempts())
                    && error.to_string().contains(says)
                    && error.operation().is_some() => {}
            _ => differs.push(format!("expected {:?}, and got {ended:?}", self.ends)),
        }
        let came = server.requests().len();
        if came != self.requests {
            differs.push(format!("expected {} requests, and {came} came", self.requests));
        }
        if self.waits && waited < Duration::from_secs(1) {
            differs.push(format!("waited for {waited:?} only"));
        }
        (!differs.is_empty())
            .then(|| format!("{} ({:?}): {}", self.name, self.call, differs.join("; ")))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_ends_as_it_says() {
    let rows = [
        connections::rows(),
        reads::rows(),
        answers::rows(),
        markup::rows(),
        parts::rows(),
        redirects::rows(),
    ];
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    let played = rows.len();
    let playing: Vec<_> = rows.into_iter().map(|row| tokio::spawn(row.play())).collect();
    let mut different = Vec::new();
    for row in playing {
        different.extend(row.await.unwrap());
    }
    assert!(
        different.is_empty(),
        "{} of {played} rows ended otherwise:\n{}",
        different.len(),
        different.join("\n")
    );
}
