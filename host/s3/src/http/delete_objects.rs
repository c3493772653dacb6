use std::{collections::HashMap, time::Instant};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Method, StatusCode};
use md5::{Digest, Md5};
use quick_xml::escape::escape;
use serde::Deserialize;

use super::{
    HttpS3, encode,
    error_response::{Answered, ErrorXml},
    payload::Payload,
    request::{Request, target},
    response::{Answer, Reading},
};
use crate::{Bucket, DeleteOptions, DeleteOutcome, ObjectKey, Operation, S3Error, S3ErrorKind};

const OPERATION: Operation = Operation::DeleteObjects;

/// Most keys that one request can hold; S3's own bound.
const MAX_KEYS: usize = 1000;

/// Source: [DeleteObjects](https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html).
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct DeleteResult {
    deleted: Vec<Deleted>,
    error: Vec<Failed>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Deleted {
    key: String,
    delete_marker: bool,
    delete_marker_version_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Failed {
    key: String,
    code: String,
    message: String,
}

type Outcome = Result<DeleteOutcome, S3Error>;

impl HttpS3 {
    /// Deletes many objects (`DeleteObjects`): what became of each key, in their order.
    ///
    /// - A key without an object counts as deleted, as S3 has it;
    /// - 1,000 keys go into a request, and more into one after the other;
    /// - a key that failed for a reason that may pass is tried again, as the
    ///   [`RetryPolicy`](crate::RetryPolicy) says, without those that are gone;
    /// - a request that failed as a whole is the error of each of its keys;
    /// - a key of which the answer says nothing is an error. S3's quiet mode, where
    ///   silence is success, is therefore not used;
    /// - U+FFFE and U+FFFF cannot stand in XML: keys with them are deleted one by one.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # async fn example(s3: artifact_s3::HttpS3) -> Result<(), Box<dyn std::error::Error>> {
    /// use artifact_s3::{Bucket, ObjectKey};
    ///
    /// let keys = [ObjectKey::parse("runs/1/log")?, ObjectKey::parse("runs/1/patch")?];
    /// let outcomes = s3.delete_objects(&Bucket::parse("artifacts")?, &keys).await;
    /// for (key, outcome) in keys.iter().zip(outcomes) {
    ///     if let Err(error) = outcome {
    ///         eprintln!("{key} is still there: {error}");
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_objects(&self, bucket: &Bucket, keys: &[ObjectKey]) -> Vec<Outcome> {
        let mut outcomes = HashMap::with_capacity(keys.len());
        let (in_xml, alone): (Vec<&ObjectKey>, Vec<&ObjectKey>) =
            keys.iter().partition(|key| !key.as_str().contains(['\u{fffe}', '\u{ffff}']));
        for batch in in_xml.chunks(MAX_KEYS) {
            outcomes.extend(self.delete_batch(bucket, batch).await);
        }
        for key in alone {
            let outcome = self.delete_with_outcome(bucket, key, &DeleteOptions::default()).await;
            outcomes.insert(key, outcome);
        }
        let unknown = || Err(unmentioned());
        keys.iter().map(|key| outcomes.get(key).cloned().unwrap_or_else(unknown)).collect()
    }

    /// Deletes at most [`MAX_KEYS`] keys, and those that failed again where that may help.
    async fn delete_batch<'k>(
        &self,
        bucket: &Bucket,
        keys: &[&'k ObjectKey],
    ) -> HashMap<&'k ObjectKey, Outcome> {
        let mut outcomes = HashMap::with_capacity(keys.len());
        let mut left = keys.to_vec();
        let mut pauses = self.parts().retry.delays();
        let (began, mut attempts) = (Instant::now(), 0_u32);
        loop {
            let found = self.delete_once(bucket, &left).await;
            attempts = attempts.saturating_add(match &found {
                Ok((_, attempts)) => *attempts,
                Err(error) => error.attempts(),
            });
            let tried = |error: S3Error| error.after_attempts(attempts, began.elapsed());
            match found {
                // Sending has tried again already, as often as it may.
                Err(error) => {
                    let error = tried(error);
                    outcomes.extend(left.into_iter().map(|key| (key, Err(error.clone()))));
                    return outcomes;
                }
                Ok((found, _)) => {
                    outcomes.extend(found.into_iter().map(|(key, o)| (key, o.map_err(tried))));
                }
            }
            let again = |key: &&ObjectKey| {
                outcomes.get(key).is_some_and(|o| matches!(o, Err(e) if e.is_retryable()))
            };
            left.retain(again);
            if left.is_empty() || !self.parts().budget.withdraw(S3ErrorKind::Throttled) {
                return outcomes;
            }
            match pauses.next() {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return outcomes,
            }
        }
    }

    /// What became of each key, and how many tries that took.
    async fn delete_once<'k>(
        &self,
        bucket: &Bucket,
        keys: &[&'k ObjectKey],
    ) -> Result<(Vec<(&'k ObjectKey, Outcome)>, u32), S3Error> {
        let on = |error: S3Error| error.on(OPERATION, target(bucket, None));
        let xml = to_xml(keys);
        let mut request = Request::new(OPERATION, Method::POST, bucket, None, Reading::Whole);
        request.query = encode::query([("delete", "")]);
        let digest = STANDARD.encode(Md5::digest(&xml));
        request.headers.set("content-md5", &digest).map_err(on)?;
        request.headers.set("content-type", "application/xml").map_err(on)?;
        request.payload = Payload::of(xml.into());
        request.payload.hash_if_in_memory().await.map_err(on)?;
        let answer = self.send(&request).await?;
        let result: Result<DeleteResult, _> = answer.xml("DeleteResult", self.parts().endpoint());
        Ok((self.sort(bucket, keys, result.map_err(on)?, &answer), answer.attempts))
    }

    /// What the answer says of each key.
    fn sort<'k>(
        &self,
        bucket: &Bucket,
        keys: &[&'k ObjectKey],
        result: DeleteResult,
        answer: &Answer,
    ) -> Vec<(&'k ObjectKey, Outcome)> {
        let mut said: HashMap<String, Outcome> = HashMap::new();
        for Deleted { key, delete_marker, delete_marker_version_id } in result.deleted {
            let version_id = delete_marker_version_id.filter(|id| !id.is_empty());
            said.insert(key, Ok(DeleteOutcome { version_id, delete_marker }));
        }
        // An error counts more, should the answer say both.
        for Failed { key, code, message } in result.error {
            let error = Answered {
                operation: OPERATION,
                bucket,
                status: StatusCode::OK,
                headers: &answer.headers,
                place: &self.parts().places.of(bucket),
            };
            let xml = ErrorXml { code, message, ..ErrorXml::default() };
            said.insert(key, Err(error.into_failure_of(&xml).error));
        }
        let outcome = |key: &ObjectKey| {
            let of_key = |error: S3Error| error.on(OPERATION, target(bucket, Some(key)));
            said.get(key.as_str()).cloned().unwrap_or_else(|| Err(unmentioned())).map_err(of_key)
        };
        keys.iter().map(|key| (*key, outcome(key))).collect()
    }
}

fn unmentioned() -> S3Error {
    S3Error::new(
        S3ErrorKind::Service,
        "the answer does not say what became of this key; look whether it is still there",
    )
}

fn to_xml(keys: &[&ObjectKey]) -> String {
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Delete \
         xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
    );
    for key in keys {
        for part in ["<Object><Key>", &escape(key.as_str()), "</Key></Object>"] {
            xml.push_str(part);
        }
    }
    xml.push_str("</Delete>");
    xml
}
