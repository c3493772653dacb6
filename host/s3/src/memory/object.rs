use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use md5::{Digest, Md5};

use super::answers;
use crate::{
    Body, Encryption, ListedObject, ObjectInfo, PutOptions, S3Error, S3ErrorKind,
    body_error::failed,
};

/// An object as [`MemoryS3`](crate::MemoryS3) keeps it, for a test to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryObject {
    /// The description.
    pub info: ObjectInfo,
    /// All bytes.
    pub bytes: Bytes,
    /// Tags, as they were given.
    pub tags: Vec<(String, String)>,
    /// The canned ACL, where one was given.
    pub acl: Option<String>,
}

impl MemoryObject {
    /// What a put with these options stores.
    pub(super) fn new(bytes: Bytes, options: &PutOptions, now: u64) -> Self {
        let info = ObjectInfo {
            size: bytes.len() as u64,
            etag: Some(hex(&Md5::digest(&bytes))),
            version_id: None,
            last_modified: Some(now),
            storage_class: storage_class(options),
            content: options.content.clone(),
            metadata: normal_metadata(&options.metadata),
        };
        Self { info, bytes, tags: options.tags.clone(), acl: options.acl.clone() }
    }

    /// What a copy with these options stores.
    pub(super) fn copied(&self, options: &PutOptions, now: u64) -> Self {
        let mut copy = self.clone();
        copy.info.last_modified = Some(now);
        // Neither is taken over from the source: S3 stores copies as STANDARD and
        // private, unless the call says otherwise.
        copy.info.storage_class = storage_class(options);
        copy.acl.clone_from(&options.acl);
        if options.describes() {
            copy.info.content = options.content.clone();
            copy.info.metadata = normal_metadata(&options.metadata);
            copy.tags.clone_from(&options.tags);
        }
        copy
    }

    pub(super) fn listed(&self, key: &str) -> ListedObject {
        ListedObject {
            key: key.to_owned(),
            size: self.info.size,
            etag: self.info.etag.clone(),
            last_modified: self.info.last_modified,
            // Unlike the answer to a HEAD, a listing names STANDARD too.
            storage_class: Some(
                self.info.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned()),
            ),
        }
    }
}

/// Refuses the options that only a real service could honour, or that it would refuse.
pub(super) fn check_options(options: &PutOptions) -> Result<(), S3Error> {
    const CANNED: [&str; 8] = [
        "private",
        "public-read",
        "public-read-write",
        "authenticated-read",
        "aws-exec-read",
        "bucket-owner-read",
        "bucket-owner-full-control",
        "log-delivery-write",
    ];
    options.check()?;
    match &options.encryption {
        Some(Encryption::S3Managed) => {
            return Err(answers::refuse("the store in memory does not encrypt: leave SSE-S3 out"));
        }
        Some(Encryption::Kms(_)) => {
            return Err(answers::refuse("the store in memory has no KMS: leave SSE-KMS out"));
        }
        None => {}
    }
    match &options.acl {
        Some(acl) if !CANNED.contains(&acl.as_str()) => {
            Err(answers::invalid_argument("x-amz-acl is not a canned ACL"))
        }
        _ => Ok(()),
    }
}

/// All bytes of a body that keeps its word on its length.
pub(super) async fn collect(body: Body) -> Result<Bytes, S3Error> {
    let promised = body.length();
    let mut stream = body.into_stream();
    let (mut chunks, mut length) = (Vec::new(), 0);
    let kept_word = loop {
        let Some(chunk) = stream.try_next().await.map_err(failed)? else {
            break promised.is_none_or(|promised| promised == length);
        };
        length += chunk.len() as u64;
        if promised.is_some_and(|promised| promised < length) {
            break false;
        }
        chunks.push(chunk);
    };
    if !kept_word {
        let promised = promised.unwrap_or_default();
        let told =
            if length < promised { format!("ended after {length}") } else { "has more".to_owned() };
        return Err(S3Error::new(
            S3ErrorKind::BodyFailed,
            format!("the body said that it has {promised} bytes, and {told}"),
        ));
    }
    Ok(join(chunks))
}

/// One chunk is kept as it is; only several are copied.
fn join(mut chunks: Vec<Bytes>) -> Bytes {
    if chunks.len() == 1 {
        return chunks.pop().unwrap_or_default();
    }
    let mut all = BytesMut::with_capacity(chunks.iter().map(Bytes::len).sum());
    for chunk in chunks {
        all.extend_from_slice(&chunk);
    }
    all.freeze()
}

/// `STANDARD` is what an object has that names none.
fn storage_class(options: &PutOptions) -> Option<String> {
    options.storage_class.clone().filter(|class| class != "STANDARD")
}

/// As S3 gives it back: names in lower case, sorted, values of one name joined.
fn normal_metadata(given: &[(String, String)]) -> Vec<(String, String)> {
    let mut metadata = std::collections::BTreeMap::<String, String>::new();
    for (name, value) in given {
        metadata
            .entry(name.to_ascii_lowercase())
            .and_modify(|values| {
                values.push(',');
                values.push_str(value);
            })
            .or_insert_with(|| value.clone());
    }
    metadata.into_iter().collect()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
