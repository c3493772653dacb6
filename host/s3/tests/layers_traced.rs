//! What the layer `Traced` tells of a call.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use artifact_s3::{
    Bucket, GetOptions, MemoryS3, ObjectKey, PutOptions, S3Client, S3Error, S3ErrorKind,
    layers::{Fault, Faults, ReadCache, Traced},
};
use futures::TryStreamExt;
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use tracing::{
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{Layer, layer::Context, prelude::*, registry::LookupSpan};

fn names() -> (Bucket, ObjectKey) {
    (Bucket::parse("test-bucket").unwrap(), ObjectKey::parse("a").unwrap())
}

/// Keeps metrics by name and labels: sums, and for histograms how many values.
#[derive(Clone, Default)]
struct Metrics(Arc<Mutex<BTreeMap<String, i64>>>);

struct Cell(Metrics, String);

impl Metrics {
    fn cell(&self, key: &Key) -> Arc<Cell> {
        let mut labels: Vec<String> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        labels.sort();
        Arc::new(Cell(self.clone(), format!("{} {}", key.name(), labels.join(" "))))
    }

    fn get(&self, name: &str) -> i64 {
        let all = self.0.lock().unwrap();
        assert!(all.contains_key(name), "{name} is not among {all:?}");
        all[name]
    }
}

impl Cell {
    fn add(&self, value: i64) {
        *self.0.0.lock().unwrap().entry(self.1.clone()).or_default() += value;
    }
}

impl CounterFn for Cell {
    fn increment(&self, value: u64) {
        self.add(value.try_into().unwrap());
    }
    fn absolute(&self, _: u64) {
        unreachable!("nothing here sets a counter");
    }
}

impl GaugeFn for Cell {
    fn increment(&self, value: f64) {
        assert!((0.9..1.1).contains(&value), "one by one");
        self.add(1);
    }
    fn decrement(&self, value: f64) {
        assert!((0.9..1.1).contains(&value), "one by one");
        self.add(-1);
    }
    fn set(&self, _: f64) {
        unreachable!("nothing here sets a gauge");
    }
}

impl HistogramFn for Cell {
    fn record(&self, value: f64) {
        assert!((0.0..60.0).contains(&value), "seconds: {value}");
        self.add(1);
    }
}

impl Recorder for Metrics {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.cell(key))
    }
}

/// Keeps the fields of each span that was closed.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<Fields>>>);

#[derive(Clone, Debug, Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(
        &self,
        attributes: &span::Attributes<'_>,
        id: &span::Id,
        context: Context<'_, S>,
    ) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).unwrap().extensions_mut().insert(fields);
    }
    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        values.record(span.extensions_mut().get_mut::<Fields>().unwrap());
    }
    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        let fields = context.span(&id).unwrap().extensions_mut().remove::<Fields>().unwrap();
        self.0.lock().unwrap().push(fields);
    }
}

impl Spans {
    fn closed(&self) -> Vec<Fields> {
        self.0.lock().unwrap().clone()
    }
}

/// Runs `test` with both listening. Recorders are of the thread, and so is the runtime.
fn listening<F: Future<Output = ()>>(test: impl FnOnce(Spans, Metrics) -> F) {
    let (spans, metrics) = (Spans::default(), Metrics::default());
    let _tracing = tracing_subscriber::registry().with(spans.clone()).set_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&metrics.clone(), || runtime.block_on(test(spans, metrics)));
}

const PUT: &str = "rpc.method=S3/PutObject";
const GET: &str = "rpc.method=S3/GetObject";

fn duration(method: &str, error: Option<&str>) -> String {
    let error = error.map(|error| format!("error.type={error} ")).unwrap_or_default();
    format!("rpc.client.call.duration {error}{method} rpc.system.name=aws-api")
}

#[test]
fn a_call_is_a_span_and_a_duration() {
    listening(async |spans, metrics| {
        let s3 = Traced::new(MemoryS3::new());
        let (bucket, key) = names();
        s3.put_object(&bucket, &key, "abc".into(), &PutOptions::default()).await.unwrap();
        let copy = ObjectKey::parse("b").unwrap();
        s3.copy_object(&bucket, &key, &copy, &PutOptions::default()).await.unwrap();

        let closed = spans.closed();
        for (name, value) in [
            ("otel.name", "S3.PutObject"),
            ("otel.kind", "client"),
            ("rpc.system", "aws-api"),
            ("rpc.service", "S3"),
            ("rpc.method", "PutObject"),
            ("aws.s3.bucket", "test-bucket"),
            ("aws.s3.key", "a"),
        ] {
            assert_eq!(closed[0].get(name), Some(value), "{name}");
        }
        for name in ["error.type", "otel.status_code", "aws.request_id", "aws.s3.copy_source"] {
            assert_eq!(closed[0].get(name), None, "{name}");
        }
        assert_eq!(closed[1].get("aws.s3.copy_source"), Some("test-bucket/a"));
        assert_eq!(closed[1].get("aws.s3.key"), Some("b"));
        let all = metrics.0.lock().unwrap().clone();
        assert!(all.keys().all(|name| !name.contains("bucket")), "{all:?}");
        drop(all);
        assert_eq!(metrics.get(&duration(PUT, None)), 1);
        assert_eq!(metrics.get(&format!("s3.client.active_calls {PUT}")), 0);
        assert_eq!(metrics.get("s3.client.sent "), 3);
    });
}

#[test]
fn a_failure_says_what_the_service_answered() {
    listening(async |spans, metrics| {
        let s3 = Traced::new(MemoryS3::new());
        let (bucket, key) = names();
        let missing = s3.get_object(&bucket, &key, &GetOptions::default()).await.unwrap_err();
        let span = &spans.closed()[0];
        assert_eq!(span.get("error.type"), Some("NoSuchKey"));
        assert_eq!(span.get("http.response.status_code"), Some("404"));
        assert_eq!(span.get("aws.request_id"), missing.request_id());
        assert_eq!(span.get("otel.status_code"), Some("ERROR"));
        assert_eq!(span.get("otel.status_description"), Some(&*missing.to_string()));
        assert_eq!(metrics.get(&duration(GET, Some("NoSuchKey"))), 1);

        // A copy that is current is what the caller hoped for.
        let info =
            s3.put_object(&bucket, &key, "abc".into(), &PutOptions::default()).await.unwrap();
        let current = GetOptions { if_none_match: info.etag, ..Default::default() };
        assert!(s3.get_object(&bucket, &key, &current).await.is_err());
        let span = &spans.closed()[2];
        assert_eq!(span.get("http.response.status_code"), Some("304"));
        assert_eq!((span.get("error.type"), span.get("otel.status_code")), (None, None));
        assert_eq!(metrics.get(&duration(GET, None)), 1);
    });
}

#[test]
fn a_get_lasts_as_long_as_its_body_and_its_bytes_count_as_they_pass() {
    listening(async |spans, metrics| {
        let (bucket, key) = names();
        let memory = MemoryS3::new();
        let body = artifact_s3::Body::from_chunks(["ab", "cde"]);
        memory.put_object(&bucket, &key, body, &PutOptions::default()).await.unwrap();
        let s3 = Traced::new(Faults::new(
            |_, _| {
                let error = S3Error::new(S3ErrorKind::Integrity, "a bit flipped");
                Some(Fault::BreakBody { after: 4, error })
            },
            memory.clone(),
        ));
        let active = format!("s3.client.active_calls {GET}");

        let object = s3.get_object(&bucket, &key, &GetOptions::default()).await.unwrap();
        assert_eq!(object.body.length(), Some(5));
        assert_eq!((spans.closed().len(), metrics.get(&active)), (0, 1));
        let failed = S3Error::from(object.body.bytes().await.unwrap_err());
        assert_eq!(failed.kind(), S3ErrorKind::Integrity);
        assert_eq!(spans.closed()[0].get("error.type"), Some("Integrity"));
        assert_eq!(metrics.get("s3.client.received "), 4);
        assert_eq!(metrics.get(&duration(GET, Some("Integrity"))), 1);

        let s3 = Traced::new(memory);
        let mut read =
            s3.get_object(&bucket, &key, &GetOptions::default()).await.unwrap().body.into_stream();
        while read.try_next().await.unwrap().is_some() {}
        assert_eq!(metrics.get("s3.client.received "), 9);
        // The span ends with the bytes, and does not wait for the stream to be dropped.
        assert_eq!((spans.closed().len(), metrics.get(&active)), (2, 0));

        drop(s3.get_object(&bucket, &key, &GetOptions::default()).await.unwrap());
        assert_eq!((spans.closed().len(), metrics.get(&active)), (3, 0));
        assert_eq!(spans.closed()[2].get("error.type"), None);
    });
}

#[test]
fn a_call_that_was_dropped_is_told_as_cancelled() {
    listening(async |spans, metrics| {
        let forever = |_, _: &str| Some(Fault::Delay(std::time::Duration::MAX));
        let s3 = Traced::new(Faults::new(forever, MemoryS3::new()));
        let (bucket, key) = names();
        let options = PutOptions::default();
        let mut put = s3.put_object(&bucket, &key, "abc".into(), &options);
        assert!(futures::poll!(&mut put).is_pending());
        assert_eq!(metrics.get(&format!("s3.client.active_calls {PUT}")), 1);
        drop(put);
        assert_eq!(spans.closed()[0].get("error.type"), Some("Cancelled"));
        assert_eq!(metrics.get(&duration(PUT, Some("Cancelled"))), 1);
        assert_eq!(metrics.get(&format!("s3.client.active_calls {PUT}")), 0);
    });
}

#[test]
fn a_read_cache_counts_hits_and_misses() {
    listening(async |_, metrics| {
        let folder = tempfile::tempdir().unwrap();
        let s3 = ReadCache::open(folder.path(), 1 << 20, MemoryS3::new()).await.unwrap();
        let (bucket, key) = names();
        s3.put_object(&bucket, &key, "abc".into(), &PutOptions::default()).await.unwrap();
        for _ in 0..3 {
            let object = s3.get_object(&bucket, &key, &GetOptions::default()).await.unwrap();
            object.body.bytes().await.unwrap();
        }
        assert_eq!(metrics.get("s3.client.read_cache result=miss"), 1);
        assert_eq!(metrics.get("s3.client.read_cache result=hit"), 2);
    });
}

#[test]
fn display_shows_what_is_inside() {
    assert_eq!(Traced::new(MemoryS3::new()).to_string(), "Traced(MemoryS3)");
}
