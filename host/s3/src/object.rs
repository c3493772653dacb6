use crate::{Body, ContentHeaders};

/// The description of a stored object.
///
/// Source: `object-info` in `wit/types.wit`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Length of the whole object in bytes, also where a range of it was read.
    pub size: u64,
    /// The entity tag, without its quotes.
    pub etag: Option<String>,
    /// The version, where the bucket keeps versions.
    pub version_id: Option<String>,
    /// When it was last written, in seconds since the Unix epoch.
    pub last_modified: Option<u64>,
    /// The storage class; none means `STANDARD`.
    pub storage_class: Option<String>,
    /// Content headers.
    pub content: ContentHeaders,
    /// User metadata, names in lower case, sorted.
    pub metadata: Vec<(String, String)>,
}

/// An object that was opened: what it is, and its bytes.
#[derive(Debug)]
pub struct Object {
    /// The description.
    pub info: ObjectInfo,
    /// The bytes: all of them, or the range that was asked for.
    pub body: Body,
}

/// What a service says of a delete in a bucket that keeps versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOutcome {
    /// The version that was deleted, or that of the delete marker that was made.
    pub version_id: Option<String>,
    /// Whether a delete marker was made or, where a version was named, deleted.
    pub delete_marker: bool,
}

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The objects, in the order of their keys' bytes.
    pub objects: Vec<ListedObject>,
    /// What the keys that hold the delimiter have in common, in order.
    pub common_prefixes: Vec<String>,
    /// Goes into [`ListOptions::continuation`](crate::ListOptions) for the next
    /// page; none at the end.
    pub continuation: Option<String>,
}

/// One object in a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedObject {
    /// The key.
    pub key: String,
    /// Length in bytes.
    pub size: u64,
    /// The entity tag, without its quotes.
    pub etag: Option<String>,
    /// When it was last written, in seconds since the Unix epoch.
    pub last_modified: Option<u64>,
    /// The storage class.
    pub storage_class: Option<String>,
}
