//! What every artifact store must do, whatever stands behind it: the contract that
//! the original's stores are held to, and what it could not do.
//!
//! Each case has a store of its own, which begins empty.

use artifact_store::{
    Artifact, Body, ByteRange, ContentHeaders, DeleteOptions, Error, ErrorKind, GetOptions,
    ListOptions, PutOptions, Store, WriteCondition,
};
use bytes::Bytes;
use futures::future::BoxFuture;

use crate::clients::{Capability, CaseResult, noise};

/// A case: its name, what the server must be able to do, and what runs it.
#[derive(Clone, Copy, Debug)]
pub struct StoreCase {
    /// Its name.
    pub name: &'static str,
    /// What the server behind the store must be able to do.
    pub needs: &'static [Capability],
    run: for<'a> fn(&'a dyn Store) -> BoxFuture<'a, CaseResult>,
}

impl StoreCase {
    /// Runs the case on an empty store.
    pub async fn run(self, store: &dyn Store) -> CaseResult {
        (self.run)(store).await
    }
}

/// Names each function once, and what it needs.
macro_rules! cases {
    ($($case:ident $([$($need:ident),+])?),+ $(,)?) => {
        /// All cases.
        pub const CASES: &[StoreCase] = &[$(StoreCase {
            name: stringify!($case),
            needs: &[$($(Capability::$need),+)?],
            run: |store| Box::pin($case(store)),
        }),+];
    };
}

cases![
    round_trip,
    overwrite_the_second_put_wins,
    chunks_arrive_joined,
    every_byte_value_survives,
    random_bytes_survive,
    an_empty_artifact_is_an_artifact,
    get_and_head_of_a_missing_key_are_not_found,
    delete_then_get_is_not_found,
    delete_twice_is_fine,
    deleting_one_leaves_the_other,
    list_gives_the_callers_keys_in_order,
    list_pages,
    list_folds_at_the_delimiter,
    odd_keys_come_back_as_they_are,
    refused_keys_store_nothing,
    the_description_comes_back,
    a_range_is_what_was_asked_for,
    if_absent_writes_once,
    if_match_writes_over_what_was_seen,
    a_current_copy_is_not_sent_again[ReadConditions],
    a_body_that_breaks_stores_nothing,
    calls_run_side_by_side,
];

async fn put(store: &dyn Store, key: &str, body: impl Into<Body>) -> Result<(), Error> {
    store.put(key, body.into(), &PutOptions::default()).await.map(drop)
}

async fn get(store: &dyn Store, key: &str) -> Result<Artifact, Error> {
    store.get(key, &GetOptions::default()).await
}

async fn read(store: &dyn Store, key: &str) -> Result<Bytes, Error> {
    get(store, key).await?.bytes().await
}

async fn keys(store: &dyn Store, prefix: &str) -> Result<Vec<String>, Error> {
    let options = ListOptions { prefix: prefix.to_owned(), ..Default::default() };
    Ok(store.list(&options).await?.objects.into_iter().map(|object| object.key).collect())
}

/// The kind of failure, or a failure that there was none.
fn kind<T>(result: Result<T, Error>) -> Result<ErrorKind, &'static str> {
    result.err().map(|error| error.kind()).ok_or("it succeeded")
}

async fn round_trip(store: &dyn Store) -> CaseResult {
    put(store, "patch-abc123", "diff content").await?;
    let artifact = get(store, "patch-abc123").await?;
    assert_eq!(artifact.info().size, 12);
    assert_eq!(artifact.bytes().await?, "diff content");
    Ok(())
}

async fn overwrite_the_second_put_wins(store: &dyn Store) -> CaseResult {
    put(store, "k", "first").await?;
    put(store, "k", "second").await?;
    assert_eq!(read(store, "k").await?, "second");
    Ok(())
}

async fn chunks_arrive_joined(store: &dyn Store) -> CaseResult {
    put(store, "k", Body::from_chunks(["hello", " ", "world"])).await?;
    assert_eq!(read(store, "k").await?, "hello world");
    Ok(())
}

async fn every_byte_value_survives(store: &dyn Store) -> CaseResult {
    let bytes: Vec<u8> = (0..=255).collect();
    put(store, "k", bytes.clone()).await?;
    assert_eq!(read(store, "k").await?, bytes);
    Ok(())
}

async fn random_bytes_survive(store: &dyn Store) -> CaseResult {
    for length in [256, 1024] {
        let bytes = noise(7, length);
        put(store, "k", bytes.clone()).await?;
        assert_eq!(read(store, "k").await?, bytes);
    }
    Ok(())
}

async fn an_empty_artifact_is_an_artifact(store: &dyn Store) -> CaseResult {
    put(store, "k", Body::empty()).await?;
    assert_eq!(read(store, "k").await?, "");
    assert_eq!(store.head("k", &GetOptions::default()).await?.size, 0);
    Ok(())
}

async fn get_and_head_of_a_missing_key_are_not_found(store: &dyn Store) -> CaseResult {
    assert_eq!(kind(get(store, "nope").await)?, ErrorKind::NotFound);
    assert_eq!(kind(store.head("nope", &GetOptions::default()).await)?, ErrorKind::NotFound);
    Ok(())
}

async fn delete_then_get_is_not_found(store: &dyn Store) -> CaseResult {
    put(store, "k", "v").await?;
    store.delete("k", &DeleteOptions::default()).await?;
    assert_eq!(kind(get(store, "k").await)?, ErrorKind::NotFound);
    Ok(())
}

async fn delete_twice_is_fine(store: &dyn Store) -> CaseResult {
    put(store, "k", "v").await?;
    store.delete("k", &DeleteOptions::default()).await?;
    store.delete("k", &DeleteOptions::default()).await?;
    Ok(())
}

async fn deleting_one_leaves_the_other(store: &dyn Store) -> CaseResult {
    put(store, "a", "of a").await?;
    put(store, "b", "of b").await?;
    store.delete("a", &DeleteOptions::default()).await?;
    assert_eq!(kind(get(store, "a").await)?, ErrorKind::NotFound);
    assert_eq!(read(store, "b").await?, "of b");
    Ok(())
}

async fn list_gives_the_callers_keys_in_order(store: &dyn Store) -> CaseResult {
    assert!(keys(store, "").await?.is_empty(), "a store begins empty");
    for key in ["b", "a", "runs/2", "runs/1"] {
        put(store, key, key.to_owned()).await?;
    }
    assert_eq!(keys(store, "").await?, ["a", "b", "runs/1", "runs/2"]);
    assert_eq!(keys(store, "runs/").await?, ["runs/1", "runs/2"]);
    assert!(keys(store, "none").await?.is_empty());
    Ok(())
}

async fn list_pages(store: &dyn Store) -> CaseResult {
    for i in 0..5 {
        put(store, &format!("k{i}"), "v").await?;
    }
    let mut options = ListOptions { limit: Some(2), ..Default::default() };
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let page = store.list(&options).await?;
        assert!(page.objects.len() <= 2);
        seen.extend(page.objects.into_iter().map(|object| object.key));
        pages += 1;
        options.continuation = page.continuation;
        if options.continuation.is_none() {
            break;
        }
    }
    assert_eq!((seen.join(" "), pages), ("k0 k1 k2 k3 k4".to_owned(), 3));

    let after = ListOptions { start_after: Some("k2".to_owned()), ..Default::default() };
    let rest: Vec<_> = store.list(&after).await?.objects.into_iter().map(|o| o.key).collect();
    assert_eq!(rest, ["k3", "k4"]);
    Ok(())
}

async fn list_folds_at_the_delimiter(store: &dyn Store) -> CaseResult {
    for key in ["top", "runs/1", "runs/2", "logs/1"] {
        put(store, key, "v").await?;
    }
    let options = ListOptions { delimiter: Some("/".to_owned()), ..Default::default() };
    let page = store.list(&options).await?;
    assert_eq!(page.objects.iter().map(|o| &o.key).collect::<Vec<_>>(), ["top"]);
    assert_eq!(page.common_prefixes, ["logs/", "runs/"]);
    Ok(())
}

async fn odd_keys_come_back_as_they_are(store: &dyn Store) -> CaseResult {
    let mut odd = ["a b+c", "k?acl", "a#b", "%2F", "a&b=c", "ключ", "a:b@c", "...", "x/..y"];
    odd.sort_unstable();
    for key in odd {
        put(store, key, key.to_owned()).await?;
    }
    for key in odd {
        assert_eq!(read(store, key).await?, key);
    }
    assert_eq!(keys(store, "").await?, odd);
    Ok(())
}

async fn refused_keys_store_nothing(store: &dyn Store) -> CaseResult {
    let too_long = "x".repeat(1025);
    for key in ["", "..", "../x", "a/./b", "x/..", "a\0b", "a\nb", &too_long] {
        assert_eq!(kind(put(store, key, "v").await)?, ErrorKind::InvalidKey, "{key:?}");
        assert_eq!(kind(get(store, key).await)?, ErrorKind::InvalidKey, "{key:?}");
    }
    assert!(keys(store, "").await?.is_empty());
    Ok(())
}

async fn the_description_comes_back(store: &dyn Store) -> CaseResult {
    let content = ContentHeaders {
        content_type: Some("text/x-diff".to_owned()),
        cache_control: Some("no-store".to_owned()),
        expires: Some("Wed, 21 Oct 2026 07:28:00 GMT".to_owned()),
        ..Default::default()
    };
    let metadata = vec![("run".to_owned(), "42".to_owned())];
    let options =
        PutOptions { content: content.clone(), metadata: metadata.clone(), ..Default::default() };
    let stored = store.put("k", "v".into(), &options).await?;
    let info = store.head("k", &GetOptions::default()).await?;
    assert_eq!((info.content, info.metadata), (content, metadata));
    assert_eq!((info.size, info.etag), (1, stored.etag));
    Ok(())
}

async fn a_range_is_what_was_asked_for(store: &dyn Store) -> CaseResult {
    put(store, "k", "0123456789").await?;
    for (range, bytes) in
        [(ByteRange::Closed(2, 4), "234"), (ByteRange::From(7), "789"), (ByteRange::Last(3), "789")]
    {
        let options = GetOptions { range: Some(range), ..Default::default() };
        let artifact = store.get("k", &options).await?;
        assert_eq!((artifact.info().size, artifact.length()), (10, Some(3)));
        assert_eq!(artifact.bytes().await?, bytes);
    }
    Ok(())
}

async fn if_absent_writes_once(store: &dyn Store) -> CaseResult {
    let options = PutOptions { condition: WriteCondition::IfAbsent, ..Default::default() };
    store.put("k", "first".into(), &options).await?;
    let second = store.put("k", "second".into(), &options).await;
    assert_eq!(kind(second)?, ErrorKind::PreconditionFailed);
    assert_eq!(read(store, "k").await?, "first");
    Ok(())
}

async fn if_match_writes_over_what_was_seen(store: &dyn Store) -> CaseResult {
    let first = store.put("k", "first".into(), &PutOptions::default()).await?;
    let seen = first.etag.ok_or("no etag")?;
    let options = PutOptions { condition: WriteCondition::IfMatch(seen), ..Default::default() };
    store.put("k", "second".into(), &options).await?;
    let stale = store.put("k", "third".into(), &options).await;
    assert_eq!(kind(stale)?, ErrorKind::PreconditionFailed);
    assert_eq!(read(store, "k").await?, "second");
    Ok(())
}

async fn a_current_copy_is_not_sent_again(store: &dyn Store) -> CaseResult {
    let etag = store.put("k", "v".into(), &PutOptions::default()).await?.etag;
    let options = GetOptions { if_none_match: etag, ..Default::default() };
    assert_eq!(kind(store.get("k", &options).await)?, ErrorKind::NotModified);
    Ok(())
}

async fn a_body_that_breaks_stores_nothing(store: &dyn Store) -> CaseResult {
    let chunks = [Ok(Bytes::from("half")), Err(std::io::Error::other("the disk is gone"))];
    let body = Body::from_stream(futures::stream::iter(chunks), Some(8));
    let error = store.put("k", body, &PutOptions::default()).await.err().ok_or("it succeeded")?;
    assert_eq!(error.kind(), ErrorKind::StorageError);
    assert_eq!(error.blame(), artifact_store::Blame::Caller);
    assert_eq!(kind(get(store, "k").await)?, ErrorKind::NotFound);
    Ok(())
}

async fn calls_run_side_by_side(store: &dyn Store) -> CaseResult {
    let names: Vec<String> = (0..64).map(|i| format!("k{i:02}")).collect();
    let puts = names.iter().map(|key| put(store, key, key.clone()));
    futures::future::try_join_all(puts).await?;
    let gets = names.iter().map(|key| read(store, key));
    assert_eq!(futures::future::try_join_all(gets).await?, names);
    Ok(())
}
