use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use super::{Addressing, endpoint::Endpoint};
use crate::{Bucket, Redirect};

/// Most buckets whose place is remembered.
const MAX_MOVED: usize = 1024;

/// Where a bucket is, and for which region its requests are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) endpoint: Endpoint,
    pub(super) addressing: Addressing,
    pub(super) region: String,
}

/// Where buckets are: at the client's endpoint, but for those that the service has
/// pointed elsewhere.
///
/// Source: [redirects](https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html).
#[derive(Debug)]
pub(super) struct Places {
    home: Arc<Place>,
    moved: RwLock<HashMap<String, Arc<Place>>>,
}

impl Places {
    pub(super) fn new(home: Place) -> Self {
        Self { home: Arc::new(home), moved: RwLock::default() }
    }

    /// As the client was configured.
    pub(super) fn home(&self) -> &Place {
        &self.home
    }

    pub(super) fn of(&self, bucket: &Bucket) -> Arc<Place> {
        let moved = self.moved.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(moved.get(bucket.as_str()).unwrap_or(&self.home))
    }

    /// Remembers where the service at `from` says that a bucket is; false where that is
    /// nowhere else, or cannot be gone to.
    pub(super) fn follow(&self, bucket: &Bucket, from: &Place, redirect: &Redirect) -> bool {
        let Some(to) = from.elsewhere(bucket, redirect).filter(|to| to != from) else {
            return false;
        };
        tracing::info!(%bucket, region = to.region, endpoint = %to.endpoint, "the bucket is elsewhere");
        let mut moved = self.moved.write().unwrap_or_else(PoisonError::into_inner);
        if moved.len() >= MAX_MOVED {
            moved.clear();
        }
        moved.insert(bucket.as_str().to_owned(), Arc::new(to));
        true
    }

    /// Forgets that a bucket is at this place, where nobody answers any more: the service
    /// itself knows where it is by now. False where that was not remembered.
    pub(super) fn forget(&self, bucket: &Bucket, place: &Place) -> bool {
        let mut moved = self.moved.write().unwrap_or_else(PoisonError::into_inner);
        let is_there = moved.get(bucket.as_str()).is_some_and(|moved| **moved == *place);
        is_there && moved.remove(bucket.as_str()).is_some()
    }
}

impl Place {
    /// - AWS is told by the region alone, and never left;
    /// - another service's endpoint is followed unless it gives up TLS: the bytes of a
    ///   put would be readable on the way.
    fn elsewhere(&self, bucket: &Bucket, redirect: &Redirect) -> Option<Self> {
        let region = redirect.region.as_ref().filter(|region| is_region(region));
        if self.endpoint.is_aws() {
            let region = region?.clone();
            return Some(Self {
                endpoint: Endpoint::of_aws(&region).ok()?,
                region,
                ..self.clone()
            });
        }
        let region = region.unwrap_or(&self.region).clone();
        let Some(named) = &redirect.endpoint else {
            return Some(Self { region, ..self.clone() });
        };
        let url = match named.split_once("://") {
            Some(_) => named.clone(),
            None => format!("{}://{named}", self.endpoint.scheme()),
        };
        let (url, addressing) = match url.split_once(&format!("://{bucket}.")) {
            Some((scheme, host)) => (format!("{scheme}://{host}"), Addressing::VirtualHost),
            None => (url, self.addressing),
        };
        let endpoint = Endpoint::parse(&url).ok()?;
        let keeps_tls = self.endpoint.is_plain_http() || !endpoint.is_plain_http();
        let reachable = addressing == Addressing::PathStyle || !endpoint.is_address();
        (keeps_tls && reachable).then_some(Self { endpoint, addressing, region })
    }
}

/// A region becomes part of a host name and of every signature.
pub(super) fn is_region(region: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=64).contains(&region.len()) && region.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(endpoint: &str, region: &str) -> Place {
        Place {
            endpoint: Endpoint::parse(endpoint).unwrap(),
            addressing: Addressing::PathStyle,
            region: region.to_owned(),
        }
    }

    fn followed(from: &str, region: Option<&str>, endpoint: Option<&str>) -> Option<String> {
        let places = Places::new(place(from, "here-1"));
        let bucket = Bucket::parse("bkt").unwrap();
        let redirect =
            Redirect { region: region.map(str::to_owned), endpoint: endpoint.map(str::to_owned) };
        places.follow(&bucket, places.home(), &redirect).then(|| {
            let Place { endpoint, region, addressing } = &*places.of(&bucket);
            format!("{endpoint} {region} {addressing:?}")
        })
    }

    #[test]
    fn a_bucket_is_followed_to_where_it_may_be() {
        let aws = "https://s3.here-1.amazonaws.com";
        for (from, region, endpoint, expected) in [
            (
                aws,
                Some("eu-west-3"),
                None,
                Some("https://s3.eu-west-3.amazonaws.com eu-west-3 PathStyle"),
            ),
            // Nowhere new, nowhere known, and not out of AWS.
            (aws, Some("here-1"), None, None),
            (aws, None, Some("https://evil.test"), None),
            (aws, Some("evil.test/"), None, None),
            ("http://h.test", Some("eu-1"), None, Some("http://h.test eu-1 PathStyle")),
            ("http://h.test", None, Some("http://h.test"), None),
            ("http://h.test", None, Some("i.test:81"), Some("http://i.test:81 here-1 PathStyle")),
            (
                "http://h.test",
                None,
                Some("http://bkt.i.test"),
                Some("http://i.test here-1 VirtualHost"),
            ),
            ("http://h.test", None, Some("http://me:pw@i.test"), None),
            ("https://h.test", None, Some("http://i.test"), None),
            (
                "https://h.test",
                None,
                Some("https://i.test"),
                Some("https://i.test here-1 PathStyle"),
            ),
        ] {
            let found = followed(from, region, endpoint);
            assert_eq!(found.as_deref(), expected, "{from} {region:?} {endpoint:?}");
        }
    }
}
