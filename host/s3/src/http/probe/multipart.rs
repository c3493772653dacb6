use super::{
    Checks, Place, Tried, Verdict,
    conditions::OTHER_ETAG,
    place::{FIRST, SECOND},
    verdict::{refusal, unless_held_back},
};
use crate::{
    Feature, PutOptions, S3Error, S3ErrorKind, WriteCondition,
    http::{
        multipart::{CompletedPart, MultipartUpload},
        object_headers,
        payload::Payload,
        request::Headers,
    },
};

impl Place {
    /// Whether a large object can be stored, and one that was begun be found and removed.
    pub(super) async fn multipart(&self, checks: &mut Checks) {
        checks.of(Feature::Multipart, self.parts()).await;
        checks.of(Feature::ConditionalMultipart, self.conditional_parts()).await;
    }

    async fn parts(&self) -> Tried {
        let upload = match self.begin("parts").await {
            Ok(upload) => upload,
            Err(error) => return refusal(error),
        };
        let is_listed = self.is_unfinished(&upload).await?;
        let etag = self.complete(&upload, FIRST, Headers::default()).await?;
        if !self.holds("parts", FIRST).await? {
            return Ok(Verdict::wrong("the object is not what its part was"));
        }
        let abandoned = self.begin("abandoned").await?;
        self.send_part(&abandoned, FIRST).await?;
        abandoned.abort().await?;
        if self.is_unfinished(&abandoned).await? {
            return Ok(Verdict::wrong("an upload that was aborted is still there"));
        }
        if !is_listed {
            let message = "unfinished uploads are not listed: what is left behind is never found";
            return Ok(Verdict::wrong(message));
        }
        let of_parts = etag.is_some_and(|etag| etag.ends_with("-1"));
        Ok(Verdict::ok(if of_parts {
            "stores, lists and aborts; the etag counts the parts"
        } else {
            "stores, lists and aborts; the etag does not count the parts"
        }))
    }

    async fn conditional_parts(&self) -> Tried {
        self.put("whole", FIRST, &PutOptions::default()).await?;
        for (condition, ignored) in [
            (
                WriteCondition::IfAbsent,
                "If-None-Match: * on completing writes over what is there, and reports success",
            ),
            (
                WriteCondition::IfMatch(OTHER_ETAG.to_owned()),
                "If-Match on completing writes over any object, and reports success",
            ),
        ] {
            let upload = match self.begin("whole").await {
                Ok(upload) => upload,
                Err(error) => return refusal(error),
            };
            let mut headers = Headers::default();
            object_headers::set_condition(&condition, &mut headers)?;
            let held_back = self.complete(&upload, SECOND, headers).await;
            let verdict = unless_held_back(held_back, S3ErrorKind::PreconditionFailed, ignored)?;
            if let Some(verdict) = verdict {
                return Ok(verdict);
            }
        }
        Ok(if self.holds("whole", FIRST).await? {
            Verdict::ok("If-None-Match: * and If-Match hold completing back")
        } else {
            Verdict::ignored("completing reports a conflict, and writes all the same")
        })
    }

    async fn send_part(
        &self,
        upload: &MultipartUpload,
        text: &'static str,
    ) -> Result<CompletedPart, S3Error> {
        upload.send_part(1, Payload::of(text.into()), None).await
    }

    async fn complete(
        &self,
        upload: &MultipartUpload,
        text: &'static str,
        headers: Headers,
    ) -> Result<Option<String>, S3Error> {
        let part = self.send_part(upload, text).await?;
        let completed = upload.complete(&[part], None, headers).await?;
        self.wrote(upload.key.clone(), &completed.headers);
        Ok(completed.etag)
    }

    async fn is_unfinished(&self, upload: &MultipartUpload) -> Result<bool, S3Error> {
        let uploads = self.s3.unfinished_uploads(&self.bucket, &self.prefix("")).await?;
        Ok(uploads.iter().any(|unfinished| unfinished.upload_id == upload.id))
    }
}
