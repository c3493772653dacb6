use artifact_store::ObjectInfo;
use serde_json::{Map, Value, json};

use crate::args::rfc3339;

/// What is known of an artifact, as names and values in a fixed order.
///
/// The names are those of the HTTP headers where there is one.
pub fn description(key: &str, info: &ObjectInfo) -> Vec<(String, String)> {
    let fixed = [
        ("key", Some(key.to_owned())),
        ("size", Some(info.size.to_string())),
        ("etag", info.etag.clone()),
        ("last-modified", info.last_modified.map(rfc3339)),
        ("version-id", info.version_id.clone()),
        ("storage-class", info.storage_class.clone()),
    ];
    let fixed = fixed.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let content = info.content.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let metadata =
        info.metadata.iter().map(|(name, value)| (format!("x-amz-meta-{name}"), value.clone()));
    fixed.chain(content).chain(metadata).collect()
}

/// The same as one JSON object. What is not known is null.
pub fn description_json(key: &str, info: &ObjectInfo) -> Value {
    let metadata: Map<String, Value> =
        info.metadata.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let mut value = json!({
        "key": key,
        "size": info.size,
        "etag": info.etag,
        "last_modified": info.last_modified.map(rfc3339),
        "version_id": info.version_id,
        "storage_class": info.storage_class,
        "metadata": metadata,
    });
    for (name, text) in [
        ("content_type", &info.content.content_type),
        ("content_encoding", &info.content.content_encoding),
        ("content_disposition", &info.content.content_disposition),
        ("content_language", &info.content.content_language),
        ("cache_control", &info.content.cache_control),
        ("expires", &info.content.expires),
    ] {
        value[name] = text.clone().into();
    }
    value
}
