use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use artifact_s3::{
    Body, ByteRange, DeleteOptions, GetOptions, MemoryS3, Object, Operation, PutOptions, S3Client,
    S3Error, S3ErrorKind,
    layers::{Answer, Attempt, Call, Fault, Faults, Layer, ReadCache},
};
use futures::TryStreamExt;

use crate::{MIB, Requests, Setup, bucket, files, key, total};

#[tokio::test]
async fn what_was_read_is_read_from_the_folder() {
    let setup = Setup::new(MIB).await;
    let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let bytes = &bytes[..130_000];
    for (name, bytes) in [("a", bytes), ("empty", &[]), ("ü ?#%2F//", b"x")] {
        let metadata = vec![("owner".to_owned(), "me".to_owned())];
        let options = PutOptions { metadata, ..Default::default() };
        setup
            .put_with(name, Body::from_chunks(bytes.chunks(70_000).map(<[u8]>::to_vec)), &options)
            .await;
        assert!(setup.read(name).await == bytes);
        assert_eq!(setup.requests.take(), (1, 0), "{name}");
        let object = setup.get(name).await.unwrap();
        let head = setup.memory.head_object(&bucket(), &key(name), &GetOptions::default()).await;
        assert_eq!(object.info, head.unwrap());
        assert!(object.body.bytes().await.unwrap() == bytes);
        assert_eq!(setup.requests.take(), (0, 1), "{name}");
    }
    // Another process finds it.
    let requests = Requests::default();
    let other = ReadCache::open(setup.folder.path(), MIB, requests.of(setup.memory.clone())).await;
    let object = other.unwrap().get_object(&bucket(), &key("a"), &GetOptions::default()).await;
    assert!(object.unwrap().body.bytes().await.unwrap() == bytes);
    assert_eq!(requests.take(), (0, 1));
}

#[tokio::test]
async fn a_change_is_seen_at_once_whoever_made_it() {
    let setup = Setup::new(MIB).await;
    setup.put("a", "old").await;
    assert_eq!(setup.read("a").await, b"old");
    // Not through the cache.
    let options = PutOptions::default();
    setup.memory.put_object(&bucket(), &key("a"), "new".into(), &options).await.unwrap();
    setup.requests.take();
    assert_eq!(setup.read("a").await, b"new");
    assert_eq!(setup.requests.take(), (1, 1));
    assert_eq!(setup.read("a").await, b"new");
    assert_eq!(setup.requests.take(), (0, 1));
    // The same bytes and the same etag, and other metadata.
    let metadata = vec![("owner".to_owned(), "me".to_owned())];
    setup
        .put_with("a", "new", &PutOptions { metadata: metadata.clone(), ..Default::default() })
        .await;
    let object = setup.get("a").await.unwrap();
    assert_eq!(object.info.metadata, metadata);
    assert_eq!(setup.files().len(), 1, "one file for all versions");
}

#[tokio::test]
async fn a_deleted_object_is_gone_from_the_folder_too() {
    let setup = Setup::new(MIB).await;
    setup.put("a", "abc").await;
    setup.read("a").await;
    setup.s3.delete_object(&bucket(), &key("a"), &DeleteOptions::default()).await.unwrap();
    let gone = setup.get("a").await.unwrap_err();
    assert_eq!((gone.kind(), gone.code()), (S3ErrorKind::NoSuchKey, Some("NoSuchKey")));
    assert_eq!(gone.operation(), Some(Operation::GetObject));
    assert!(setup.files().is_empty());
}

#[tokio::test]
async fn ranges_and_conditions_go_through() {
    let setup = Setup::new(MIB).await;
    let etag = setup.put("a", "abcdef").await.etag;
    setup.read("a").await;
    setup.requests.take();
    let range = GetOptions { range: Some(ByteRange::Closed(1, 2)), ..Default::default() };
    let part = setup.s3.get_object(&bucket(), &key("a"), &range).await.unwrap();
    assert_eq!(part.body.bytes().await.unwrap(), "bc");
    let changed = GetOptions { if_none_match: etag, ..Default::default() };
    let current = setup.s3.get_object(&bucket(), &key("a"), &changed).await.unwrap_err();
    assert_eq!(current.kind(), S3ErrorKind::NotModified);
    assert_eq!(setup.requests.take(), (2, 0));
    // And what they give is not kept as if it were the whole.
    setup.put("b", "abcdef").await;
    let part = setup.s3.get_object(&bucket(), &key("b"), &range).await.unwrap();
    part.body.bytes().await.unwrap();
    assert_eq!(setup.read("b").await, b"abcdef");
}

/// Describes objects with this etag.
#[derive(Debug)]
struct Etag(Option<&'static str>, MemoryS3);

impl Layer for Etag {
    type Client = MemoryS3;

    fn client(&self) -> &MemoryS3 {
        &self.1
    }

    async fn around<T: Answer>(
        &self,
        _: Call<'_>,
        body: Body,
        attempt: &Attempt<'_, T>,
    ) -> Result<T, S3Error> {
        let mut answer = attempt(body).await?;
        let answer_as_any: &mut dyn std::any::Any = &mut answer;
        if let Some(object) = answer_as_any.downcast_mut::<Object>() {
            object.info.etag = self.0.map(str::to_owned);
        }
        Ok(answer)
    }
}

#[tokio::test]
async fn an_object_without_a_strong_etag_is_not_kept() {
    for (etag, kept) in [(None, 0), (Some("W/\"1\""), 0), (Some("1"), 1)] {
        let (folder, memory) = (tempfile::tempdir().unwrap(), MemoryS3::new());
        memory
            .put_object(&bucket(), &key("a"), "abc".into(), &PutOptions::default())
            .await
            .unwrap();
        let s3 = ReadCache::open(folder.path(), MIB, Etag(etag, memory)).await.unwrap();
        let object = s3.get_object(&bucket(), &key("a"), &GetOptions::default()).await.unwrap();
        assert_eq!(object.body.bytes().await.unwrap(), "abc");
        assert_eq!(files(folder.path()).len(), kept, "{etag:?}");
    }
}

#[tokio::test]
async fn a_large_object_goes_through() {
    let mut setup = Setup::new(8000).await;
    setup.put("fits", vec![1; 1000]).await;
    setup.put("large", vec![2; 1001]).await;
    for _ in 0..2 {
        assert_eq!(setup.read("fits").await, [1; 1000]);
        assert_eq!(setup.read("large").await, [2; 1001]);
    }
    assert_eq!(setup.requests.take(), (3, 1));
    setup.s3 = setup.s3.max_object(1001);
    setup.read("large").await;
    assert_eq!(setup.files().len(), 2);
    // A folder without room keeps nothing, and nothing fails.
    for max_bytes in [0, 10, 100] {
        let setup = Setup::new(max_bytes).await;
        setup.put("a", vec![3; 60]).await;
        setup.put("empty", "").await;
        for _ in 0..2 {
            assert_eq!(setup.read("a").await, [3; 60]);
            assert_eq!(setup.read("empty").await, [0; 0]);
        }
        assert!(total(setup.folder.path()) <= max_bytes);
    }
}

#[tokio::test]
async fn a_body_that_was_not_read_to_its_end_leaves_nothing() {
    let setup = Setup::new(MIB).await;
    setup.put("a", Body::from_chunks(["ab", "cd"])).await;
    let mut bytes = setup.get("a").await.unwrap().body.into_stream();
    assert!(bytes.try_next().await.unwrap().is_some());
    assert_eq!(setup.files().len(), 1);
    drop(bytes);
    assert_eq!(setup.files().len(), 0);

    let error = S3Error::new(S3ErrorKind::Integrity, "the last bytes do not add up");
    let broken = Faults::new(
        move |_, _| Some(Fault::BreakBody { after: 4, error: error.clone() }),
        setup.memory.clone(),
    );
    let s3 = ReadCache::open(setup.folder.path(), MIB, broken).await.unwrap();
    let object = s3.get_object(&bucket(), &key("a"), &GetOptions::default()).await.unwrap();
    assert!(object.body.bytes().await.is_err());
    assert_eq!(setup.files().len(), 0);
}

#[tokio::test]
async fn a_service_that_is_not_well_is_asked_once() {
    let setup = Setup::new(MIB).await;
    setup.put("a", "abc").await;
    setup.read("a").await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let down = Faults::new(
        move |_, _| {
            count.fetch_add(1, Ordering::Relaxed);
            Some(Fault::Before(S3Error::new(S3ErrorKind::Unreachable, "down")))
        },
        setup.memory.clone(),
    );
    let s3 = ReadCache::open(setup.folder.path(), MIB, down).await.unwrap();
    let error = s3.get_object(&bucket(), &key("a"), &GetOptions::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "GetObject of \"test-bucket/a\": unreachable: down");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert_eq!(setup.files().len(), 1, "and what was kept is there when it is well again");
}
