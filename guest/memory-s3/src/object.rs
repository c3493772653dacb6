use std::{collections::BTreeMap, rc::Rc};

use crate::{
    Blob, Budget,
    answers::{invalid_argument, refuse},
    bindings::agent::artifacts::types::{
        ContentHeaders, Encryption, ListedObject, ObjectInfo, PutOptions, S3Error,
    },
    budget::Share,
};

/// An object as it is kept. A copy shares its bytes.
#[derive(Debug)]
pub(crate) struct StoredObject {
    pub(crate) bytes: Rc<Blob>,
    pub(crate) etag: String,
    storage_class: Option<String>,
    content: ContentHeaders,
    metadata: Vec<(String, String)>,
    _share: Share,
}

/// What the entry of an object takes besides its texts.
const OVERHEAD: usize = 256;

impl StoredObject {
    /// What a put with these options stores.
    pub(crate) fn new(
        key: &str,
        bytes: Rc<Blob>,
        options: &PutOptions,
        budget: &Budget,
    ) -> Result<Self, S3Error> {
        let etag = bytes.etag();
        Self::described(key, bytes, etag, options, &options.content, &options.metadata, budget)
    }

    /// What a copy with these options stores.
    pub(crate) fn copied(
        &self,
        key: &str,
        options: &PutOptions,
        budget: &Budget,
    ) -> Result<Self, S3Error> {
        let (content, metadata) = if describes(options) {
            (&options.content, &options.metadata)
        } else {
            (&self.content, &self.metadata)
        };
        let (bytes, etag) = (Rc::clone(&self.bytes), self.etag.clone());
        Self::described(key, bytes, etag, options, content, metadata, budget)
    }

    fn described(
        key: &str,
        bytes: Rc<Blob>,
        etag: String,
        options: &PutOptions,
        content: &ContentHeaders,
        metadata: &[(String, String)],
        budget: &Budget,
    ) -> Result<Self, S3Error> {
        let texts = headers(content).into_iter().flatten().map(String::len).sum::<usize>()
            + metadata.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        Ok(Self {
            _share: budget.take(OVERHEAD + key.len() + texts)?,
            bytes,
            etag,
            // `STANDARD` is what an object has that names none; a copy takes none over.
            storage_class: options.storage_class.clone().filter(|class| class != "STANDARD"),
            content: content.clone(),
            metadata: normal(metadata),
        })
    }

    pub(crate) fn info(&self) -> ObjectInfo {
        ObjectInfo {
            size: self.bytes.len() as u64,
            etag: Some(self.etag.clone()),
            version_id: None,
            last_modified: None,
            storage_class: self.storage_class.clone(),
            content: self.content.clone(),
            metadata: self.metadata.clone(),
        }
    }

    pub(crate) fn listed(&self, key: &str) -> ListedObject {
        ListedObject {
            key: key.to_owned(),
            size: self.bytes.len() as u64,
            etag: Some(self.etag.clone()),
            last_modified: None,
            // Unlike the answer to a HEAD, a listing names STANDARD too.
            storage_class: Some(
                self.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned()),
            ),
        }
    }
}

/// Whether a copy with these options replaces what describes the source.
pub(crate) fn describes(options: &PutOptions) -> bool {
    headers(&options.content).iter().any(Option::is_some)
        || !options.metadata.is_empty()
        || !options.tags.is_empty()
}

/// Refuses the options that only a real service could honour, or that it would refuse.
///
/// Tags and a canned ACL are taken, and there is no call that would give them back.
pub(crate) fn check_options(options: &PutOptions) -> Result<(), S3Error> {
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
    match &options.encryption {
        Some(Encryption::S3Managed) => {
            return Err(refuse("the client in memory does not encrypt: leave SSE-S3 out"));
        }
        Some(Encryption::Kms(_)) => {
            return Err(refuse("the client in memory has no KMS: leave SSE-KMS out"));
        }
        None => {}
    }
    match &options.acl {
        Some(acl) if !CANNED.contains(&acl.as_str()) => {
            Err(invalid_argument("x-amz-acl is not a canned ACL"))
        }
        _ => Ok(()),
    }
}

fn headers(content: &ContentHeaders) -> [Option<&String>; 6] {
    [
        &content.content_type,
        &content.content_encoding,
        &content.content_disposition,
        &content.content_language,
        &content.cache_control,
        &content.expires,
    ]
    .map(Option::as_ref)
}

/// As S3 gives it back: names in lower case, sorted, values of one name joined.
fn normal(given: &[(String, String)]) -> Vec<(String, String)> {
    let mut metadata = BTreeMap::<String, String>::new();
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
