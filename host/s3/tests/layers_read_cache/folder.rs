use std::{
    fs,
    time::{Duration, SystemTime},
};

use artifact_s3::{GetOptions, MemoryS3, S3Client, layers::ReadCache};
use futures::future::join_all;

use crate::{MIB, Setup, bucket, key, total};

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
