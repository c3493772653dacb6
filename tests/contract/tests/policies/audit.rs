//! The policy `audit`, and its records as the host's log has them.

use std::{io, sync::Mutex, time::Duration};

use artifact_store::GetOptions;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::*;

/// The records of policies on this thread, in memory.
#[derive(Clone, Default)]
struct Records(Arc<Mutex<Vec<u8>>>);

impl Records {
    fn collect() -> (Self, DefaultGuard) {
        let records = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .without_time()
            .with_env_filter(EnvFilter::new("artifact_store::policy_log=debug"))
            .with_writer(records.clone())
            .finish();
        (records, tracing::subscriber::set_default(subscriber))
    }

    /// Level and fields of each, once it is seen that nothing came too often.
    fn take(&self) -> Vec<String> {
        const START: &str = " artifact_store::policy_log: artifact call \
                             component=the policy \"audit\" fields=";
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        text.lines()
            .map(|line| {
                let (level, rest) = line.trim_start().split_once(START).unwrap();
                [level, rest.strip_suffix(" suppressed=0").unwrap()].join(" ")
            })
            .collect()
    }
}

impl io::Write for Records {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
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
    let (records, _guard) = Records::collect();
    let store = over(&bucket(), [Policy::audit()]).await;
    let options = PutOptions {
        metadata: vec![("token".to_owned(), "secret value".to_owned())],
        ..Default::default()
    };
    let etag = store.put_with("a/k", "secret body", &options).await.unwrap().etag.unwrap();
    store.get("a/k").await.unwrap().bytes().await.unwrap();
    store.head("a/k").await.unwrap();
    store.list("a/").await.unwrap();
    store.delete("a/k").await.unwrap();
    let records = records.take();
    assert_eq!(
        records,
        [
            format!(r#"INFO operation="put" key="a/k" outcome="ok" size="11" etag="{etag}""#),
            format!(r#"INFO operation="get" key="a/k" outcome="ok" size="11" etag="{etag}""#),
            format!(r#"INFO operation="head" key="a/k" outcome="ok" size="11" etag="{etag}""#),
            r#"INFO operation="list" key="a/" outcome="ok" entries="1""#.to_owned(),
            r#"INFO operation="delete" key="a/k" outcome="ok""#.to_owned(),
        ]
    );
    assert!(!records.concat().contains("secret"));
}

#[tokio::test]
async fn writes_of_a_failure_what_the_service_said_of_it() {
    let (records, _guard) = Records::collect();
    let store = over(&bucket(), [Policy::audit()]).await;
    let error = store.get("nope").await.unwrap_err();
    assert_eq!(error.to_string(), "artifact not found: nope");
    assert_eq!((error.kind(), error.blame()), (ErrorKind::NotFound, Blame::Caller));
    let request = error.s3().unwrap().request_id().unwrap();
    assert_eq!(
        records.take(),
        [format!(
            r#"INFO operation="get" key="nope" outcome="not-found" s3-status="404" s3-code="NoSuchKey" s3-request-id="{request}""#
        )]
    );

    let etag = store.put("k", "v").await.unwrap().etag;
    records.take();
    let options = GetOptions { if_none_match: etag, ..Default::default() };
    store.get_with("k", &options).await.unwrap_err();
    let unchanged = records.take().concat();
    assert!(unchanged.starts_with(r#"INFO operation="get" key="k" outcome="not-modified""#));

    // No such bucket.
    let s3 = Arc::new(MemoryS3::with_buckets(["another"]).unwrap());
    let store = over(&s3, [Policy::audit()]).await;
    let error = store.put("k", once(["abc"])).await.unwrap_err();
    assert_eq!(error.blame(), Blame::Storage);
    let request = error.s3().unwrap().request_id().unwrap();
    store.put("k", "abc").await.unwrap_err();
    let both = records.take();
    assert_eq!(
        both[0],
        format!(
            r#"WARN operation="put" key="k" outcome="storage-error" s3-status="404" s3-code="NoSuchBucket" s3-request-id="{request}""#
        )
    );
    assert!(both[1].contains(r#" outcome="storage-error" size="3" s3-status="404""#), "{both:?}");
}

#[tokio::test]
async fn sees_what_the_policies_behind_it_refuse() {
    let (records, _guard) = Records::collect();
    let store = over(&bucket(), [Policy::audit(), read_only()]).await;
    let delete = store.delete("k").await;
    assert_denied(delete, "the store is read-only: delete of k is refused");
    assert_eq!(records.take(), [r#"WARN operation="delete" key="k" outcome="policy-denied""#]);
}

#[tokio::test]
async fn counts_the_records_that_come_too_often() {
    let (records, _guard) = Records::collect();
    let store = over(&bucket(), [Policy::audit().grant(PolicyGrant::all().log(1))]).await;
    let text = || String::from_utf8(records.0.lock().unwrap().clone()).unwrap();
    // Quick enough for the second call to come within the first one's second.
    let mut calls = 0;
    while text().lines().all(|line| line.ends_with(" suppressed=0")) {
        store.head("k").await.unwrap_err();
        calls += 1;
        assert!(calls < 10_000, "none is counted:\n{}", text());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let text = text();
    let told: usize = text
        .lines()
        .map(|line| 1 + line.rsplit_once('=').unwrap().1.parse::<usize>().unwrap())
        .sum();
    assert_eq!(told, calls, "{text}");
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
