use http::Method;

use super::{
    Checks, Place, Tried, Verdict,
    place::{FIRST, SECOND},
    verdict::refusal,
};
use crate::{
    Body, ChecksumAlgorithm, Operation, S3Error,
    body_error::failed,
    http::{
        request::{Request, target},
        response::Reading,
    },
};

impl Place {
    /// Whether a checksum is taken, looked at, and given back.
    pub(super) async fn checksums(&self, checks: &mut Checks) {
        for algorithm in [
            ChecksumAlgorithm::Crc32,
            ChecksumAlgorithm::Crc32c,
            ChecksumAlgorithm::Crc64Nvme,
            ChecksumAlgorithm::Sha256,
        ] {
            checks.of(algorithm.into(), self.checksum(algorithm)).await;
        }
    }

    async fn checksum(&self, algorithm: ChecksumAlgorithm) -> Tried {
        let name = algorithm.name();
        let of = |text: &'static str| algorithm.of(Body::from(text).into_stream());
        let right = of(FIRST).await.map_err(failed)?;
        let wrong = of(SECOND).await.map_err(failed)?;
        let header = algorithm.header();
        if let Err(error) = self.put_with_header(name, FIRST, (header, &right)).await {
            return refusal(error);
        }
        let given_back = self.given_back(name, header).await?;
        match self.put_with_header(name, FIRST, (header, &wrong)).await {
            Ok(()) => return Ok(Verdict::ignored("takes a checksum, and does not look at it")),
            // That it is the caller's fault is all that services agree on.
            Err(error) => drop(refusal(error)?),
        }
        Ok(Verdict::ok(match given_back.as_deref() {
            Some(given) if given == right => "a wrong one is refused; given back on a get",
            Some(_) => "a wrong one is refused; another one is given back on a get",
            None => "a wrong one is refused; not given back on a get",
        }))
    }

    async fn given_back(&self, name: &str, header: &str) -> Result<Option<String>, S3Error> {
        let key = self.key(name)?;
        let operation = Operation::GetObject;
        let mut request =
            Request::new(operation, Method::GET, &self.bucket, Some(&key), Reading::Whole);
        let on = |error: S3Error| error.on(operation, target(&self.bucket, Some(&key)));
        request.headers.set("x-amz-checksum-mode", "ENABLED").map_err(on)?;
        let answer = self.s3.send(&request).await?;
        let value = answer.headers.get(header).and_then(|value| value.to_str().ok());
        Ok(value.map(str::to_owned))
    }
}
