//! The policy `retention`, over artifacts of any age: the time of a `MemoryS3` is the
//! test's to choose, that of the policy is the host's.

use artifact_s3::{MockS3, ObjectInfo, S3Error, S3ErrorKind};
use artifact_store::{DeleteOptions, WriteCondition};

use super::*;

/// 2100-01-01T00:00:00Z
const YEAR_2100: u64 = 4_102_444_800;

/// A bucket where everything is written at this time.
fn bucket_at(seconds: u64) -> Arc<MemoryS3> {
    Arc::new(MemoryS3::with_buckets([BUCKET]).unwrap().with_clock(move || seconds))
}

fn keep_for(duration: &str) -> Policy {
    Policy::retention().setting("keep-for", duration)
}

fn keep_until(date: &str) -> Policy {
    Policy::retention().setting("keep-until", date)
}

async fn over_mock(s3: MockS3, policy: Policy) -> ArtifactStore {
    ArtifactStore::builder().bucket(BUCKET).client(s3).policy(policy).start().await.unwrap()
}

/// What a service tells of an artifact from long ago.
fn old() -> ObjectInfo {
    ObjectInfo { last_modified: Some(0), etag: Some("seen".to_owned()), ..Default::default() }
}

fn precondition_failed() -> S3Error {
    let code = Some("PreconditionFailed".to_owned());
    S3Error::new(S3ErrorKind::PreconditionFailed, "did not hold").answered(412, code, None)
}

/// That the policy lost to somebody else, which another try may find out about.
#[track_caller]
fn assert_overtaken<T>(answer: Result<T, Error>, call: &str) {
    let error = answer.err().unwrap();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::PolicyDenied, true));
    assert_eq!(
        error.to_string(),
        format!(
            "it was changed by somebody else at the same time, and may have to be kept: {call} of \
             k is refused"
        )
    );
    assert_eq!(error.s3().unwrap().status(), Some(412));
}

#[tokio::test]
async fn keeps_what_is_younger() {
    let s3 = bucket_at(YEAR_2100);
    let store = over(&s3, [keep_for("36h")]).await;
    store.put("k", "first").await.unwrap();

    let reason = "the setting `keep-for` keeps it until 2100-01-02T12:00:00Z";
    assert_denied(store.put("k", "second").await, &format!("{reason}: put of k is refused"));
    let stream = store.put("k", once(["second"])).await;
    assert_denied(stream, &format!("{reason}: put of k is refused"));
    for etag in ["*".to_owned(), store.head("k").await.unwrap().etag.unwrap()] {
        let condition = WriteCondition::IfMatch(etag.clone());
        let options = PutOptions { condition, ..Default::default() };
        let put = store.put_with("k", "second", &options).await;
        assert_denied(put, &format!("{reason}: put of k is refused"));
        let options = DeleteOptions { if_match: Some(etag), ..Default::default() };
        let delete = store.delete_with("k", &options).await;
        assert_denied(delete, &format!("{reason}: delete of k is refused"));
    }
    assert_denied(store.delete("k").await, &format!("{reason}: delete of k is refused"));
    let null = DeleteOptions { version_id: Some("null".to_owned()), ..Default::default() };
    let delete = store.delete_with("k", &null).await;
    assert_denied(delete, &format!("{reason}: delete of k is refused"));

    assert_eq!(store.get("k").await.unwrap().bytes().await.unwrap(), "first");
    assert_eq!(keys(&store, "").await, ["k"]);
}

#[tokio::test]
async fn lets_go_of_what_is_older() {
    let s3 = bucket_at(1000);
    let store = over(&s3, [keep_for("1000d")]).await;
    store.put("k", "first").await.unwrap();
    store.put("k", "second").await.unwrap();
    store.put("k", once(["thi", "rd"])).await.unwrap();
    assert_eq!(s3.object(BUCKET, "k").unwrap().bytes, "third");
    store.delete("k").await.unwrap();
    store.delete("k").await.unwrap();
    assert!(s3.is_empty());
}

#[tokio::test]
async fn a_date_keeps_all_and_then_nothing() {
    let s3 = bucket_at(1000);
    let store = over(&s3, [keep_until("2999-12-31")]).await;
    store.put("k", "first").await.unwrap();
    let reason = "the setting `keep-until` keeps it until 2999-12-31T00:00:00Z";
    assert_denied(store.put("k", "second").await, &format!("{reason}: put of k is refused"));
    assert_denied(store.delete("k").await, &format!("{reason}: delete of k is refused"));

    let store = over(&s3, [keep_until("2024-02-29T12:00:00Z")]).await;
    store.put("k", "second").await.unwrap();
    store.delete("k").await.unwrap();
    assert!(s3.is_empty());
}

#[tokio::test]
async fn with_nothing_to_keep_passes_the_whole_contract_of_stores() {
    for case in CASES {
        let store = over(&bucket(), [keep_for("0s")]).await;
        tokio::spawn(async move { case.run(&store).await })
            .await
            .unwrap()
            .unwrap_or_else(|error| panic!("{}: {error:?}", case.name));
    }
}

#[tokio::test]
async fn the_callers_own_conditions_stay_what_they_are() {
    let s3 = bucket_at(1000);
    let store = over(&s3, [keep_for("1d")]).await;
    let put = async |condition| {
        let options = PutOptions { condition, ..Default::default() };
        store.put_with("k", "v", &options).await.map_err(|error| error.kind())
    };
    let etag = |etag: &str| WriteCondition::IfMatch(etag.to_owned());
    assert_eq!(put(etag("*")).await.unwrap_err(), ErrorKind::NotFound);
    put(WriteCondition::IfAbsent).await.unwrap();
    put(etag("*")).await.unwrap();
    assert_eq!(put(WriteCondition::IfAbsent).await.unwrap_err(), ErrorKind::PreconditionFailed);
    assert_eq!(put(etag("other")).await.unwrap_err(), ErrorKind::PreconditionFailed);
    let options = DeleteOptions { if_match: Some("other".to_owned()), ..Default::default() };
    let error = store.delete_with("k", &options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
    assert_eq!(s3.len(), 1);
}

#[tokio::test]
async fn what_somebody_writes_between_the_look_and_the_put_stays() {
    for (found, sent) in [
        (Ok(old()), WriteCondition::IfMatch("seen".to_owned())),
        (Err(S3ErrorKind::NoSuchKey), WriteCondition::IfAbsent),
    ] {
        let mut s3 = MockS3::new();
        s3.expect_head_object()
            .returning(move |_, _, _| found.clone().map_err(|kind| S3Error::new(kind, "none")));
        s3.expect_put_object()
            .times(1)
            .withf(move |_, _, _, options| options.condition == sent)
            .returning(|_, _, _, _| Err(precondition_failed()));
        assert_overtaken(over_mock(s3, keep_for("1d")).await.put("k", "v").await, "put");
    }
}

#[tokio::test]
async fn what_somebody_writes_between_the_look_and_the_delete_stays() {
    for asked in [None, Some("*".to_owned())] {
        let mut s3 = MockS3::new();
        s3.expect_head_object().returning(|_, _, _| Ok(old()));
        s3.expect_delete_object()
            .times(1)
            .withf(|_, _, options| options.if_match.as_deref() == Some("seen"))
            .returning(|_, _, _| Err(precondition_failed()));
        let options = DeleteOptions { if_match: asked, ..Default::default() };
        let store = over_mock(s3, keep_for("1d")).await;
        assert_overtaken(store.delete_with("k", &options).await, "delete");
    }
}

#[tokio::test]
async fn a_service_without_conditions_on_deletes_deletes_without() {
    let mut s3 = MockS3::new();
    s3.expect_head_object().returning(|_, _, _| Ok(old()));
    s3.expect_delete_object().times(1).withf(|_, _, options| options.if_match.is_some()).returning(
        |_, _, _| {
            let code = Some("NotImplemented".to_owned());
            Err(S3Error::new(S3ErrorKind::Service, "no").answered(501, code, None))
        },
    );
    s3.expect_delete_object()
        .times(1)
        .withf(|_, _, options| options.if_match.is_none())
        .returning(|_, _, _| Ok(()));
    over_mock(s3, keep_for("1d")).await.delete("k").await.unwrap();
}

#[tokio::test]
async fn a_version_is_looked_at_and_deleted_by_its_id() {
    let mut s3 = MockS3::new();
    s3.expect_head_object()
        .withf(|_, _, options| options.version_id.as_deref() == Some("v1"))
        .returning(|_, _, _| Ok(old()));
    s3.expect_delete_object()
        .times(1)
        .withf(|_, _, options| {
            options.version_id.as_deref() == Some("v1") && options.if_match.is_none()
        })
        .returning(|_, _, _| Ok(()));
    let options = DeleteOptions { version_id: Some("v1".to_owned()), ..Default::default() };
    over_mock(s3, keep_for("1d")).await.delete_with("k", &options).await.unwrap();
}

#[tokio::test]
async fn an_artifact_of_unknown_age_is_kept() {
    let mut s3 = MockS3::new();
    s3.expect_head_object().returning(|_, _, _| Ok(ObjectInfo::default()));
    let store = over_mock(s3, keep_for("0s")).await;
    let reason = "the setting `keep-for` keeps it, because the storage does not say when it was \
                  written";
    assert_denied(store.put("k", "v").await, &format!("{reason}: put of k is refused"));
    assert_denied(store.delete("k").await, &format!("{reason}: delete of k is refused"));
}

#[tokio::test]
async fn what_cannot_be_looked_at_is_kept() {
    let mut s3 = MockS3::new();
    s3.expect_head_object().returning(|_, _, _| {
        Err(S3Error::new(S3ErrorKind::AccessDenied, "no").answered(403, None, None))
    });
    let store = over_mock(s3, keep_for("0s")).await;
    assert_eq!(store.put("k", "v").await.unwrap_err().kind(), ErrorKind::AccessDenied);
    assert_eq!(store.delete("k").await.unwrap_err().kind(), ErrorKind::AccessDenied);

    let s3 = bucket();
    place(&s3, "k").await;
    let blind = PolicyGrant::none().operations([Operation::Put, Operation::Delete]).clock(true);
    let store = over(&s3, [keep_for("0s").grant(blind)]).await;
    for error in [store.put("k", "other").await.unwrap_err(), store.delete("k").await.unwrap_err()]
    {
        assert_eq!((error.kind(), error.blame()), (ErrorKind::PolicyDenied, Blame::Policy));
        assert!(error.to_string().contains("not granted"), "{error}");
        assert!(error.to_string().contains("the operation `head`"), "{error}");
    }
    assert_eq!(s3.object(BUCKET, "k").unwrap().bytes, "v");
}

#[tokio::test]
async fn refuses_every_call_with_settings_that_it_does_not_understand() {
    let s3 = bucket();
    for (policy, message) in [
        (
            Policy::retention(),
            "nothing says how long artifacts are kept: there are the settings `keep-for` and \
             `keep-until`",
        ),
        (
            keep_for("a while"),
            "the setting `keep-for` is wrong: `a while` is no duration, such as `30d`, `12h`, \
             `90m` or `45s`",
        ),
        (
            keep_for("1d").setting("keep_until", "2030-01-31"),
            "there is no setting `keep_until`: there are `keep-for` and `keep-until`",
        ),
    ] {
        let store = over(&s3, [policy]).await;
        assert_denied(store.put("k", "v").await, message);
        assert_denied(store.get("k").await, message);
        assert_denied(store.head("k").await, message);
        assert_denied(store.delete("k").await, message);
        assert_denied(store.list("").await, message);
    }
    assert!(s3.is_empty());
}

#[tokio::test]
async fn needs_the_clock_to_be_granted() {
    assert_import_not_granted(
        keep_for("1d").grant(PolicyGrant::all().digest(true).log(1)),
        "retention",
        "agent:artifacts/clock",
        "`PolicyGrant::clock(true)`, or `clock = true` in artifacts.toml",
    )
    .await;
}
