use std::collections::BTreeMap;

use artifact_s3::{
    ByteRange, GetOptions, ListOptions, Listing, ObjectInfo, S3Client, S3Error, S3ErrorKind,
};
use bytes::Bytes;

use crate::{
    model::{Key, State},
    report::Violation,
    worker::{Ended, Worker, is_broken, of_body},
};

impl Worker {
    pub(crate) async fn get(&mut self, at: usize) -> Result<(), Violation> {
        let ended = self.read(at, GetOptions::default()).await;
        self.count("get", &ended);
        let key = &mut self.keys[at];
        key.log(format!("get: {}", ended.told()));
        found(key, &ended).map(drop)
    }

    /// Looks at a key of which it is not known what it holds, long after the last
    /// operation on it: what it shows now, it holds.
    pub(crate) async fn settle(&mut self, at: usize) -> Result<(), Violation> {
        let ended = self.read(at, GetOptions::default()).await;
        self.count("get", &ended);
        let key = &mut self.keys[at];
        key.log(format!("get, to settle: {}", ended.told()));
        if let Some(state) = found(key, &ended)? {
            let etag = if let Ended::Ok((info, _)) = ended { info.etag } else { None };
            key.is(state, etag);
        }
        Ok(())
    }

    pub(crate) async fn get_range(&mut self, at: usize) -> Result<(), Violation> {
        let Some(content) = self.keys[at].present().filter(|content| content.length() > 0) else {
            return Ok(());
        };
        let length = content.length();
        let first = self.random.usize(..length);
        let last = self.random.usize(first..length);
        let (range, expected) = match self.random.u8(..3) {
            0 => (ByteRange::From(first as u64), first..length),
            1 => (ByteRange::Last((length - first) as u64), first..length),
            _ => (ByteRange::Closed(first as u64, last as u64), first..last + 1),
        };
        let options = GetOptions { range: Some(range), ..GetOptions::default() };
        let ended = self.read(at, options).await;
        self.count("get range", &ended);
        let key = &mut self.keys[at];
        key.log(format!("get {range:?}: {}", ended.told()));
        match ended {
            Ended::Ok((_, bytes)) if bytes != content.bytes().slice(expected) => {
                Err(key.violated(format!("{range:?} has other bytes, {} of them", bytes.len())))
            }
            Ended::Err(error) if !is_broken(&error) => {
                Err(key.violated(format!("an unexpected error: {error:?}")))
            }
            _ => Ok(()),
        }
    }

    pub(crate) async fn head(&mut self, at: usize) -> Result<(), Violation> {
        let (s3, bucket) = (self.s3.clone(), self.world.bucket.clone());
        let key = self.keys[at].name.clone();
        let ended = self.ended(s3.head_object(&bucket, &key, &GetOptions::default())).await;
        self.count("head", &ended);
        let key = &mut self.keys[at];
        key.log(format!("head: {}", ended.told()));
        match ended {
            Ended::Ok(info) if !key.candidates().any(|c| c.length() as u64 == info.size) => {
                Err(key.violated(format!("a head says {} bytes", info.size)))
            }
            Ended::Ok(info) if key.etag.is_some() && key.etag != info.etag => {
                Err(key.violated(format!("a head says {:?}, the put {:?}", info.etag, key.etag)))
            }
            Ended::Err(error) => missing(key, &error).map(drop),
            _ => Ok(()),
        }
    }

    /// Lists all keys of this task, and compares them with the model.
    pub(crate) async fn list(&mut self) -> Result<(), Violation> {
        let limit = self.random.bool().then(|| self.random.u32(1..6));
        let prefix = self.prefix();
        let (s3, bucket) = (self.s3.clone(), self.world.bucket.clone());
        let pages = async {
            let mut sizes = BTreeMap::new();
            let mut options = ListOptions { prefix, limit, ..ListOptions::default() };
            loop {
                let Listing { objects, continuation, .. } =
                    s3.list_objects(&bucket, &options).await?;
                sizes.extend(objects.into_iter().map(|object| (object.key, object.size)));
                options.continuation = continuation;
                if options.continuation.is_none() {
                    return Ok(sizes);
                }
            }
        };
        let ended = self.ended(pages).await;
        self.count("list", &ended);
        match ended {
            Ended::Ok(mut sizes) => {
                for key in &self.keys {
                    let size = sizes.remove(key.name.as_str());
                    let fits = match size {
                        None => key.may_hold(State::Absent),
                        Some(size) => key.candidates().any(|c| c.length() as u64 == size),
                    };
                    if !fits {
                        return Err(key.violated(format!("a listing of {limit:?} says {size:?}")));
                    }
                }
                match sizes.pop_first() {
                    Some((key, _)) => Err(unknown(key)),
                    None => Ok(()),
                }
            }
            Ended::Err(error) if !is_broken(&error) => Err(Violation {
                key: self.prefix(),
                what: format!("an unexpected error: {error:?}"),
                log: Vec::new(),
            }),
            _ => Ok(()),
        }
    }

    async fn read(&mut self, at: usize, options: GetOptions) -> Ended<(ObjectInfo, Bytes)> {
        let (s3, bucket) = (self.s3.clone(), self.world.bucket.clone());
        let key = self.keys[at].name.clone();
        let read = async {
            let object = s3.get_object(&bucket, &key, &options).await?;
            let bytes = object.body.bytes().await.map_err(of_body)?;
            Ok((object.info, bytes))
        };
        self.ended(read).await
    }
}

/// What a get shows that the key holds; none where it shows nothing.
fn found(key: &Key, ended: &Ended<(ObjectInfo, Bytes)>) -> Result<Option<State>, Violation> {
    match ended {
        Ended::Ok((info, bytes)) => {
            let same = key
                .candidates()
                .find(|content| content.length() == bytes.len() && content.bytes() == bytes);
            match same {
                Some(_) if info.size != bytes.len() as u64 => {
                    Err(key.violated(format!("a get says {} bytes", info.size)))
                }
                Some(_) if key.etag.is_some() && key.etag != info.etag => {
                    Err(key.violated(format!("a get says {:?}, the put {:?}", info.etag, key.etag)))
                }
                Some(content) => Ok(Some(State::Holds(content))),
                None => {
                    Err(key.violated(format!("a get has other bytes, {} of them", bytes.len())))
                }
            }
        }
        Ended::Err(error) => Ok(missing(key, error)?.then_some(State::Absent)),
        Ended::Dropped => Ok(None),
    }
}

/// Whether the error says that nothing is there, which must be possible then.
fn missing(key: &Key, error: &S3Error) -> Result<bool, Violation> {
    match error.kind() {
        S3ErrorKind::NoSuchKey if key.may_hold(State::Absent) => Ok(true),
        S3ErrorKind::NoSuchKey => Err(key.violated("what was put is not there")),
        // The object changed between two tries.
        S3ErrorKind::PreconditionFailed if key.settled().is_none() => Ok(false),
        _ if is_broken(error) => Ok(false),
        _ => Err(key.violated(format!("an unexpected error: {error:?}"))),
    }
}

pub(crate) fn unknown(key: String) -> Violation {
    Violation { key, what: "nobody put it".to_owned(), log: Vec::new() }
}
