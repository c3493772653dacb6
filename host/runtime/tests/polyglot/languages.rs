//! Policies in JavaScript and Python. Each brings an engine of 12 to 18 MB, so it is built
//! and tried by `just test-polyglot` only.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

use std::{env, path::PathBuf};

use artifact_store::{
    ArtifactStore, Blame, ErrorKind, Limits, Policy, PolicyGrant, PutOptions, Sandbox,
    StoreBuilder, s3::MemoryS3,
};

/// What was built. Without it these tests fail: they were asked for by name.
fn built(file: &str) -> PathBuf {
    let folder = env::var_os("POLYGLOT_POLICIES").expect(
        "POLYGLOT_POLICIES is not set to the folder of the built policies: run \
         `just test-polyglot`",
    );
    PathBuf::from(folder).join(file)
}

/// With the limits that all policies have, but for what one may hand over: 64 KiB.
fn builder(s3: &MemoryS3) -> StoreBuilder {
    let limits = Limits { hostcall_bytes: 64 << 10, ..Limits::default() };
    let sandbox = Sandbox::new(limits).expect("the machine can set it up");
    ArtifactStore::builder().bucket("bucket").client(s3.clone()).sandbox(sandbox)
}

/// What every policy must do: pass calls and errors on, and fail one call alone.
async fn assert_passes_calls_on(store: &ArtifactStore) {
    store.put("runs/1.txt", "text").await.unwrap();
    assert_eq!(store.get("runs/1.txt").await.unwrap().bytes().await.unwrap(), "text");
    assert_eq!(store.head("runs/1.txt").await.unwrap().size, 4);
    let listed = store.list("runs/").await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].key.as_str(), listed[0].size), ("runs/1.txt", 4));
    store.delete("runs/1.txt").await.unwrap();
    store.delete("runs/1.txt").await.unwrap();

    let error = store.get("runs/1.txt").await.unwrap_err();
    assert_eq!((error.kind(), error.blame()), (ErrorKind::NotFound, Blame::Caller));
    assert_eq!(error.s3().unwrap().status(), Some(404));

    // Side by side, in an instance each.
    let keys: Vec<String> = (0..100).map(|i| format!("long/{i:0>1000}.txt")).collect();
    for some in keys.chunks(4) {
        let puts = some.iter().map(|key| store.put(key, ""));
        futures::future::try_join_all(puts).await.unwrap();
    }

    // A trap, by a listing that is more than it may hand over, ends that call only.
    let error = store.list("long/").await.unwrap_err();
    assert_eq!((error.kind(), error.blame()), (ErrorKind::PolicyFailed, Blame::Policy));
    assert_eq!(store.head(&keys[0]).await.unwrap().size, 0);
}

#[tokio::test]
#[ignore = "run by `just test-polyglot`"]
async fn a_policy_in_javascript() {
    let policy = Policy::from_file(built("naming.wasm")).await.unwrap().grant(PolicyGrant::all());
    let s3 = MemoryS3::new();
    let store = builder(&s3).policy(policy).start().await.unwrap();
    assert_passes_calls_on(&store).await;

    let error = store.put("Reports/Q3 (final).PDF", "").await.unwrap_err();
    assert_eq!((error.kind(), error.blame()), (ErrorKind::PolicyDenied, Blame::Policy));
    assert_eq!(
        error.to_string(),
        r#""Reports/Q3 (final).PDF" does not follow the naming convention: try "reports/q3-final.pdf""#
    );
    assert!(s3.keys("bucket").iter().all(|key| key.starts_with("long/")));
}

#[tokio::test]
#[ignore = "run by `just test-polyglot`"]
async fn a_policy_in_javascript_that_rewrites() {
    let policy = Policy::from_file(built("naming.wasm")).await.unwrap().grant(PolicyGrant::all());
    let s3 = MemoryS3::new();
    let builder = builder(&s3).policy(policy.setting("mode", "rewrite"));
    let store = builder.start().await.unwrap();
    store.put("Reports/Q3 (final).PDF", "text").await.unwrap();
    assert_eq!(s3.keys("bucket"), ["reports/q3-final.pdf"]);
    assert_eq!(store.head("REPORTS/Q3 final.pdf").await.unwrap().size, 4);
    assert_eq!(store.list("Reports/").await.unwrap().len(), 1);
    assert_eq!(store.delete("!").await.unwrap_err().kind(), ErrorKind::PolicyDenied);
}

#[tokio::test]
#[ignore = "run by `just test-polyglot`"]
async fn a_policy_in_python() {
    let policy = Policy::from_file(built("defaults.wasm"))
        .await
        .unwrap()
        .setting("metadata.owner", "ci")
        .setting("unknown-type", "refuse");
    let s3 = MemoryS3::new();

    let ungranted = policy.clone().grant(PolicyGrant::all());
    let error = builder(&s3).policy(ungranted).start().await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("imports `wasi:") && text.contains("`wasi = \"empty\"`"), "{text}");

    let granted = policy.grant(PolicyGrant::all().empty_wasi(true));
    let store = builder(&s3).policy(granted).start().await.unwrap();
    assert_passes_calls_on(&store).await;

    let mine = PutOptions {
        metadata: vec![("Owner".to_owned(), "me".to_owned())],
        ..PutOptions::default()
    };
    store.put("a.html", "").await.unwrap();
    store.put_with("b.tar.gz", "", &mine).await.unwrap();
    let described = store.head("a.html").await.unwrap();
    assert_eq!(described.content.content_type.as_deref(), Some("text/html"));
    assert_eq!(described.metadata, [("owner".to_owned(), "ci".to_owned())]);
    let described = store.head("b.tar.gz").await.unwrap();
    assert_eq!(described.content.content_type.as_deref(), Some("application/gzip"));
    assert_eq!(described.metadata.len(), 1);
    assert_eq!(described.metadata[0].1, "me");

    let error = store.put("plain", "").await.unwrap_err();
    assert_eq!((error.kind(), error.blame()), (ErrorKind::PolicyDenied, Blame::Policy));
    assert_eq!(
        error.to_string(),
        "the content type of plain is not given, and its ending does not tell: give one, \
         or choose a key like report.txt"
    );
}
