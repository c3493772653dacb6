//! What a log says of a call: operation, key, bytes, outcome, and no more.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    io,
    sync::{Arc, Mutex},
};

use artifact_s3::MemoryS3;
use artifact_store::ArtifactStore;
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn each_call_is_a_span_with_operation_key_bytes_and_outcome() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let builder = ArtifactStore::builder().bucket("bucket").name("logged").client(MemoryS3::new());
    let store = builder.start().await.unwrap();
    store.put("patch", "the secret body").await.unwrap();
    store.get("patch").await.unwrap().bytes().await.unwrap();
    store.get("nope").await.unwrap_err();

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for span in [
        r#"store="logged" operation="put" key="patch" bytes=15 outcome="ok""#,
        r#"store="logged" operation="get" key="patch" outcome="ok" bytes=15"#,
        r#"store="logged" operation="get" key="nope" outcome="not-found""#,
    ] {
        assert!(log.contains(span), "no {span} in:\n{log}");
    }
    assert!(!log.contains("secret body"), "{log}");
}
