use std::{collections::BTreeMap, ops::Range, rc::Rc};

use crate::{
    Blob, Budget, Settings, answers,
    bindings::agent::artifacts::types::{
        DeleteOptions, GetOptions, ListOptions, Listing, ObjectInfo, PutOptions, S3Error,
    },
    conditions, listing,
    object::{StoredObject, check_options, describes},
    range,
};

/// The buckets, and what is in them.
#[derive(Debug)]
pub struct Memory {
    settings: Settings,
    budget: Budget,
    buckets: BTreeMap<String, Objects>,
    nothing: Objects,
}

type Objects = BTreeMap<String, StoredObject>;

/// An object that was found: its description, its bytes, and which of them were asked for.
#[derive(Debug)]
pub struct Found {
    /// The description, of the whole object.
    pub info: ObjectInfo,
    /// All its bytes.
    pub bytes: Rc<Blob>,
    /// Those that were asked for.
    pub range: Range<usize>,
}

impl Memory {
    /// An empty one.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let budget = Budget::new(settings.capacity);
        Self { settings, budget, buckets: BTreeMap::new(), nothing: Objects::new() }
    }

    /// Where bytes that come in find room.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Stores a body (`PutObject`).
    pub fn put(
        &mut self,
        bucket: &str,
        key: &str,
        body: Rc<Blob>,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        check_options(options)?;
        self.check_condition(bucket, key, options)?;
        let object = StoredObject::new(key, body, options, &self.budget)?;
        Ok(self.insert(bucket, key, object))
    }

    /// Finds an object (`GetObject`, `HeadObject`).
    pub fn find(&self, bucket: &str, key: &str, options: &GetOptions) -> Result<Found, S3Error> {
        check_version(options.version_id.as_deref())?;
        let object = self.objects(bucket)?.get(key).ok_or_else(answers::no_such_key)?;
        conditions::check_read(&object.etag, options)?;
        let range = range::resolve(options.range, object.bytes.len())?;
        Ok(Found { info: object.info(), bytes: Rc::clone(&object.bytes), range })
    }

    /// Deletes an object, if there is one (`DeleteObject`).
    pub fn delete(
        &mut self,
        bucket: &str,
        key: &str,
        options: &DeleteOptions,
    ) -> Result<(), S3Error> {
        check_version(options.version_id.as_deref())?;
        let current = self.objects(bucket)?.get(key);
        if let Some(etag) = &options.if_match {
            let object = current.ok_or_else(answers::precondition_failed)?;
            conditions::require_match(etag, &object.etag)?;
        }
        if let Some(objects) = self.buckets.get_mut(bucket) {
            objects.remove(key);
        }
        Ok(())
    }

    /// Copies an object within its bucket (`CopyObject`).
    pub fn copy(
        &mut self,
        bucket: &str,
        source: &str,
        key: &str,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        check_options(options)?;
        if source == key && !describes(options) && options.storage_class.is_none() {
            return Err(answers::copy_changes_nothing());
        }
        let original = self.objects(bucket)?.get(source).ok_or_else(answers::no_such_key)?;
        let copy = original.copied(key, options, &self.budget)?;
        self.check_condition(bucket, key, options)?;
        Ok(self.insert(bucket, key, copy))
    }

    /// Lists one page (`ListObjectsV2`).
    pub fn list(&self, bucket: &str, options: &ListOptions) -> Result<Listing, S3Error> {
        listing::page(self.objects(bucket)?, options)
    }

    fn check_condition(
        &self,
        bucket: &str,
        key: &str,
        options: &PutOptions,
    ) -> Result<(), S3Error> {
        let current = self.objects(bucket)?.get(key).map(|object| object.etag.as_str());
        conditions::check_write(current, &options.condition)
    }

    fn insert(&mut self, bucket: &str, key: &str, object: StoredObject) -> ObjectInfo {
        let info = object.info();
        self.buckets.entry(bucket.to_owned()).or_default().insert(key.to_owned(), object);
        info
    }

    /// The objects of a bucket that exists.
    fn objects(&self, bucket: &str) -> Result<&Objects, S3Error> {
        match &self.settings.buckets {
            Some(buckets) if !buckets.contains(bucket) => Err(answers::no_such_bucket()),
            _ => Ok(self.buckets.get(bucket).unwrap_or(&self.nothing)),
        }
    }
}

fn check_version(version_id: Option<&str>) -> Result<(), S3Error> {
    match version_id {
        // `null` is S3's name for the one version of a bucket without versions.
        None | Some("null") => Ok(()),
        Some(_) => {
            Err(answers::refuse("the client in memory keeps no versions: leave version-id out"))
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::bindings::agent::artifacts::types::{
        ContentHeaders, Encryption, S3ErrorKind, WriteCondition,
    };

    pub(crate) const NO_GET_OPTIONS: GetOptions = GetOptions {
        range: None,
        version_id: None,
        if_match: None,
        if_none_match: None,
        if_modified_since: None,
        if_unmodified_since: None,
    };

    pub(crate) const NO_LIST_OPTIONS: ListOptions = ListOptions {
        prefix: String::new(),
        delimiter: None,
        start_after: None,
        continuation: None,
        limit: None,
    };

    const NO_PUT_OPTIONS: PutOptions = PutOptions {
        content: ContentHeaders {
            content_type: None,
            content_encoding: None,
            content_disposition: None,
            content_language: None,
            cache_control: None,
            expires: None,
        },
        metadata: Vec::new(),
        tags: Vec::new(),
        condition: WriteCondition::Unconditional,
        checksum: None,
        storage_class: None,
        encryption: None,
        acl: None,
    };

    pub(crate) fn memory() -> Memory {
        let buckets = Some(["bucket".to_owned()].into());
        Memory::new(Settings { buckets, capacity: 100_000 })
    }

    fn blob(memory: &Memory, bytes: &[u8]) -> Result<Rc<Blob>, S3Error> {
        let mut blob = Blob::new(None, memory.budget())?;
        blob.push(bytes)?;
        blob.finish().map(Rc::new)
    }

    pub(crate) fn put(memory: &mut Memory, key: &str, bytes: &[u8]) -> Result<ObjectInfo, S3Error> {
        let blob = blob(memory, bytes)?;
        memory.put("bucket", key, blob, &NO_PUT_OPTIONS)
    }

    fn kind<T>(result: Result<T, S3Error>) -> Option<S3ErrorKind> {
        result.err().map(|error| error.kind)
    }

    fn metadata(pairs: &[(&str, &str)]) -> PutOptions {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        PutOptions { metadata: pairs.iter().map(owned).collect(), ..NO_PUT_OPTIONS }
    }

    #[test]
    fn an_object_comes_back_with_its_description() {
        let mut memory = memory();
        let body = blob(&memory, b"12345").unwrap();
        let stored = memory
            .put("bucket", "k", body, &metadata(&[("B", "2"), ("a", "1"), ("b", "3")]))
            .unwrap();
        let found = memory.find("bucket", "k", &NO_GET_OPTIONS).unwrap();
        assert_eq!((found.info.size, found.range), (5, 0..5));
        assert_eq!(found.info.etag, stored.etag);
        assert_eq!(found.info.last_modified, None);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(found.info.metadata, [pair("a", "1"), pair("b", "2,3")]);
    }

    #[test]
    fn a_copy_takes_the_description_or_replaces_all_of_it() {
        let mut memory = memory();
        let body = blob(&memory, b"12345").unwrap();
        memory.put("bucket", "a", body, &metadata(&[("x", "1")])).unwrap();
        let copy = memory.copy("bucket", "a", "b", &NO_PUT_OPTIONS).unwrap();
        assert_eq!(copy.metadata.len(), 1);
        let copy = memory.copy("bucket", "a", "c", &metadata(&[("y", "2")])).unwrap();
        assert_eq!(copy.metadata, [("y".to_owned(), "2".to_owned())]);
        assert!(memory.copy("bucket", "a", "a", &NO_PUT_OPTIONS).is_err());
        assert_eq!(
            kind(memory.copy("bucket", "none", "d", &NO_PUT_OPTIONS)),
            Some(S3ErrorKind::NoSuchKey)
        );
    }

    #[test]
    fn only_buckets_that_are_named_exist() {
        let mut memory = memory();
        let body = blob(&memory, b"1").unwrap();
        let none = Some(S3ErrorKind::NoSuchBucket);
        assert_eq!(kind(memory.put("other", "k", body, &NO_PUT_OPTIONS)), none);
        assert_eq!(kind(memory.find("other", "k", &NO_GET_OPTIONS)), none);
        assert_eq!(kind(memory.list("other", &NO_LIST_OPTIONS)), none);

        let mut any = Memory::new(Settings { buckets: None, capacity: 10_000 });
        assert!(any.list("whatever", &NO_LIST_OPTIONS).unwrap().objects.is_empty());
        let body = blob(&any, b"1").unwrap();
        assert!(any.put("whatever", "k", body, &NO_PUT_OPTIONS).is_ok());
    }

    #[test]
    fn what_cannot_be_honoured_is_refused() {
        let mut memory = memory();
        put(&mut memory, "k", b"1").unwrap();
        let refused = Some(S3ErrorKind::InvalidRequest);
        let version = GetOptions { version_id: Some("v1".to_owned()), ..NO_GET_OPTIONS };
        assert_eq!(kind(memory.find("bucket", "k", &version)), refused);
        for encryption in [Encryption::S3Managed, Encryption::Kms(None)] {
            let body = blob(&memory, b"1").unwrap();
            let options = PutOptions { encryption: Some(encryption), ..NO_PUT_OPTIONS };
            assert_eq!(kind(memory.put("bucket", "e", body, &options)), refused);
        }
    }

    #[test]
    fn a_full_memory_refuses_and_a_delete_makes_room() {
        let mut memory = memory();
        put(&mut memory, "a", &vec![0; 60_000]).unwrap();
        assert_eq!(put(&mut memory, "b", &vec![0; 60_000]).unwrap_err().status, Some(507));
        let none = DeleteOptions { version_id: None, if_match: None };
        memory.delete("bucket", "a", &none).unwrap();
        assert_eq!(memory.budget().left(), 100_000);
        put(&mut memory, "b", &vec![0; 60_000]).unwrap();
        // An overwrite gives back what was there.
        put(&mut memory, "b", &vec![0; 10_000]).unwrap();
        assert!(memory.budget().left() > 80_000);
    }
}
