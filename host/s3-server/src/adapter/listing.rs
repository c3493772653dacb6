use artifact_s3::{ListOptions, ListedObject, Listing};
use s3s::{
    S3Result,
    dto::{
        CommonPrefix, ETag, EncodingType, ListObjectsV2Input, ListObjectsV2Output, Object,
        ObjectStorageClass,
    },
    s3_error,
};

use super::{calls, refuse};

/// What a listing asks for; none where it asks for no entries at all.
pub(super) fn options(input: &ListObjectsV2Input) -> S3Result<Option<ListOptions>> {
    refuse!(input, expected_bucket_owner, optional_object_attributes);
    let limit = match input.max_keys {
        None => None,
        Some(0) => return Ok(None),
        // More than a thousand is asked for often, and a thousand given.
        Some(keys) => {
            let keys = u32::try_from(keys)
                .map_err(|e| s3_error!(e, InvalidArgument, "max-keys must not be negative"))?;
            Some(keys.min(ListOptions::MAX_LIMIT))
        }
    };
    Ok(Some(ListOptions {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
        start_after: input.start_after.clone().filter(|key| !key.is_empty()),
        continuation: input.continuation_token.clone(),
        limit,
    }))
}

pub(super) fn output(input: ListObjectsV2Input, listing: Listing) -> S3Result<ListObjectsV2Output> {
    let url = input.encoding_type.as_ref().is_some_and(|e| e.as_str() == EncodingType::URL);
    let encode = |text: String| if url { url_encode(&text) } else { text };
    let count = listing.objects.len() + listing.common_prefixes.len();
    let objects: Vec<Object> = listing
        .objects
        .into_iter()
        .map(|object| listed(object, &encode))
        .collect::<S3Result<_>>()?;
    let prefixes: Vec<CommonPrefix> = listing
        .common_prefixes
        .into_iter()
        .map(|prefix| CommonPrefix { prefix: Some(encode(prefix)) })
        .collect();
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encode(input.prefix.unwrap_or_default())),
        max_keys: Some(input.max_keys.unwrap_or(1000).min(1000)),
        key_count: i32::try_from(count).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(listing.continuation.is_some()),
        next_continuation_token: listing.continuation,
        contents: Some(objects),
        common_prefixes: Some(prefixes),
        delimiter: input.delimiter.map(&encode),
        encoding_type: input.encoding_type,
        start_after: input.start_after.map(&encode),
        request_charged: None,
    })
}

fn listed(object: ListedObject, encode: &impl Fn(String) -> String) -> S3Result<Object> {
    Ok(Object {
        e_tag: object.etag.map(ETag::Strong),
        key: Some(encode(object.key)),
        last_modified: object.last_modified.map(calls::timestamp),
        size: Some(calls::length(object.size)?),
        storage_class: object.storage_class.map(ObjectStorageClass::from),
        ..Default::default()
    })
}

/// As S3 does for `encoding-type=url`: a form's encoding, but for the slash.
pub(crate) fn url_encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace("%2F", "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encoded_as_s3_does() {
        assert_eq!(url_encode("a//b c+d%2F&é"), "a//b+c%2Bd%252F%26%C3%A9");
    }
}
