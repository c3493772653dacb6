use artifact_s3::{DeleteOptions, S3Client};
use futures::{StreamExt, stream};
use http::HeaderMap;
use s3s::{
    S3Error, S3Result,
    dto::{DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, Error, ObjectIdentifier},
    s3_error,
};

use super::{Adapter, error::to_s3s, options::etag_condition, parse_bucket, parse_key, refuse};

/// Most keys that S3 takes in one call.
const MOST: usize = 1000;
/// Objects deleted side by side.
const WIDTH: usize = 16;

/// Deletes many objects, and tells of each what became of it.
pub(super) async fn delete(
    adapter: &Adapter,
    input: DeleteObjectsInput,
    headers: &HeaderMap,
) -> S3Result<DeleteObjectsOutput> {
    refuse!(input, bypass_governance_retention, expected_bucket_owner, mfa);
    let protected = headers
        .keys()
        .any(|name| name == "content-md5" || name.as_str().starts_with("x-amz-checksum-"));
    if !protected {
        return Err(s3_error!(
            InvalidRequest,
            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
        ));
    }
    let bucket = parse_bucket(&input.bucket)?;
    let objects = input.delete.objects;
    if !(1..=MOST).contains(&objects.len()) {
        return Err(s3_error!(
            MalformedXML,
            "The XML you provided was not well-formed or did not validate against our published \
             schema"
        ));
    }
    let deleted = stream::iter(objects).map(|object| {
        let bucket = &bucket;
        async move {
            let outcome = delete_one(adapter, bucket, &object).await;
            (object, outcome)
        }
    });
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (object, outcome) in deleted.buffered(WIDTH).collect::<Vec<_>>().await {
        let (key, version_id) = (Some(object.key), object.version_id);
        match outcome {
            Ok(()) => done.push(DeletedObject { key, version_id, ..Default::default() }),
            Err(error) => failed.push(Error {
                code: Some(error.code().as_str().to_owned()),
                message: error.message().map(str::to_owned),
                key,
                version_id,
            }),
        }
    }
    let quiet = input.delete.quiet.unwrap_or_default();
    Ok(DeleteObjectsOutput {
        deleted: (!quiet).then_some(done),
        errors: Some(failed),
        ..Default::default()
    })
}

async fn delete_one(
    adapter: &Adapter,
    bucket: &artifact_s3::Bucket,
    object: &ObjectIdentifier,
) -> Result<(), S3Error> {
    refuse!(object, last_modified_time, size);
    let key = parse_key(&object.key)?;
    let condition = object.e_tag.clone().map(s3s::dto::ETagCondition::ETag);
    let condition = adapter.remembered.behind(bucket, key.as_str(), condition);
    let options = DeleteOptions {
        version_id: object.version_id.clone(),
        if_match: condition.as_ref().map(etag_condition),
    };
    adapter.client.delete_object(bucket, &key, &options).await.map_err(to_s3s)?;
    adapter.remembered.forget(bucket, &key);
    Ok(())
}
