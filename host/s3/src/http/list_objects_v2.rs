use http::Method;
use serde::Deserialize;

use super::{
    HttpS3, encode,
    request::{Request, target},
    response::Reading,
};
use crate::{Bucket, ListOptions, ListedObject, Listing, Operation, S3Error};

const OPERATION: Operation = Operation::ListObjectsV2;

/// Source: [ListObjectsV2](https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html).
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct ListBucketResult {
    encoding_type: String,
    is_truncated: Option<bool>,
    next_continuation_token: Option<String>,
    contents: Vec<Contents>,
    common_prefixes: Vec<CommonPrefix>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Contents {
    key: String,
    size: u64,
    #[serde(rename = "ETag")]
    etag: String,
    last_modified: String,
    storage_class: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct CommonPrefix {
    prefix: String,
}

pub(super) async fn list_objects_v2(
    s3: &HttpS3,
    bucket: &Bucket,
    options: &ListOptions,
) -> Result<Listing, S3Error> {
    let on = |error: S3Error| error.on(OPERATION, target(bucket, None));
    options.check().map_err(on)?;
    let mut request = Request::new(OPERATION, Method::GET, bucket, None, Reading::Whole);
    request.query = query(options);
    let answer = s3.send(&request).await?;
    let listing: Result<ListBucketResult, _> =
        answer.xml("ListBucketResult", s3.parts().endpoint());
    listing.map_err(on)?.into_listing().map_err(|message| on(answer.refused(message)))
}

fn query(options: &ListOptions) -> String {
    let limit = options.limit.map(|limit| limit.to_string());
    let given = [
        ("list-type", Some("2")),
        // XML cannot carry every character that a key can.
        ("encoding-type", Some("url")),
        ("prefix", Some(options.prefix.as_str()).filter(|prefix| !prefix.is_empty())),
        ("delimiter", options.delimiter.as_deref()),
        ("start-after", options.start_after.as_deref()),
        ("continuation-token", options.continuation.as_deref()),
        ("max-keys", limit.as_deref()),
    ];
    encode::query(given.into_iter().filter_map(|(name, value)| Some((name, value?))))
}

impl ListBucketResult {
    pub(super) fn into_listing(self) -> Result<Listing, &'static str> {
        let encoded = self.encoding_type.eq_ignore_ascii_case("url");
        let decode = |text: String| {
            if encoded {
                encode::decode_listed(&text).ok_or("the listing holds a key that is not UTF-8")
            } else {
                Ok(text)
            }
        };
        let objects = self.contents.into_iter().map(|listed| {
            Ok(ListedObject {
                key: decode(listed.key)?,
                size: listed.size,
                etag: encode::unquoted(&listed.etag),
                last_modified: seconds(&listed.last_modified),
                storage_class: listed.storage_class.filter(|class| !class.is_empty()),
            })
        });
        let objects = objects.collect::<Result<_, &'static str>>()?;
        let prefixes = self.common_prefixes.into_iter().map(|common| decode(common.prefix));
        let common_prefixes = prefixes.collect::<Result<_, _>>()?;
        let continuation = self.next_continuation_token.filter(|token| !token.is_empty());
        let continuation = match (self.is_truncated.unwrap_or(false), continuation) {
            (false, _) => None,
            (true, Some(token)) => Some(token),
            // Going on without it would list the first page for ever.
            (true, None) => {
                return Err(
                    "the listing goes on, and the service did not say how to ask for the rest",
                );
            }
        };
        Ok(Listing { objects, common_prefixes, continuation })
    }
}

/// A time as XML gives it, in seconds since the Unix epoch.
pub(super) fn seconds(time: &str) -> Option<u64> {
    let time: jiff::Timestamp = time.trim().parse().ok()?;
    u64::try_from(time.as_second()).ok()
}
