//! The layer `ReadCache`: never other bytes than the service's, and fewer of its bytes.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use artifact_s3::{
    Body, Bucket, ByteRange, DeleteOptions, GetOptions, MemoryS3, Object, ObjectInfo, ObjectKey,
    Operation, PutOptions, S3Client, S3Error, S3ErrorKind,
    layers::{Answer, Attempt, Call, Fault, Faults, Layer, ReadCache},
};
use futures::{TryStreamExt, future::join_all};
use proptest::prelude::*;
use tempfile::TempDir;

const MIB: u64 = 1 << 20;

fn bucket() -> Bucket {
    Bucket::parse("test-bucket").unwrap()
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::parse(name).unwrap()
}

/// Counts the requests that come through.
#[derive(Clone, Debug, Default)]
struct Requests {
    gets: Arc<AtomicUsize>,
    heads: Arc<AtomicUsize>,
}

impl Requests {
    fn of(&self, client: MemoryS3) -> Faults<MemoryS3> {
        let seen = self.clone();
        let plan = move |operation: Operation, _: &str| {
            match operation {
                Operation::GetObject => seen.gets.fetch_add(1, Ordering::Relaxed),
                Operation::HeadObject => seen.heads.fetch_add(1, Ordering::Relaxed),
                _ => 0,
            };
            None
        };
        Faults::new(plan, client)
    }

    /// Gets and heads since this was last asked.
    fn take(&self) -> (usize, usize) {
        (self.gets.swap(0, Ordering::Relaxed), self.heads.swap(0, Ordering::Relaxed))
    }
}

struct Setup {
    folder: TempDir,
    memory: MemoryS3,
    requests: Requests,
    s3: ReadCache<Faults<MemoryS3>>,
}

impl Setup {
    async fn new(max_bytes: u64) -> Self {
        let (folder, memory) = (tempfile::tempdir().unwrap(), MemoryS3::new());
        let requests = Requests::default();
        let counted = requests.of(memory.clone());
        let s3 = ReadCache::open(folder.path(), max_bytes, counted).await.unwrap();
        Self { folder, memory, requests, s3 }
    }

    async fn put(&self, name: &str, body: impl Into<Body>) -> ObjectInfo {
        self.put_with(name, body, &PutOptions::default()).await
    }

    async fn put_with(
        &self,
        name: &str,
        body: impl Into<Body>,
        options: &PutOptions,
    ) -> ObjectInfo {
        self.s3.put_object(&bucket(), &key(name), body.into(), options).await.unwrap()
    }

    async fn get(&self, name: &str) -> Result<Object, S3Error> {
        self.s3.get_object(&bucket(), &key(name), &GetOptions::default()).await
    }

    async fn read(&self, name: &str) -> Vec<u8> {
        let object = self.get(name).await.unwrap();
        assert_eq!(object.body.length(), Some(object.info.size));
        object.body.bytes().await.unwrap().to_vec()
    }

    fn files(&self) -> Vec<PathBuf> {
        files(self.folder.path())
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn total(folder: &Path) -> u64 {
    files(folder).iter().map(|path| fs::metadata(path).unwrap().len()).sum()
}

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
    assert_eq!(setup.files(), [PathBuf::new(); 0]);
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
async fn a_damaged_file_is_as_if_it_had_never_been() {
    let setup = Setup::new(MIB).await;
    setup.put("a", "abcdef").await;
    setup.read("a").await;
    let path = setup.files().remove(0);
    let whole = fs::read(&path).unwrap();
    let mut damaged: Vec<Vec<u8>> =
        (0..whole.len()).map(|length| whole[..length].to_vec()).collect();
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        damaged.push(flipped);
    }
    damaged.push([&whole[..], b"x"].concat());
    damaged.push([b"x", &whole[..]].concat());
    for bytes in damaged {
        fs::write(&path, &bytes).unwrap();
        setup.requests.take();
        assert_eq!(setup.read("a").await, b"abcdef");
        assert_eq!(setup.requests.take().0, 1, "not from {bytes:?}");
        assert_eq!(fs::read(&path).unwrap(), whole, "and it is mended");
    }
    // Another object's file is not this one's.
    setup.put("b", "ABCDEF").await;
    setup.read("b").await;
    let other = setup.files().into_iter().find(|file| *file != path).unwrap();
    fs::copy(other, &path).unwrap();
    assert_eq!(setup.read("a").await, b"abcdef");
}

#[tokio::test]
async fn a_folder_that_goes_away_is_no_error() {
    let setup = Setup::new(MIB).await;
    setup.put("a", "abc").await;
    setup.read("a").await;
    fs::remove_dir_all(setup.folder.path()).unwrap();
    assert_eq!(setup.read("a").await, b"abc");
    assert_eq!(setup.read("a").await, b"abc");
    // Nor is one of which a file cannot be opened.
    fs::create_dir(setup.folder.path()).unwrap();
    setup.read("a").await;
    let path = setup.files().remove(0);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(setup.read("a").await, b"abc");
}

#[tokio::test]
async fn what_was_not_read_for_longest_goes_first_and_the_bound_holds() {
    let max_bytes = 10_000;
    let setup = Setup::new(max_bytes).await;
    for number in 0..20 {
        let name = number.to_string();
        setup.put(&name, vec![number; 1000]).await;
        setup.read(&name).await;
        // Read again and again, so never the one to go.
        setup.read("0").await;
        assert!(total(setup.folder.path()) <= max_bytes);
    }
    setup.requests.take();
    for name in ["0", "19", "18", "17", "16", "15", "14", "13"] {
        setup.read(name).await;
    }
    assert_eq!(setup.requests.take(), (0, 8));
    setup.read("1").await;
    assert_eq!(setup.requests.take(), (1, 0));
}

#[tokio::test]
async fn a_smaller_bound_and_what_was_left_behind_are_seen_to_when_it_is_opened() {
    let setup = Setup::new(MIB).await;
    for name in ["a", "b", "c"] {
        setup.put(name, vec![7; 1000]).await;
        setup.read(name).await;
    }
    let path = setup.folder.path();
    let foreign = [path.join("README"), path.join("writing-young")];
    for file in &foreign {
        fs::write(file, "x").unwrap();
    }
    let abandoned = path.join("writing-old");
    let file = fs::File::create(&abandoned).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_hours(48)).unwrap();
    ReadCache::open(path, 2100, setup.memory.clone()).await.unwrap();
    assert!(foreign.iter().all(|file| file.exists()));
    assert!(!abandoned.exists());
    setup.requests.take();
    setup.read("c").await;
    setup.read("b").await;
    assert_eq!(setup.requests.take(), (0, 2));
    setup.read("a").await;
    assert_eq!(setup.requests.take(), (1, 0));
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_caches_share_a_folder() {
    let max_bytes = 60_000;
    let setup = Setup::new(max_bytes).await;
    let other =
        ReadCache::open(setup.folder.path(), max_bytes, setup.memory.clone()).await.unwrap();
    let body = |number: u8, round: u8| vec![number.wrapping_mul(31).wrapping_add(round); 2000];
    for round in 0..6 {
        for number in 0..40 {
            setup.put(&number.to_string(), body(number, round)).await;
        }
        let reads = (0..400_u16).map(|turn| {
            let number = u8::try_from(turn * 7 % 40).unwrap();
            let (bucket, key) = (bucket(), key(&number.to_string()));
            let (setup, other) = (&setup, &other);
            async move {
                let options = GetOptions::default();
                let get = if turn % 2 == 0 {
                    setup.s3.get_object(&bucket, &key, &options)
                } else {
                    other.get_object(&bucket, &key, &options)
                };
                let read = get.await.unwrap().body.bytes().await.unwrap();
                assert!(read == body(number, round), "{number} in round {round}");
            }
        });
        join_all(reads).await;
        assert!(total(setup.folder.path()) <= max_bytes + max_bytes / 16);
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_told_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = ReadCache::open(&file, MIB, MemoryS3::new()).await.unwrap_err();
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");

    let made = folder.path().join("a/b");
    ReadCache::open(&made, MIB, MemoryS3::new()).await.unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o700);
        fs::set_permissions(&made, fs::Permissions::from_mode(0o777)).unwrap();
        let error = ReadCache::open(&made, MIB, MemoryS3::new()).await.unwrap_err();
        assert!(error.to_string().contains("chmod go-w"), "{error}");
    }
}

#[tokio::test]
async fn display_shows_the_bound() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = ReadCache::open(folder.path(), MIB, MemoryS3::new()).await.unwrap();
    assert_eq!(s3.to_string(), "ReadCache(1048576, MemoryS3)");
}

/// What may happen between two reads.
#[derive(Clone, Debug)]
enum Step {
    Put {
        key: u8,
        byte: u8,
        length: usize,
        owner: u8,
    },
    Delete {
        key: u8,
    },
    Copy {
        from: u8,
        to: u8,
    },
    Get {
        key: u8,
        all: bool,
    },
    GetRange {
        key: u8,
        first: u64,
    },
    /// Flips a bit of a file, if there is one.
    Damage {
        file: usize,
        at: usize,
    },
    /// Cuts a file.
    Cut {
        file: usize,
        at: usize,
    },
    /// Ends the process, and begins another.
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0_u8..4;
    prop_oneof![
        4 => (key.clone(), 0_u8..3, 0_usize..400, 0_u8..2)
            .prop_map(|(key, byte, length, owner)| Step::Put { key, byte, length, owner }),
        1 => key.clone().prop_map(|key| Step::Delete { key }),
        1 => (key.clone(), key.clone()).prop_map(|(from, to)| Step::Copy { from, to }),
        8 => (key.clone(), any::<bool>()).prop_map(|(key, all)| Step::Get { key, all }),
        1 => (key, 0_u64..400).prop_map(|(key, first)| Step::GetRange { key, first }),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(file, at)| Step::Damage { file, at }),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(file, at)| Step::Cut { file, at }),
        1 => Just(Step::Reopen),
    ]
}

/// What a caller sees of a get.
async fn seen(
    s3: &impl S3Client,
    key: &ObjectKey,
    options: &GetOptions,
) -> Result<(ObjectInfo, Vec<u8>), String> {
    match s3.get_object(&bucket(), key, options).await {
        Ok(Object { info, body }) => Ok((info, body.bytes().await.unwrap().to_vec())),
        Err(error) => Err(format!("{:?} {:?} {:?}", error.kind(), error.status(), error.code())),
    }
}

async fn take(setup: &mut Setup, step: Step) {
    let max_bytes = 1500;
    let name = |number: u8| key(&format!("k{number}"));
    let damage = |setup: &Setup, file: usize, change: &dyn Fn(&mut Vec<u8>)| {
        let files = setup.files();
        if let Some(path) = files.get(file % files.len().max(1)) {
            let mut bytes = fs::read(path).unwrap();
            change(&mut bytes);
            fs::write(path, bytes).unwrap();
        }
    };
    match step {
        Step::Put { key, byte, length, owner } => {
            let metadata = vec![("owner".to_owned(), owner.to_string())];
            let options = PutOptions { metadata, ..Default::default() };
            let body = vec![byte; length].into();
            setup.s3.put_object(&bucket(), &name(key), body, &options).await.unwrap();
        }
        Step::Delete { key } => {
            let options = DeleteOptions::default();
            setup.s3.delete_object(&bucket(), &name(key), &options).await.unwrap();
        }
        Step::Copy { from, to } => {
            // It fails where there is no source, or where it is its own.
            let options = PutOptions::default();
            let _ = setup.s3.copy_object(&bucket(), &name(from), &name(to), &options).await;
        }
        Step::Get { key, all: true } => {
            let options = GetOptions::default();
            let cached = seen(&setup.s3, &name(key), &options).await;
            assert_eq!(cached, seen(&setup.memory, &name(key), &options).await);
        }
        Step::Get { key, all: false } => {
            drop(setup.s3.get_object(&bucket(), &name(key), &GetOptions::default()).await);
        }
        Step::GetRange { key, first } => {
            let options = GetOptions { range: Some(ByteRange::From(first)), ..Default::default() };
            let cached = seen(&setup.s3, &name(key), &options).await;
            assert_eq!(cached, seen(&setup.memory, &name(key), &options).await);
        }
        Step::Damage { file, at } => damage(setup, file, &|bytes| {
            let at = at % bytes.len().max(1);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 0x10;
            }
        }),
        Step::Cut { file, at } => {
            damage(setup, file, &|bytes| bytes.truncate(at % (bytes.len() + 1)))
        }
        Step::Reopen => {
            let counted = setup.requests.of(setup.memory.clone());
            let opened = ReadCache::open(setup.folder.path(), max_bytes, counted).await;
            setup.s3 = opened.unwrap().max_object(600);
        }
    }
    assert!(total(setup.folder.path()) <= max_bytes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_cache_gives_what_the_client_gives(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut setup = Setup::new(1500).await;
            take(&mut setup, Step::Reopen).await;
            for step in steps {
                take(&mut setup, step).await;
            }
        });
    }
}
