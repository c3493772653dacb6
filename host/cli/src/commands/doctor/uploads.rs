use std::time::{Duration, SystemTime, UNIX_EPOCH};

use artifact_store::s3::{Bucket, HttpS3, S3Error, UnfinishedUpload};
use serde_json::{Value, json};

use crate::{
    args::{DoctorArgs, rfc3339},
    failure::{Exit, Failure},
    output::{Output, printable},
};

/// The uploads below the prefix that were begun and not ended.
pub struct Uploads(Option<Result<Vec<UnfinishedUpload>, S3Error>>);

impl Uploads {
    /// Where the service cannot be asked.
    pub fn unknown() -> Self {
        Self(None)
    }

    pub async fn find(s3: &HttpS3, bucket: &Bucket, prefix: &str) -> Self {
        Self(Some(s3.unfinished_uploads(bucket, prefix).await))
    }

    fn all(&self) -> &[UnfinishedUpload] {
        match &self.0 {
            Some(Ok(uploads)) => uploads,
            _ => &[],
        }
    }

    fn oldest(&self) -> Option<String> {
        self.all().iter().filter_map(|upload| upload.initiated).min().map(rfc3339)
    }

    pub fn as_text(&self, prefix: &str, to_be_aborted: bool) -> String {
        let place = match prefix {
            "" => "in the bucket".to_owned(),
            prefix => format!("below {prefix:?}"),
        };
        let of = self.oldest().map(|date| format!(", the oldest of {date}")).unwrap_or_default();
        let told = match &self.0 {
            None => return String::new(),
            Some(Err(error)) => format!("cannot be listed: {error}"),
            Some(Ok(uploads)) => match uploads.len() {
                0 => "none".to_owned(),
                count if to_be_aborted => format!("{count}{of}"),
                count => {
                    format!("{count}{of}; --abort-unfinished aborts them, those under way included")
                }
            },
        };
        format!("\nunfinished uploads {place}: {}\n", printable(&told))
    }

    /// Null where they cannot be listed.
    pub fn as_json(&self) -> Value {
        match &self.0 {
            Some(Ok(uploads)) => json!({
                "count": uploads.len(),
                "oldest": self.oldest(),
                "uploads": uploads.iter().map(describe).collect::<Vec<_>>(),
            }),
            _ => Value::Null,
        }
    }

    /// Aborts what the command line says, and tells each.
    pub async fn abort(
        &self,
        args: &DoctorArgs,
        (s3, bucket, prefix): (&HttpS3, &Bucket, &str),
        output: &Output,
    ) -> Result<(Vec<Value>, Exit), Failure> {
        let (mut aborted, mut exit) = (Vec::new(), Exit::Done);
        if !args.abort_unfinished {
            return Ok((aborted, exit));
        }
        if let Some(Err(error)) = &self.0 {
            let message = format!("the unfinished uploads below {prefix:?} cannot be listed");
            output.failure(&Failure::doctor(message).caused_by(error.clone()));
            return Ok((aborted, Exit::Failed));
        }
        let begun_before = args.older_than.map(|age| now().saturating_sub(age.0).as_secs());
        for upload in self.all() {
            // One of unknown age is not known to be old.
            let is_old = |before| upload.initiated.is_some_and(|initiated| initiated <= before);
            if begun_before.is_some_and(|before| !is_old(before)) {
                continue;
            }
            match s3.abort_upload(bucket, upload).await {
                Ok(()) if output.json => aborted.push(describe(upload)),
                Ok(()) => {
                    let begun = upload.initiated.map(|date| format!(", begun {}", rfc3339(date)));
                    let begun = begun.unwrap_or_default();
                    let line = format!("aborted {} ({}{begun})", upload.key, upload.upload_id);
                    output.data(&format!("{}\n", printable(&line)))?;
                }
                Err(error) => {
                    let message = format!("the upload of {} cannot be aborted", upload.key);
                    output.failure(&Failure::doctor(message).caused_by(error));
                    exit = Exit::Failed;
                }
            }
        }
        Ok((aborted, exit))
    }
}

fn describe(upload: &UnfinishedUpload) -> Value {
    json!({
        "key": upload.key,
        "upload_id": upload.upload_id,
        "initiated": upload.initiated.map(rfc3339),
    })
}

/// Time since the Unix epoch.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
