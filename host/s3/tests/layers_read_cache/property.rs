use std::fs;

use artifact_s3::{
    ByteRange, DeleteOptions, GetOptions, Object, ObjectInfo, ObjectKey, PutOptions, S3Client,
    layers::ReadCache,
};
use proptest::prelude::*;

use crate::{Setup, bucket, key, total};

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
            damage(setup, file, &|bytes| bytes.truncate(at % (bytes.len() + 1)));
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
