//! The policy `audit`, and its records as the host's log has them.

use std::{
    io,
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

use artifact_store::GetOptions;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::*;

/// The records of all policies, in memory: a subscriber for each test would miss some,
/// where another test's thread meets the place first that writes them.
static RECORDS: LazyLock<Records> = LazyLock::new(|| {
    let records = Records::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .without_time()
        .with_env_filter(EnvFilter::new("artifact_store::policy_log=debug"))
        .with_writer(records.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    tracing::callsite::rebuild_interest_cache();
    records
});

#[derive(Clone, Default)]
struct Records(Arc<Mutex<Vec<u8>>>);

impl Records {
    /// Those of the policy with this name: level, fields, and how many came too often.
    fn of(&self, name: &str) -> Vec<(String, u64)> {
        let start = format!(
            " artifact_store::policy_log: artifact call component=the policy {name:?} fields="
        );
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let text = String::from_utf8(bytes).unwrap();
        let record = |line: &str| {
            let (level, rest) = line.trim_start().split_once(&start)?;
            let (fields, suppressed) = rest.split_once(" suppressed=").unwrap();
            Some(([level, fields].join(" "), suppressed.parse().unwrap()))
        };
        text.lines().filter_map(record).collect()
    }

    /// Those of the policy with this name, none of which came too often.
    fn all_of(&self, name: &str) -> Vec<String> {
        let told = |(record, suppressed)| {
            assert_eq!(suppressed, 0, "{record}");
            record
        };
        self.of(name).into_iter().map(told).collect()
    }
}

impl io::Write for Records {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Records {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A policy whose records are told by its name from those of the other tests.
fn audit(name: &str) -> Policy {
    LazyLock::force(&RECORDS);
    Policy::audit().name(name)
}

#[tokio::test]
async fn passes_the_whole_contract_of_stores() {
    for case in CASES {
        let store = over(&bucket(), [Policy::audit()]).await;
        tokio::spawn(async move { case.run(&store).await })
            .await
            .unwrap()
            .unwrap_or_else(|error| panic!("{}: {error:?}", case.name));
    }
}

#[tokio::test]
async fn writes_one_record_of_each_call_and_nothing_that_is_nobodys_business() {
    let store = over(&bucket(), [audit("each")]).await;
    let options = PutOptions {
        metadata: vec![("token".to_owned(), "secret value".to_owned())],
        ..Default::default()
    };
    let etag = store.put_with("a/k", "secret body", &options).await.unwrap().etag.unwrap();
    store.get("a/k").await.unwrap().bytes().await.unwrap();
    store.head("a/k").await.unwrap();
    store.list("a/").await.unwrap();
    store.delete("a/k").await.unwrap();
    let records = RECORDS.all_of("each");
    let of_object =
        |call| format!(r#"INFO operation="{call}" key="a/k" outcome="ok" size="11" etag="{etag}""#);
    assert_eq!(
        records,
        [
            of_object("put"),
            of_object("get"),
            of_object("head"),
            r#"INFO operation="list" key="a/" outcome="ok" entries="1""#.to_owned(),
            r#"INFO operation="delete" key="a/k" outcome="ok""#.to_owned(),
        ]
    );
    assert!(!records.concat().contains("secret"));
}

#[tokio::test]
async fn writes_of_a_failure_what_the_service_said_of_it() {
    // No such bucket.
    let s3 = Arc::new(MemoryS3::with_buckets(["another"]).unwrap());
    let store = over(&s3, [audit("failure")]).await;
    let error = store.put("k", "abc").await.unwrap_err();
    assert_eq!(error.to_string(), "failed to put artifact k: the bucket does not exist");
    assert_eq!((error.kind(), error.blame()), (ErrorKind::StorageError, Blame::Storage));
    let request = error.s3().unwrap().request_id().unwrap();
    assert_eq!(
        RECORDS.all_of("failure"),
        [[
            r#"WARN operation="put" key="k" outcome="storage-error" size="3" s3-status="404""#,
            &format!(r#"s3-code="NoSuchBucket" s3-request-id="{request}""#),
        ]
        .join(" ")]
    );
}

#[tokio::test]
async fn alarms_nobody_of_answers_that_a_caller_reckons_with() {
    let store = over(&bucket(), [audit("expected")]).await;
    let error = store.get("nope").await.unwrap_err();
    assert_eq!(error.to_string(), "artifact not found: nope");
    assert_eq!((error.kind(), error.blame()), (ErrorKind::NotFound, Blame::Caller));
    let etag = store.put("k", once(["abc"])).await.unwrap().etag;
    let options = GetOptions { if_none_match: etag, ..Default::default() };
    store.get_with("k", &options).await.unwrap_err();
    let records = RECORDS.all_of("expected");
    assert_eq!(records.len(), 3, "{records:#?}");
    assert!(records[0].starts_with(r#"INFO operation="get" key="nope" outcome="not-found" "#));
    assert!(records[1].starts_with(r#"INFO operation="put" key="k" outcome="ok" size="3" "#));
    assert!(records[2].starts_with(r#"INFO operation="get" key="k" outcome="not-modified" "#));
}

#[tokio::test]
async fn sees_what_the_policies_behind_it_refuse() {
    let store = over(&bucket(), [audit("refusal"), read_only()]).await;
    let delete = store.delete("k").await;
    assert_denied(delete, "the store is read-only: delete of k is refused");
    let refused = r#"WARN operation="delete" key="k" outcome="policy-denied""#;
    assert_eq!(RECORDS.all_of("refusal"), [refused]);
}

#[tokio::test]
async fn counts_the_records_that_come_too_often() {
    let policy = audit("often").grant(PolicyGrant::all().log(1));
    let store = over(&bucket(), [policy]).await;
    let suppressed = || RECORDS.of("often").iter().map(|(_, suppressed)| suppressed).sum::<u64>();
    // Calls come many times in a second, until a record tells of those that were not written.
    let mut calls = 0;
    while suppressed() == 0 {
        store.head("k").await.unwrap_err();
        calls += 1;
        assert!(calls < 10_000, "none is counted");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let records = RECORDS.of("often");
    assert_eq!(records.len() as u64 + suppressed(), calls, "{records:#?}");
}

#[tokio::test]
async fn needs_the_log_to_be_granted() {
    for grant in [PolicyGrant::all().digest(true).clock(true), PolicyGrant::all().log(0)] {
        assert_import_not_granted(
            Policy::audit().grant(grant),
            "audit",
            "agent:artifacts/log",
            "`PolicyGrant::log(10)`, or `log-per-second = 10` in artifacts.toml",
        )
        .await;
    }
}
