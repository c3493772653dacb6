use http::Method;
use serde::Deserialize;

use super::{
    HttpS3, encode,
    request::{Request, target},
    response::Reading,
};
use crate::{Bucket, ObjectKey, Operation, S3Error};

const OPERATION: Operation = Operation::GetObjectTagging;

/// Source: [GetObjectTagging](https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html).
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Tagging {
    tag_set: TagSet,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct TagSet {
    tag: Vec<Tag>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

impl HttpS3 {
    /// The tags of an object, names and values, sorted (`GetObjectTagging`).
    ///
    /// Of the version that is named, else of the current one. They are written with
    /// [`PutOptions::tags`](crate::PutOptions).
    pub async fn tags(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        version_id: Option<&str>,
    ) -> Result<Vec<(String, String)>, S3Error> {
        let on = |error: S3Error| error.on(OPERATION, target(bucket, Some(key)));
        let mut request = Request::new(OPERATION, Method::GET, bucket, Some(key), Reading::Whole);
        let version = version_id.map(|id| ("versionId", id));
        request.query = encode::query([("tagging", "")].into_iter().chain(version));
        let answer = self.send(&request).await?;
        let tagging: Tagging = answer.xml("Tagging", self.parts().endpoint()).map_err(on)?;
        let pairs = tagging.tag_set.tag.into_iter().map(|tag| (tag.key, tag.value));
        let mut tags: Vec<(String, String)> = pairs.collect();
        tags.sort();
        Ok(tags)
    }
}
