//! The options of a call, those that were given, as `name: value`.

use std::fmt::Display;

use artifact_store::{
    ByteRange, ChecksumAlgorithm, DeleteOptions, Encryption, GetOptions, ListOptions, PutOptions,
    WriteCondition,
};

use crate::args::rfc3339;

pub fn of_put(options: &PutOptions) -> Vec<String> {
    let content = options.content.iter().map(|(name, value)| format!("{name}: {value}"));
    let named = |kind: &'static str, pairs: &[(String, String)]| {
        let shown = |(name, value): &(String, String)| format!("{kind}{name}: {value}");
        pairs.iter().map(shown).collect::<Vec<_>>()
    };
    let condition = match &options.condition {
        WriteCondition::Unconditional => None,
        WriteCondition::IfAbsent => Some("if-absent".to_owned()),
        WriteCondition::IfMatch(etag) => Some(format!("if-match: {etag}")),
    };
    let checksum = options.checksum.map(|algorithm| match algorithm {
        ChecksumAlgorithm::Crc32 => "crc32",
        ChecksumAlgorithm::Crc32c => "crc32c",
        ChecksumAlgorithm::Crc64Nvme => "crc64nvme",
        ChecksumAlgorithm::Sha256 => "sha256",
    });
    let encryption = options.encryption.as_ref().map(|encryption| match encryption {
        Encryption::S3Managed => "s3".to_owned(),
        Encryption::Kms(None) => "kms".to_owned(),
        Encryption::Kms(Some(key)) => format!("kms, key {key}"),
    });
    let rest = [
        condition,
        given("checksum", checksum),
        given("storage-class", options.storage_class.as_ref()),
        given("sse", encryption),
        given("acl", options.acl.as_ref()),
    ];
    let metadata = named("x-amz-meta-", &options.metadata);
    let tags = named("tag ", &options.tags);
    content.chain(metadata).chain(tags).chain(rest.into_iter().flatten()).collect()
}

pub fn of_get(options: &GetOptions) -> Vec<String> {
    let range = options.range.map(|range| match range {
        ByteRange::Closed(first, last) => format!("{first}-{last}"),
        ByteRange::From(first) => format!("{first}-"),
        ByteRange::Last(bytes) => format!("-{bytes}"),
    });
    let shown = [
        given("range", range),
        given("version-id", options.version_id.as_ref()),
        given("if-match", options.if_match.as_ref()),
        given("if-none-match", options.if_none_match.as_ref()),
        given("if-modified-since", options.if_modified_since.map(rfc3339)),
        given("if-unmodified-since", options.if_unmodified_since.map(rfc3339)),
    ];
    shown.into_iter().flatten().collect()
}

pub fn of_delete(options: &DeleteOptions) -> Vec<String> {
    let shown = [
        given("version-id", options.version_id.as_ref()),
        given("if-match", options.if_match.as_ref()),
    ];
    shown.into_iter().flatten().collect()
}

/// All but the prefix, which stands where a key stands.
pub fn of_list(options: &ListOptions) -> Vec<String> {
    let shown = [
        given("delimiter", options.delimiter.as_ref()),
        given("start-after", options.start_after.as_ref()),
        given("continuation", options.continuation.as_ref()),
    ];
    shown.into_iter().flatten().collect()
}

fn given(name: &str, value: Option<impl Display>) -> Option<String> {
    value.map(|value| format!("{name}: {value}"))
}
