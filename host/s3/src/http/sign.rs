use std::{error::Error, time::Duration};

use http::{HeaderValue, request::Parts};
use reqsign_aws_v4::{Credential, RequestSigner};
use reqsign_core::{Context, SignRequest, Signer};

use crate::{S3Error, S3ErrorKind};

/// `reqsign`'s signature, over header values as AWS canonicalizes them.
///
/// AWS takes blanks in a row for one; `reqsign` leaves them, and its signature
/// over metadata such as `a  b` is refused. So it signs a copy in which they are
/// one, and the values are sent as they are.
#[derive(Debug)]
pub(super) struct S3Signer(RequestSigner);

impl S3Signer {
    pub(super) fn new(region: &str) -> Self {
        // Otherwise the token's header would depend on what the host's name looks like.
        Self(RequestSigner::new("s3", region).with_standard_session_token())
    }
}

impl SignRequest for S3Signer {
    type Credential = Credential;

    async fn sign_request(
        &self,
        context: &Context,
        request: &mut Parts,
        credential: Option<&Credential>,
        expires_in: Option<Duration>,
    ) -> reqsign_core::Result<()> {
        let mut as_sent = Vec::new();
        for (name, value) in &mut request.headers {
            if let Some(one_blank) = with_single_blanks(value) {
                as_sent.push((name.clone(), std::mem::replace(value, one_blank)));
            }
        }
        let signed = self.0.sign_request(context, request, credential, expires_in).await;
        for (name, value) in as_sent {
            request.headers.insert(name, value);
        }
        signed
    }
}

/// The value with blanks in a row as one, where there are any.
fn with_single_blanks(value: &HeaderValue) -> Option<HeaderValue> {
    if !value.as_bytes().windows(2).any(|pair| pair == b"  ") {
        return None;
    }
    let mut bytes = value.as_bytes().to_vec();
    bytes.dedup_by(|a, b| *a == b' ' && *b == b' ');
    HeaderValue::from_bytes(&bytes).ok()
}

/// Signs, and gives an error of the credentials' search as it was.
pub(super) async fn sign(signer: &Signer<Credential>, request: &mut Parts) -> Result<(), S3Error> {
    signer.sign(request, None).await.map_err(|error| {
        let mut source: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(inner) = source {
            if let Some(found) = inner.downcast_ref::<S3Error>() {
                return found.clone();
            }
            source = inner.source();
        }
        S3Error::new(S3ErrorKind::AccessDenied, format!("the request cannot be signed: {error}"))
            .caused_by(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_in_a_row_are_signed_as_one() {
        let value = |text| HeaderValue::from_static(text);
        assert_eq!(with_single_blanks(&value("a   b  c")), Some(value("a b c")));
        assert_eq!(with_single_blanks(&value("a b")), None);
    }
}
