use std::sync::Arc;

use arc_swap::ArcSwap;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use super::sign::unsignable;
use crate::S3Error;

const SECONDS_OF_DAY: i64 = 24 * 60 * 60;

/// Most regions and services for which a day's key is remembered.
const MAX_DERIVED: usize = 16;

/// What a secret comes to for one day, region and service.
pub(super) struct SigningKey {
    /// Days from the Unix epoch.
    day: i64,
    region: String,
    service: &'static str,
    /// As in `20260131/eu-west-1/s3/aws4_request`.
    scope: String,
    /// Begins each signature.
    mac: Hmac<Sha256>,
}

impl SigningKey {
    fn derive(
        secret: &str,
        day: i64,
        region: &str,
        service: &'static str,
    ) -> Result<Self, S3Error> {
        let midnight = Timestamp::from_second(day * SECONDS_OF_DAY);
        let date = midnight.map_err(|error| unsignable().caused_by(error))?.strftime("%Y%m%d");
        let scope = format!("{date}/{region}/{service}/aws4_request");
        let mut mac = keyed(format!("AWS4{secret}").as_bytes())?;
        for part in scope.split('/') {
            mac.update(part.as_bytes());
            mac = keyed(&mac.finalize().into_bytes())?;
        }
        Ok(Self { day, region: region.to_owned(), service, scope, mac })
    }

    /// Day, region, service: what this key is good for.
    pub(super) fn scope(&self) -> &str {
        &self.scope
    }

    /// A time of this day as in `20260131T235959Z`.
    pub(super) fn write_time(&self, seconds: i64) -> String {
        let date = self.scope.split('/').next().unwrap_or_default();
        let of_day = seconds.rem_euclid(SECONDS_OF_DAY);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        format!("{date}T{hour:02}{minute:02}{second:02}Z")
    }

    /// The signature of a statement, which comes in pieces.
    pub(super) fn sign<'a>(&self, statement: impl IntoIterator<Item = &'a str>) -> [u8; 32] {
        let mut mac = self.mac.clone();
        statement.into_iter().for_each(|piece| mac.update(piece.as_bytes()));
        mac.finalize().into_bytes().into()
    }
}

/// The signing keys that were derived from one secret, of the day of the last of them.
///
/// Deriving one costs more than all the rest of a signature. Reading takes no lock.
#[derive(Clone, Default)]
pub(super) struct DerivedKeys(Arc<ArcSwap<Vec<Arc<SigningKey>>>>);

impl DerivedKeys {
    /// The key that signs at a time, in seconds from the Unix epoch.
    pub(super) fn at(
        &self,
        seconds: i64,
        secret: &str,
        region: &str,
        service: &'static str,
    ) -> Result<Arc<SigningKey>, S3Error> {
        let day = seconds.div_euclid(SECONDS_OF_DAY);
        let fits = |key: &&Arc<SigningKey>| {
            key.day == day && key.region == region && key.service == service
        };
        if let Some(key) = self.0.load().iter().find(fits) {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(SigningKey::derive(secret, day, region, service)?);
        self.0.rcu(|known| {
            let of_day = known.iter().filter(|known| known.day == day).take(MAX_DERIVED - 1);
            [&key].into_iter().chain(of_day).cloned().collect::<Vec<_>>()
        });
        Ok(key)
    }
}

/// They follow from the secret, which is compared beside them.
impl PartialEq for DerivedKeys {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for DerivedKeys {}

fn keyed(key: &[u8]) -> Result<Hmac<Sha256>, S3Error> {
    let mac = Hmac::<Sha256>::new_from_slice(key);
    mac.map_err(|error| unsignable().caused_by(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 20_484 * SECONDS_OF_DAY;

    #[test]
    fn a_key_is_derived_once_for_a_day_a_region_and_a_service() {
        let keys = DerivedKeys::default();
        let at = |seconds: i64, region: &str, service: &'static str| {
            keys.at(seconds, "secret", region, service).unwrap()
        };
        let first = at(DAY, "eu-1", "s3");
        assert!(Arc::ptr_eq(&first, &at(DAY + SECONDS_OF_DAY - 1, "eu-1", "s3")));
        for other in [at(DAY, "eu-2", "s3"), at(DAY, "eu-1", "sts")] {
            assert_ne!(first.sign(["x"]), other.sign(["x"]));
        }
        assert!(Arc::ptr_eq(&first, &at(DAY, "eu-1", "s3")), "the others do not displace it");
        let tomorrow = at(DAY + SECONDS_OF_DAY, "eu-1", "s3");
        assert_eq!(
            (first.scope(), tomorrow.scope()),
            ("20260131/eu-1/s3/aws4_request", "20260201/eu-1/s3/aws4_request")
        );
        assert_eq!(keys.0.load().len(), 1, "yesterday's are gone");
        (0..100).for_each(|n| drop(at(DAY, &format!("r-{n}"), "s3")));
        assert_eq!(keys.0.load().len(), MAX_DERIVED);
    }

    #[test]
    fn times_are_written_as_jiff_writes_them() {
        let keys = DerivedKeys::default();
        for seconds in [DAY, DAY + 1, DAY + 45_296, DAY - 1, 0, -1, 951_782_400, 4_102_444_799] {
            let key = keys.at(seconds, "secret", "eu-1", "s3").unwrap();
            let expected = Timestamp::from_second(seconds).unwrap().strftime("%Y%m%dT%H%M%SZ");
            assert_eq!(key.write_time(seconds), expected.to_string());
        }
    }
}
