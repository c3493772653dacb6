//! The policies that come with the host, each in front of a real store: what they
//! let through, what they refuse and how, alone and one in front of the other.

#![expect(clippy::unwrap_used, reason = "tests")]

mod audit;
mod content_addressed;
mod retention;

use std::sync::Arc;

use artifact_contract::stores::CASES;
use artifact_guests::policies::{KEY_RULES, READ_ONLY, TENANT};
use artifact_s3::{Bucket, MemoryS3, ObjectKey, S3Client};
use artifact_store::{
    ArtifactStore, Blame, Body, ContentHeaders, Error, ErrorKind, ListOptions, Operation, Policy,
    PolicyGrant, PutOptions, StoreBuilder,
};
use bytes::Bytes;

const BUCKET: &str = "bucket";

/// A store with these policies, the first in front, in a bucket that others use too.
async fn over(s3: &Arc<MemoryS3>, policies: impl IntoIterator<Item = Policy>) -> ArtifactStore {
    let s3 = Arc::clone(s3) as Arc<dyn S3Client>;
    let builder = ArtifactStore::builder().bucket(BUCKET).shared_client(s3);
    policies.into_iter().fold(builder, StoreBuilder::policy).start().await.unwrap()
}

fn bucket() -> Arc<MemoryS3> {
    Arc::new(MemoryS3::with_buckets([BUCKET]).unwrap())
}

/// An object that is in the bucket by other ways than through a policy.
async fn place(s3: &MemoryS3, key: &str) {
    let (bucket, key) = (Bucket::parse(BUCKET).unwrap(), ObjectKey::parse(key).unwrap());
    s3.put_object(&bucket, &key, "v".into(), &PutOptions::default()).await.unwrap();
}

fn read_only() -> Policy {
    let grant = PolicyGrant::none().operations([Operation::Get, Operation::Head, Operation::List]);
    Policy::from_bytes(READ_ONLY).name("read-only").grant(grant)
}

fn tenant(name: &str) -> Policy {
    Policy::from_bytes(TENANT)
        .name("tenant")
        .setting("tenant", name)
        .grant(PolicyGrant::all().keys_under(format!("{name}/")))
}

fn key_rules<const N: usize>(settings: [(&str, &str); N]) -> Policy {
    let policy = Policy::from_bytes(KEY_RULES).name("key-rules").grant(PolicyGrant::all());
    settings.into_iter().fold(policy, |policy, (name, value)| policy.setting(name, value))
}

/// That a policy refused the call, and in which words.
#[track_caller]
fn assert_denied<T>(answer: Result<T, Error>, message: &str) {
    let error = answer.err().unwrap();
    assert_eq!(error.to_string(), message);
    assert_eq!((error.kind(), error.blame()), (ErrorKind::PolicyDenied, Blame::Policy));
    assert!(!error.is_retryable());
}

/// That no store starts with a policy that is not granted what it imports, and in
/// which words.
async fn assert_import_not_granted(policy: Policy, name: &str, import: &str, grant: &str) {
    let builder = ArtifactStore::builder().bucket(BUCKET).client(MemoryS3::new()).policy(policy);
    let error = builder.start().await.unwrap_err();
    assert_eq!((error.kind(), error.blame()), (ErrorKind::InvalidConfig, Blame::Caller));
    assert_eq!(
        error.to_string(),
        format!("the policy {name} imports `{import}`, which it is not granted: {grant} grants it")
    );
}

/// A body whose bytes come only once, and say beforehand of no length.
fn once(chunks: impl IntoIterator<Item = &'static str>) -> Body {
    let chunks: Vec<_> = chunks.into_iter().map(|chunk| Ok(Bytes::from(chunk))).collect();
    Body::from_stream(futures::stream::iter(chunks), None)
}

async fn keys(store: &ArtifactStore, prefix: &str) -> Vec<String> {
    store.list(prefix).await.unwrap().into_iter().map(|object| object.key).collect()
}

async fn folders(store: &ArtifactStore) -> Vec<String> {
    let options = ListOptions { delimiter: Some("/".to_owned()), ..Default::default() };
    store.list_with(&options).await.unwrap().common_prefixes
}

mod the_read_only_policy {
    use super::*;

    #[tokio::test]
    async fn reads_and_refuses_to_write() {
        let s3 = bucket();
        place(&s3, "a/k").await;
        let store = over(&s3, [read_only()]).await;
        assert_eq!(store.get("a/k").await.unwrap().bytes().await.unwrap(), "v");
        assert_eq!(store.head("a/k").await.unwrap().size, 1);
        assert_eq!(keys(&store, "a/").await, ["a/k"]);

        let put = store.put("a/k", "other").await;
        assert_denied(put, "the store is read-only: put of a/k is refused");
        let delete = store.delete("a/k").await;
        assert_denied(delete, "the store is read-only: delete of a/k is refused");
        assert_eq!(store.get("a/k").await.unwrap().bytes().await.unwrap(), "v");
    }

    #[tokio::test]
    async fn leaves_the_stores_errors_as_they_are() {
        let error = over(&bucket(), [read_only()]).await.get("nope").await.unwrap_err();
        assert_eq!(error.to_string(), "artifact not found: nope");
        assert_eq!((error.kind(), error.blame()), (ErrorKind::NotFound, Blame::Caller));
        assert_eq!(error.s3().unwrap().status(), Some(404));
    }
}

mod the_tenant_policy {
    use super::*;

    #[tokio::test]
    async fn passes_the_whole_contract_of_stores() {
        let s3 = bucket();
        place(&s3, "other/secret").await;
        for case in CASES {
            let store = over(&s3, [tenant(case.name)]).await;
            tokio::spawn(async move { case.run(&store).await })
                .await
                .unwrap()
                .unwrap_or_else(|error| panic!("{}: {error:?}", case.name));
        }
    }

    #[tokio::test]
    async fn keeps_two_tenants_apart() {
        let s3 = bucket();
        let (acme, acme2) = (over(&s3, [tenant("acme")]).await, over(&s3, [tenant("acme2")]).await);
        acme.put("runs/1", "of acme").await.unwrap();
        acme2.put("runs/1", "of acme2").await.unwrap();
        acme2.put("only-2", "v").await.unwrap();
        assert_eq!(s3.keys(BUCKET), ["acme/runs/1", "acme2/only-2", "acme2/runs/1"]);

        assert_eq!(acme.get("runs/1").await.unwrap().bytes().await.unwrap(), "of acme");
        assert_eq!(acme2.get("runs/1").await.unwrap().bytes().await.unwrap(), "of acme2");
        assert_eq!(keys(&acme, "").await, ["runs/1"]);
        assert_eq!(folders(&acme).await, ["runs/"]);
        assert_eq!(keys(&acme2, "").await, ["only-2", "runs/1"]);
        for prefix in ["acme2/", "/", "../", "2/"] {
            assert!(keys(&acme, prefix).await.is_empty(), "{prefix:?}");
        }

        acme.delete("runs/1").await.unwrap();
        acme.delete("only-2").await.unwrap();
        assert_eq!(s3.keys(BUCKET), ["acme2/only-2", "acme2/runs/1"]);
    }

    #[tokio::test]
    async fn says_the_same_of_what_another_has_and_of_what_nobody_has() {
        let s3 = bucket();
        place(&s3, "other/secret").await;
        let store = over(&s3, [tenant("acme")]).await;
        for key in ["secret", "other/secret", "nothing"] {
            let error = store.get(key).await.unwrap_err();
            assert_eq!(error.to_string(), format!("artifact not found: {key}"));
            assert_eq!((error.kind(), error.blame()), (ErrorKind::NotFound, Blame::Caller));
            assert_eq!((error.key(), error.is_retryable()), (Some(key), false));
            assert_eq!(error.s3().unwrap().status(), Some(404));
        }
        for key in ["../other/secret", "x/../../other/secret", ".."] {
            for error in [store.get(key).await.unwrap_err(), store.put(key, "v").await.unwrap_err()]
            {
                assert_eq!((error.kind(), error.blame()), (ErrorKind::InvalidKey, Blame::Caller));
            }
        }
        assert_eq!(s3.keys(BUCKET), ["other/secret"]);
    }

    #[tokio::test]
    async fn does_not_show_the_folder_object_of_its_place() {
        let s3 = bucket();
        place(&s3, "acme/").await;
        place(&s3, "acme/k").await;
        assert_eq!(keys(&over(&s3, [tenant("acme")]).await, "").await, ["k"]);
    }

    #[tokio::test]
    async fn goes_through_pages_and_starts_where_it_is_told() {
        let s3 = bucket();
        for key in ["aaa/0", "acme/1", "acme/2", "acme/3", "zoo/4"] {
            place(&s3, key).await;
        }
        let store = over(&s3, [tenant("acme")]).await;
        let mut options = ListOptions { limit: Some(2), ..Default::default() };
        let page = store.list_with(&options).await.unwrap();
        assert_eq!(page.objects.len(), 2);
        options.continuation = page.continuation;
        let page = store.list_with(&options).await.unwrap();
        assert_eq!(page.objects.iter().map(|object| &object.key).collect::<Vec<_>>(), ["3"]);
        assert_eq!(page.continuation, None);

        // Where another's listing goes on, there is nothing of another's to see.
        let all = ListOptions { limit: Some(1), ..Default::default() };
        let foreign = over(&s3, []).await.list_with(&all).await.unwrap().continuation;
        options.continuation = foreign;
        if let Ok(page) = store.list_with(&options).await {
            assert!(page.objects.iter().all(|object| ["1", "2", "3"].contains(&&*object.key)));
        }
        let after = ListOptions { start_after: Some("2".to_owned()), ..Default::default() };
        let page = store.list_with(&after).await.unwrap();
        assert_eq!(page.objects.iter().map(|object| &object.key).collect::<Vec<_>>(), ["3"]);
    }

    #[tokio::test]
    async fn takes_its_name_from_the_length_of_keys() {
        let s3 = bucket();
        // As it comes with the library: of any other policy a key that it made is its fault.
        let store = over(&s3, [Policy::tenant("acme")]).await;
        let longest = "x".repeat(1024 - "acme/".len());
        store.put(&longest, "v").await.unwrap();
        assert_eq!(keys(&store, "").await, [longest.as_str()]);

        let error = store.put(&format!("{longest}x"), "v").await.unwrap_err();
        assert_eq!((error.kind(), error.blame()), (ErrorKind::InvalidKey, Blame::Caller));
        assert_eq!(s3.len(), 1);
    }

    #[tokio::test]
    async fn tells_errors_of_s3_with_the_callers_key() {
        // No such bucket.
        let s3 = Arc::new(MemoryS3::with_buckets(["another"]).unwrap());
        let store = over(&s3, [tenant("acme")]).await;
        let error = store.put("k", "v").await.unwrap_err();
        assert_eq!(error.to_string(), "failed to put artifact k: the bucket does not exist");
        assert_eq!((error.kind(), error.blame()), (ErrorKind::StorageError, Blame::Storage));
        assert_eq!(error.s3().unwrap().code(), Some("NoSuchBucket"));
        let error = store.list("").await.unwrap_err();
        assert_eq!(error.to_string(), "failed to list artifacts: the bucket does not exist");
        let error = store.list("a/").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "failed to list artifacts under a/: the bucket does not exist"
        );
    }

    #[tokio::test]
    async fn refuses_every_call_without_a_name_that_it_understands() {
        let s3 = bucket();
        let unnamed = || Policy::from_bytes(TENANT).grant(PolicyGrant::all());
        let missing = "the setting `tenant` is missing: give the policy its tenant's name";
        let store = over(&s3, [unnamed()]).await;
        assert_denied(store.put("k", "v").await, missing);
        assert_denied(store.get("k").await, missing);
        assert_denied(store.head("k").await, missing);
        assert_denied(store.delete("k").await, missing);
        assert_denied(store.list("").await, missing);
        for name in ["a/b", "..", "", "a b"] {
            let store = over(&s3, [unnamed().setting("tenant", name)]).await;
            let error = store.put("k", "v").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PolicyDenied, "{name:?}");
            assert!(error.to_string().starts_with("the setting `tenant` "), "{error}");
        }
        assert!(s3.is_empty());
    }

    #[tokio::test]
    async fn is_held_to_its_tenant_by_the_host() {
        let s3 = bucket();
        let policy = tenant("acme").grant(PolicyGrant::all().keys_under("other/"));
        let store = over(&s3, [policy]).await;
        let refused = |what| {
            format!(
                r#"the policy "tenant" is not granted {what}: it has keys that begin with "other/""#
            )
        };
        assert_denied(store.put("k", "v").await, &refused(r#"the key "k""#));
        assert_denied(store.list("").await, &refused(r#"listings under "acme/""#));
        assert!(s3.is_empty());
    }
}

mod the_key_rules_policy {
    use super::*;

    fn described(content_type: Option<&str>, metadata: &[&str]) -> PutOptions {
        let content =
            ContentHeaders { content_type: content_type.map(str::to_owned), ..Default::default() };
        let metadata = metadata.iter().map(|name| ((*name).to_owned(), "v".to_owned())).collect();
        PutOptions { content, metadata, ..Default::default() }
    }

    #[tokio::test]
    async fn without_rules_passes_the_whole_contract_of_stores() {
        for case in CASES {
            let store = over(&bucket(), [key_rules([])]).await;
            tokio::spawn(async move { case.run(&store).await })
                .await
                .unwrap()
                .unwrap_or_else(|error| panic!("{}: {error:?}", case.name));
        }
    }

    #[tokio::test]
    async fn refuses_every_call_on_a_key_that_is_not_allowed() {
        let s3 = bucket();
        place(&s3, "runs/secret").await;
        place(&s3, "other").await;
        let rules = [("allow", "runs/**\n*.txt"), ("deny", "**/secret*")];
        let store = over(&s3, [key_rules(rules)]).await;
        for key in ["runs/1/log", "a.txt"] {
            store.put(key, "v").await.unwrap();
            assert_eq!(store.get(key).await.unwrap().bytes().await.unwrap(), "v");
            assert_eq!(store.head(key).await.unwrap().size, 1);
        }
        for (key, reason) in [
            ("runs/secret", "the setting `deny` refuses keys like `**/secret*`"),
            ("other", "the setting `allow` has no pattern for this key"),
        ] {
            let message = |call| format!("{reason}: {call} of {key} is refused");
            assert_denied(store.put(key, "v").await, &message("put"));
            assert_denied(store.get(key).await, &message("get"));
            assert_denied(store.head(key).await, &message("head"));
            assert_denied(store.delete(key).await, &message("delete"));
        }
        assert_eq!(s3.keys(BUCKET), ["a.txt", "other", "runs/1/log", "runs/secret"]);
        store.delete("a.txt").await.unwrap();
        assert_eq!(s3.len(), 3);
    }

    #[tokio::test]
    async fn lists_only_what_is_allowed() {
        let s3 = bucket();
        for key in ["a", "b", "runs/1", "runs/secret-1", "secret/1"] {
            place(&s3, key).await;
        }
        let rules = [("allow", "a,runs/**,secret/**"), ("deny", "secret/**,runs/secret*")];
        let store = over(&s3, [key_rules(rules)]).await;
        assert_eq!(keys(&store, "").await, ["a", "runs/1"]);
        assert!(keys(&store, "secret/").await.is_empty());
        assert_eq!(folders(&store).await, ["runs/"]);
    }

    #[tokio::test]
    async fn bounds_what_is_put_and_what_it_says_of_itself() {
        let s3 = bucket();
        let store = over(&s3, [key_rules([("max-bytes", "4")])]).await;
        store.put("fits", "1234").await.unwrap();
        let refused = |found| {
            format!(
                "the setting `max-bytes` allows 4 bytes, and the body {found}: put of k is refused"
            )
        };
        assert_denied(store.put("k", "12345").await, &refused("has 5"));
        let stream = |length| {
            Body::from_stream(futures::stream::iter([Ok(Bytes::from("12345678"))]), length)
        };
        assert_denied(store.put("k", stream(None)).await, &refused("does not say how many it has"));

        // Who says less than there is gets past the policy, and not past the host.
        let error = store.put("k", stream(Some(4))).await.unwrap_err();
        assert_eq!((error.kind(), error.blame()), (ErrorKind::StorageError, Blame::Caller));
        assert_eq!(s3.keys(BUCKET), ["fits"]);
    }

    #[tokio::test]
    async fn asks_for_metadata_and_content_types() {
        let s3 = bucket();
        let rules = [("require-metadata", "owner"), ("content-types", "text/x-diff,image/*")];
        let store = over(&s3, [key_rules(rules)]).await;
        for good in ["text/x-diff", "image/png", "text/x-diff; charset=utf-8"] {
            store.put_with("k", "v", &described(Some(good), &["Owner"])).await.unwrap();
        }
        for (content_type, metadata, reason) in [
            (Some("image/png"), &[][..], "the setting `require-metadata` asks for `owner`"),
            (None, &["owner"], "the setting `content-types` asks for a content type"),
            (
                Some("text/html"),
                &["owner"],
                "the setting `content-types` does not allow `text/html`",
            ),
            (
                Some("image/png, text/html"),
                &["owner"],
                "the setting `content-types` does not allow `image/png, text/html`",
            ),
        ] {
            let answer = store.put_with("bad", "v", &described(content_type, metadata)).await;
            assert_denied(answer, &format!("{reason}: put of bad is refused"));
        }
        assert_eq!(s3.keys(BUCKET), ["k"]);
    }

    #[tokio::test]
    async fn refuses_every_call_with_a_setting_that_it_does_not_understand() {
        let s3 = bucket();
        for (name, value, message) in [
            (
                "max-bytes",
                "abc",
                "the setting `max-bytes` is wrong: `abc` is no number of bytes, such as 1048576",
            ),
            ("allow", " , ", "the setting `allow` is empty: fill it in, or leave it out"),
            (
                "denied",
                "x",
                "there is no setting `denied`: there are `allow`, `deny`, `max-bytes`, \
                 `require-metadata`, `content-types`",
            ),
        ] {
            let store = over(&s3, [key_rules([(name, value)])]).await;
            assert_denied(store.put("k", "v").await, message);
            assert_denied(store.get("k").await, message);
            assert_denied(store.head("k").await, message);
            assert_denied(store.delete("k").await, message);
            assert_denied(store.list("").await, message);
        }
        assert!(s3.is_empty());
    }

    /// Keys are the caller's to choose: none may use up the fuel of a call.
    #[tokio::test]
    async fn a_listing_of_hard_keys_stays_within_the_fuel_of_its_calls() {
        let s3 = bucket();
        for i in 0..1000 {
            place(&s3, &format!("{}{i:03}", "a".repeat(1021))).await;
        }
        for patterns in [1, 4, 5, 50] {
            let hard: Vec<String> = (0..patterns).map(|i| format!("**a**a*a?**{i}x")).collect();
            let store = over(&s3, [key_rules([("deny", &hard.join(","))])]).await;
            assert_eq!(keys(&store, "").await.len(), 1000, "{patterns}");
        }
    }
}

mod one_in_front_of_the_other {
    use super::*;

    #[tokio::test]
    async fn key_rules_in_front_of_a_tenant_see_the_callers_keys() {
        let s3 = bucket();
        let store = over(&s3, [key_rules([("allow", "runs/*")]), tenant("acme")]).await;
        store.put("runs/1", "v").await.unwrap();
        let reason = "the setting `allow` has no pattern for this key";
        assert_denied(store.put("k", "v").await, &format!("{reason}: put of k is refused"));
        assert_eq!(s3.keys(BUCKET), ["acme/runs/1"]);
        assert_eq!(keys(&store, "").await, ["runs/1"]);
        let error = store.get("runs/2").await.unwrap_err();
        assert_eq!(error.to_string(), "artifact not found: runs/2");
        assert_eq!((error.kind(), error.blame()), (ErrorKind::NotFound, Blame::Caller));
    }

    #[tokio::test]
    async fn key_rules_behind_a_tenant_see_its_name_and_the_caller_does_not() {
        let s3 = bucket();
        let store = over(&s3, [tenant("acme"), key_rules([("deny", "*/secret")])]).await;
        store.put("deep/secret", "v").await.unwrap();
        let reason = "the setting `deny` refuses keys like `*/secret`";
        let put = store.put("secret", "v").await;
        assert_denied(put, &format!("{reason}: put of secret is refused"));
        assert_eq!(s3.keys(BUCKET), ["acme/deep/secret"]);
    }

    #[tokio::test]
    async fn read_only_in_front_of_a_tenant_reads_the_tenants_own() {
        let s3 = bucket();
        place(&s3, "acme/k").await;
        place(&s3, "other/k").await;
        let store = over(&s3, [read_only(), tenant("acme")]).await;
        assert_eq!(store.get("k").await.unwrap().bytes().await.unwrap(), "v");
        assert_eq!(keys(&store, "").await, ["k"]);
        assert_eq!(store.get("../other/k").await.unwrap_err().kind(), ErrorKind::InvalidKey);
        let put = store.put("k", "other").await;
        assert_denied(put, "the store is read-only: put of k is refused");
        let delete = store.delete("k").await;
        assert_denied(delete, "the store is read-only: delete of k is refused");
        assert_eq!(s3.keys(BUCKET), ["acme/k", "other/k"]);
    }

    #[tokio::test]
    async fn a_tenant_within_a_tenant_has_a_place_in_its_place() {
        let s3 = bucket();
        let store = over(&s3, [tenant("team"), tenant("acme")]).await;
        store.put("k", "v").await.unwrap();
        assert_eq!(s3.keys(BUCKET), ["acme/team/k"]);
        assert_eq!(keys(&store, "").await, ["k"]);
        let error = store.get("nope").await.unwrap_err();
        assert_eq!(error.to_string(), "artifact not found: nope");
    }
}
