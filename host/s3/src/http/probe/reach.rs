use std::time::Duration;

use http::{header, response};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::{Checks, Verdict};
use crate::{
    Bucket, Feature, S3Error, S3ErrorKind,
    http::{
        HttpS3,
        error_response::clean,
        progress::{Progress, Stalled},
        transport::TransportError,
        upload::Outgoing,
    },
};

/// Longest time for each step on the way to the service.
const PATIENCE: Duration = Duration::from_secs(10);

/// Services refuse signatures that are 15 minutes off; half of that is a warning in time.
const MAX_SKEW: Duration = Duration::from_mins(7);

/// Goes to the service step by step, so that the message says which one failed: name,
/// connection, TLS, HTTP. Asks for nothing that takes a signature.
pub(super) async fn reach(s3: &HttpS3, bucket: &Bucket, checks: &mut Checks) {
    let mut skew = None;
    checks
        .of(Feature::Endpoint, async {
            let answer = answer(s3, bucket).await?;
            if answer.headers.contains_key(header::DATE) {
                s3.parts().clock.observe(&answer.headers);
                skew = Some(s3.parts().clock.skew());
            }
            let server = answer.headers.get(header::SERVER).and_then(|name| name.to_str().ok());
            let server = server.map(|name| format!(" ({})", clean(name, 60))).unwrap_or_default();
            Ok(Verdict::ok(format!("{} answers{server}", s3.endpoint())))
        })
        .await;
    let untold = || Verdict::wrong("the service does not say what time it is");
    checks.of(Feature::Clock, async { Ok(skew.map_or_else(untold, clock)) }).await;
}

/// Says who signs.
pub(super) async fn credentials(s3: &HttpS3, checks: &mut Checks) {
    let trial = async { Ok(Verdict::ok(format!("from: {}", s3.credentials_source().await?))) };
    checks.of(Feature::Credentials, trial).await;
}

async fn answer(s3: &HttpS3, bucket: &Bucket) -> Result<response::Parts, S3Error> {
    let parts = s3.parts();
    let place = parts.places.of(bucket);
    let url = place.endpoint.url(place.addressing, bucket, None, "");
    let request = http::Request::head(&url).body(()).map_err(|error| {
        S3Error::new(S3ErrorKind::InvalidRequest, "the endpoint and the bucket make no URL")
            .caused_by(error)
    })?;
    let (head, ()) = request.into_parts();
    let host = head.uri.host().unwrap_or_default().to_owned();
    let is_https = head.uri.scheme_str() == Some("https");
    if !parts.proxied {
        let port = head.uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        connect(&host, port).await?;
    }
    let progress = Progress::new(PATIENCE);
    let body = Outgoing::memory(Vec::new(), &progress);
    let sent = timeout(PATIENCE, parts.http.send(head, body, &progress)).await;
    let sent = sent.unwrap_or(Err(TransportError::Stalled(Stalled::Service)));
    sent.map(|(head, _)| head).map_err(|error| {
        let step = match &error {
            TransportError::Stalled(_) => {
                return unreachable("HTTP", &host, "it gives no answer", None);
            }
            TransportError::Connect(_) if is_https => "TLS",
            TransportError::Connect(_) => "the connection",
            TransportError::Broke(_) => "HTTP",
        };
        unreachable(step, &host, &error.root_cause(), Some(Box::new(error)))
    })
}

async fn connect(host: &str, port: u16) -> Result<(), S3Error> {
    // The brackets of an IPv6 address are the URL's.
    let name = host.trim_matches(['[', ']']);
    let found = timeout(PATIENCE, lookup_host((name, port))).await;
    let found =
        found.map_err(|_| unreachable("looking up the name", host, "no answer from DNS", None))?;
    let addresses = found.map_err(|error| {
        unreachable(
            "looking up the name",
            host,
            "DNS knows no address of it; check the endpoint",
            Some(error.into()),
        )
    })?;
    let mut last = unreachable("looking up the name", host, "DNS knows no address of it", None);
    for address in addresses {
        last = match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => {
                let cause = format!("{address}: {error}");
                unreachable("the connection", host, &cause, Some(error.into()))
            }
            Err(_) => {
                unreachable("the connection", host, &format!("{address} does not answer"), None)
            }
        };
    }
    Err(last)
}

fn unreachable(
    step: &str,
    host: &str,
    cause: &str,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
) -> S3Error {
    let error = S3Error::new(S3ErrorKind::Unreachable, format!("{host}: {step} failed: {cause}"));
    match source {
        Some(source) => error.caused_by(source),
        None => error,
    }
}

/// What the two clocks say. HTTP dates are whole seconds, and cut off.
fn clock(ahead: i64) -> Verdict {
    let seconds = ahead.unsigned_abs();
    if seconds < 3 {
        return Verdict::ok("agrees with the service's");
    }
    let side = if ahead > 0 { "behind" } else { "ahead of" };
    let message = format!("{seconds} s {side} the service's");
    if seconds < MAX_SKEW.as_secs() {
        return Verdict::ok(message);
    }
    Verdict::wrong(format!("{message}: set this machine's clock (by NTP)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Finding;

    #[test]
    fn a_clock_that_is_off_is_told_with_its_side() {
        assert_eq!(clock(-1).message, "agrees with the service's");
        assert_eq!(clock(-60).message, "60 s ahead of the service's");
        assert_eq!(clock(-60).finding, Finding::Ok);
        let hour = clock(3600);
        assert!(hour.message.starts_with("3600 s behind the service's: set"), "{}", hour.message);
        assert_eq!(hour.finding, Finding::Failed);
    }
}
