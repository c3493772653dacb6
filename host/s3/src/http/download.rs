use std::{io, ops::Range, time::Instant};

use bytes::Bytes;
use futures::{Stream, stream};
use http::{Method, StatusCode};

use super::{
    HttpS3, ToldChecksum,
    checksum::Hasher,
    content_range,
    get_object::read_request,
    object_headers,
    request::target,
    response::{Answer, broken_off},
    retry::{Delays, OVER_BUDGET},
    transport::ResponseBody,
};
use crate::{
    Body, Bucket, GetOptions, Object, ObjectInfo, ObjectKey, Operation, ReadError, S3Error,
    S3ErrorKind,
};

/// The bytes of an object on their way here.
///
/// Where they break off, they go on with a request for the rest, which the service
/// answers only if the object is still the one that was begun: bytes of two versions
/// are never mixed. Each byte that arrives renews the tries of the retry policy.
///
/// The last bytes are given out only when the checksum of all of them is right, so
/// that what is damaged never looks complete.
pub(super) struct Download {
    s3: HttpS3,
    bucket: Bucket,
    key: ObjectKey,
    options: GetOptions,
    /// As it was when the download began.
    info: ObjectInfo,
    response: ResponseBody,
    /// What is still to come.
    rest: Range<u64>,
    verifying: Option<(Hasher, ToldChecksum)>,
    /// The version that the service told is asked for; not where that is denied.
    pins_version: bool,
    /// Whether nothing came since it was asked for.
    fruitless: bool,
    delays: Delays,
    requests: u32,
    began: Instant,
}

impl Download {
    /// The download that an answer begins; an error if that is not what was asked for.
    pub(super) fn begin(
        s3: &HttpS3,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &GetOptions,
        mut answer: Answer,
    ) -> Result<Self, S3Error> {
        let rest = content_range::of_answer(&answer, options.range)?;
        let info = object_headers::info(&answer.headers).map_err(|error| answer.tried(error))?;
        let Some(response) = answer.stream.take() else {
            return Err(answer.refused("the answer has no body"));
        };
        // What the service tells with a part is not of the whole.
        let verifies = s3.parts().verify_downloads && options.range.is_none();
        let told = verifies.then(|| ToldChecksum::of(&answer.headers)).flatten();
        Ok(Self {
            s3: s3.clone(),
            bucket: bucket.clone(),
            key: key.clone(),
            options: options.clone(),
            info,
            response,
            rest,
            verifying: told.map(|told| (Hasher::new(told.algorithm), told)),
            pins_version: true,
            fruitless: false,
            delays: s3.parts().retry.delays(),
            requests: answer.attempts,
            began: answer.began.unwrap_or_else(Instant::now),
        })
    }

    pub(super) fn into_object(self) -> Object {
        let info = self.info.clone();
        let length = self.rest.end - self.rest.start;
        let told = self.verifying.as_ref().map(|(_, told)| told.clone());
        Object { info, body: Body::from_stream(self.into_stream(), Some(length)).told(told) }
    }

    fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send {
        // Boxed, as it moves with each chunk.
        stream::try_unfold(Box::new(self), |mut download| async move {
            match download.next().await {
                Ok(chunk) => Ok(chunk.map(|chunk| (chunk, download))),
                Err(error) => Err(io::Error::from(
                    error
                        .on(Operation::GetObject, target(&download.bucket, Some(&download.key)))
                        .after_attempts(download.requests, download.began.elapsed()),
                )),
            }
        })
    }

    async fn next(&mut self) -> Result<Option<Bytes>, S3Error> {
        while !self.rest.is_empty() {
            match self.read().await {
                Ok(chunk) if chunk.is_empty() => {}
                Ok(chunk) => {
                    self.accept(&chunk)?;
                    return Ok(Some(chunk));
                }
                Err(error) => self.resume(error).await?,
            }
        }
        // Of an object without bytes; else it was done with the last of them.
        self.verify()?;
        Ok(None)
    }

    async fn read(&mut self) -> Result<Bytes, S3Error> {
        let idle = self.s3.parts().idle_timeout;
        let service = self.s3.parts().endpoint().authority();
        let chunk = self.response.chunk().await;
        let chunk = chunk.map_err(|error| broken_off(service, idle, error))?;
        // The HTTP library sees to it where the answer told its own length.
        chunk.ok_or_else(|| {
            let left = self.rest.end - self.rest.start;
            S3Error::new(
                S3ErrorKind::Unreachable,
                format!("the answer of {service} ended {left} bytes before the end"),
            )
        })
    }

    fn accept(&mut self, chunk: &Bytes) -> Result<(), S3Error> {
        let next = self.rest.start + chunk.len() as u64;
        if next > self.rest.end {
            return Err(S3Error::new(
                S3ErrorKind::Service,
                "the service sent more bytes than it said",
            ));
        }
        self.rest.start = next;
        self.fruitless = false;
        self.delays = self.s3.parts().retry.delays();
        if let Some((hasher, _)) = &mut self.verifying {
            hasher.update(chunk);
        }
        if self.rest.is_empty() { self.verify() } else { Ok(()) }
    }

    fn verify(&mut self) -> Result<(), S3Error> {
        match self.verifying.take() {
            Some((hasher, told)) => told.check(hasher),
            None => Ok(()),
        }
    }

    /// Asks for the rest, after a pause; gives up with what `broke` the answer before.
    async fn resume(&mut self, broke: S3Error) -> Result<(), S3Error> {
        if !broke.is_retryable() {
            return Err(broke);
        }
        let Some(etag) = self.info.strong_etag().map(str::to_owned) else {
            return Err(broke.noting(Some(
                "it cannot go on from there, as the service gave no etag to tell whether the \
                 object is still the same"
                    .to_owned(),
            )));
        };
        let Some(pause) = self.delays.next() else {
            return Err(broke);
        };
        // A service that sends bytes, if few at a time, is not hammered by who takes them.
        if self.fruitless && !self.s3.parts().budget.withdraw(broke.kind()) {
            return Err(broke.noting(Some(OVER_BUDGET.to_owned())));
        }
        self.fruitless = true;
        tracing::debug!(
            target = target(&self.bucket, Some(&self.key)),
            next = self.rest.start,
            end = self.rest.end,
            error = %broke,
            "resuming a download"
        );
        tokio::time::sleep(pause).await;
        let answer = self.ask_for_rest(&etag).await?;
        self.check(&answer, &etag)?;
        if let Some(response) = answer.stream {
            self.response = response;
        }
        Ok(())
    }

    async fn ask_for_rest(&mut self, etag: &str) -> Result<Answer, S3Error> {
        let told = self.info.version_id.clone().filter(|_| self.pins_version);
        let mut options = self.options.of_part(&self.rest, etag);
        options.version_id = options.version_id.or_else(|| told.clone());
        let (operation, method) = (Operation::GetObject, Method::GET);
        let request = read_request(operation, method, &self.bucket, &self.key, &options)?;
        let error = match self.s3.send(&request).await {
            Ok(answer) => {
                self.requests += answer.attempts;
                return Ok(answer);
            }
            Err(error) => error,
        };
        self.requests += error.attempts();
        match error.kind() {
            // To read a version by its name takes a permission of its own
            // (`s3:GetObjectVersion`); the etag says as well which one is meant.
            S3ErrorKind::AccessDenied if told.is_some() && self.options.version_id.is_none() => {
                self.pins_version = false;
                Box::pin(self.ask_for_rest(etag)).await
            }
            _ if error.is_changed() => Err(S3Error::changed(Some(error))),
            _ => Err(error),
        }
    }

    /// Whether an answer is the rest that was asked for, of the same object.
    fn check(&self, answer: &Answer, etag: &str) -> Result<(), S3Error> {
        if answer.status != StatusCode::PARTIAL_CONTENT {
            return Err(answer.refused(
                "the service ignored the range and sent the whole object, so that the download \
                 cannot go on from where it broke off",
            ));
        }
        let range = content_range::told(answer)?;
        let told = object_headers::written(&answer.headers);
        let other = |told: Option<&str>, ours: Option<&str>| {
            told.zip(ours).is_some_and(|(told, ours)| told != ours)
        };
        if range.total != self.info.size
            || other(told.etag.as_deref(), Some(etag))
            || other(told.version_id.as_deref(), self.info.version_id.as_deref())
        {
            return Err(S3Error::changed(None));
        }
        if told.etag.is_none() {
            return Err(answer.refused("the service no longer says which etag the object has"));
        }
        range.expect(&self.rest, answer)
    }
}
