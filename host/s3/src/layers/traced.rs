use std::{fmt, time::Instant};

use futures::{TryStreamExt, stream};
use metrics::{Counter, Label, SharedString};
use tracing::{Instrument, Span, field::Empty};

use super::{Answer, Attempt, Call, Layer};
use crate::{Body, ByteStream, Operation, S3Client, S3Error, S3ErrorKind};

/// Tells `tracing` and `metrics` of each call, in the names of OpenTelemetry.
///
/// A call lasts until its answer is there, and a get until its body was read to the
/// end, broke, or was dropped.
///
/// Each call is a span of the level `INFO`, with what the [conventions for S3][s3]
/// name: `rpc.system`, `rpc.service`, `rpc.method`, `aws.s3.bucket`, `aws.s3.key` and
/// `aws.s3.copy_source`; where it failed, `error.type` (the
/// [`S3ErrorKind`], such as `NoSuchKey`), and `http.response.status_code` and
/// `aws.request_id` where the service answered. `otel.name`, `otel.kind` and
/// `otel.status_code` are for `tracing-opentelemetry`. A read that was answered
/// [`NotModified`](S3ErrorKind::NotModified) did not fail.
///
/// | metric | kind, unit | labels |
/// |---|---|---|
/// | `rpc.client.call.duration` | histogram, seconds | `rpc.system.name`, `rpc.method`, `error.type` |
/// | `s3.client.active_calls` | gauge | `rpc.method` |
/// | `s3.client.received` | counter, bytes of gets' bodies as they pass | |
/// | `s3.client.sent` | counter, bytes of puts that succeeded | |
///
/// The first is as the [conventions for RPC metrics][rpc] have it; a call that was
/// dropped before its answer has the `error.type` `Cancelled`. No label holds a bucket
/// or a key.
///
/// Where nobody listens, a call costs a few small allocations.
///
/// [s3]: https://opentelemetry.io/docs/specs/semconv/object-stores/s3/
/// [rpc]: https://opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics/
#[derive(Debug)]
pub struct Traced<C> {
    client: C,
}

impl<C> Traced<C> {
    /// Tells of the calls of this client.
    pub fn new(client: C) -> Self {
        describe();
        Self { client }
    }
}

const DURATION: &str = "rpc.client.call.duration";
const ACTIVE: &str = "s3.client.active_calls";
const RECEIVED: &str = "s3.client.received";
const SENT: &str = "s3.client.sent";

fn describe() {
    use metrics::Unit;
    metrics::describe_histogram!(DURATION, Unit::Seconds, "How long calls of S3 took");
    metrics::describe_gauge!(ACTIVE, "Calls of S3 that are under way");
    metrics::describe_counter!(RECEIVED, Unit::Bytes, "What was read from S3");
    metrics::describe_counter!(SENT, Unit::Bytes, "What was stored in S3");
}

impl<C: S3Client> Layer for Traced<C> {
    type Client = C;

    fn client(&self) -> &C {
        &self.client
    }

    async fn around<T: Answer>(
        &self,
        call: Call<'_>,
        body: Body,
        attempt: &Attempt<'_, T>,
    ) -> Result<T, S3Error> {
        let mut record = Record::begin(call);
        match attempt(body).instrument(record.span.clone()).await {
            Ok(answer) => {
                record.outcome = Outcome::Success;
                if let (Operation::PutObject, Some(info)) = (call.operation, answer.info()) {
                    metrics::counter!(SENT).increment(info.size);
                }
                Ok(answer.map_body(|body| record.follow(body)))
            }
            Err(error) => {
                record.failed(&error);
                Err(error)
            }
        }
    }
}

/// One call. What it came to is told when this is dropped.
struct Record {
    span: Span,
    method: SharedString,
    began: Instant,
    outcome: Outcome,
}

enum Outcome {
    /// There was no answer yet.
    Cancelled,
    Success,
    Failure(S3ErrorKind),
}

impl Record {
    fn begin(call: Call<'_>) -> Self {
        let span = tracing::info_span!(
            "S3",
            otel.name = %format_args!("S3.{}", call.operation),
            otel.kind = "client",
            otel.status_code = Empty,
            otel.status_description = Empty,
            rpc.system = "aws-api",
            rpc.service = "S3",
            rpc.method = %call.operation,
            aws.s3.bucket = %call.bucket,
            aws.s3.key = call.key.map(tracing::field::display),
            aws.s3.copy_source = call.source.map(|key| format!("{}/{key}", call.bucket)),
            aws.request_id = Empty,
            http.response.status_code = Empty,
            "error.type" = Empty,
        );
        // The conventions for metrics want the service in the method's name.
        let method = SharedString::from(format!("S3/{}", call.operation));
        metrics::gauge!(ACTIVE, "rpc.method" => method.clone()).increment(1.0);
        Self { span, method, began: Instant::now(), outcome: Outcome::Cancelled }
    }

    fn failed(&mut self, error: &S3Error) {
        self.outcome = match error.kind() {
            S3ErrorKind::NotModified => Outcome::Success,
            kind => Outcome::Failure(kind),
        };
        if self.span.is_disabled() {
            return;
        }
        if let Some(status) = error.status() {
            self.span.record("http.response.status_code", status);
        }
        if let Some(id) = error.request_id() {
            self.span.record("aws.request_id", id);
        }
        if let Outcome::Failure(_) = self.outcome {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("otel.status_description", error.to_string());
        }
    }

    /// Counts the bytes of a body, and ends with it.
    fn follow(self, body: Body) -> Body {
        body.by_way_of(|bytes| {
            let followed = Followed { bytes, record: self, received: metrics::counter!(RECEIVED) };
            stream::try_unfold(followed, |mut followed| async move {
                match followed.bytes.try_next().instrument(followed.record.span.clone()).await {
                    Ok(None) => Ok(None),
                    Ok(Some(chunk)) => {
                        followed.received.increment(chunk.len() as u64);
                        Ok(Some((chunk, followed)))
                    }
                    Err(error) => {
                        let error = S3Error::from(error);
                        followed.record.failed(&error);
                        Err(error.into())
                    }
                }
            })
        })
    }
}

struct Followed {
    bytes: ByteStream,
    record: Record,
    received: Counter,
}

impl Drop for Record {
    fn drop(&mut self) {
        let error = match self.outcome {
            Outcome::Success => None,
            Outcome::Cancelled => Some("Cancelled".to_owned()),
            Outcome::Failure(kind) => Some(format!("{kind:?}")),
        };
        metrics::gauge!(ACTIVE, "rpc.method" => self.method.clone()).decrement(1.0);
        let mut labels = vec![
            Label::new("rpc.system.name", "aws-api"),
            Label::new("rpc.method", self.method.clone()),
        ];
        if let Some(error) = error {
            self.span.record("error.type", error.as_str());
            labels.push(Label::new("error.type", error));
        }
        metrics::histogram!(DURATION, labels).record(self.began.elapsed());
    }
}

impl<C: fmt::Display> fmt::Display for Traced<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Traced({})", self.client)
    }
}
