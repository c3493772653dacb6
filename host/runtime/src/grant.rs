use artifact_s3::{Bucket, InvalidKey, ListOptions, Listing, ObjectKey, S3Error, S3ErrorKind};

/// Where a store's component may go: one bucket, and the keys under one prefix.
///
/// The host asks it before every S3 call, whatever the component says, so that
/// a component can neither leave its store nor be talked out of it.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    bucket: Bucket,
    prefix: String,
}

impl Grant {
    /// The prefix is at most as long as a key, and without control characters.
    pub(crate) fn new(bucket: Bucket, prefix: String) -> Result<Self, String> {
        if prefix.len() >= ObjectKey::MAX_BYTES {
            return Err(format!(
                "the prefix has {} bytes, which leaves no room for a key: S3 takes 1024 for both",
                prefix.len()
            ));
        }
        // Any key behind it: what is wrong then is wrong for every key.
        match ObjectKey::parse(format!("{prefix}k")) {
            Ok(_) => Ok(Self { bucket, prefix }),
            Err(InvalidKey::DotSegment) => {
                Err(format!("the prefix {prefix:?} holds a segment `.` or `..`"))
            }
            Err(_) => Err(format!("the prefix {prefix:?} holds a control character")),
        }
    }

    pub(crate) fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The key, if it may be touched and can be sent.
    pub(crate) fn admit(&self, bucket: &str, key: &str) -> Result<ObjectKey, S3Error> {
        self.admit_bucket(bucket)?;
        if !key.starts_with(&self.prefix) {
            return Err(not_granted("keys outside its prefix"));
        }
        if self.prefix.is_empty() && key.starts_with('/') {
            return Err(invalid(InvalidKey::LeadingSlash));
        }
        ObjectKey::parse(key).map_err(invalid)
    }

    /// The listing options, if they stay within the prefix.
    pub(crate) fn admit_listing(&self, bucket: &str, options: &ListOptions) -> Result<(), S3Error> {
        self.admit_bucket(bucket)?;
        if !options.prefix.starts_with(&self.prefix) {
            return Err(not_granted("listing outside its prefix"));
        }
        options.check()
    }

    /// Drops whatever a service lists that was not asked for.
    pub(crate) fn confine(&self, listing: &mut Listing) {
        listing.objects.retain(|object| object.key.starts_with(&self.prefix));
        listing.common_prefixes.retain(|prefix| prefix.starts_with(&self.prefix));
    }

    fn admit_bucket(&self, bucket: &str) -> Result<(), S3Error> {
        if bucket == self.bucket.as_str() {
            Ok(())
        } else {
            Err(not_granted("any bucket but the store's own"))
        }
    }
}

fn not_granted(what: &str) -> S3Error {
    S3Error::new(S3ErrorKind::NotGranted, format!("the component is not granted {what}"))
}

fn invalid(rule: InvalidKey) -> S3Error {
    S3Error::new(S3ErrorKind::InvalidRequest, rule.to_string()).caused_by(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(prefix: &str) -> Grant {
        Grant::new(Bucket::parse("bucket").unwrap(), prefix.to_owned()).unwrap()
    }

    fn kind(result: Result<ObjectKey, S3Error>) -> S3ErrorKind {
        result.unwrap_err().kind()
    }

    #[test]
    fn only_the_stores_bucket_and_prefix_are_admitted() {
        let grant = grant("asm/");
        assert!(grant.admit("bucket", "asm/k").is_ok());
        assert_eq!(kind(grant.admit("other", "asm/k")), S3ErrorKind::NotGranted);
        assert_eq!(kind(grant.admit("bucket", "other/k")), S3ErrorKind::NotGranted);
        assert_eq!(kind(grant.admit("bucket", "asm")), S3ErrorKind::NotGranted);
        assert_eq!(kind(grant.admit("bucket", "asm/../x")), S3ErrorKind::InvalidRequest);
        assert_eq!(kind(self::grant("").admit("bucket", "/x")), S3ErrorKind::InvalidRequest);
        assert!(self::grant("/abs/").admit("bucket", "/abs/x").is_ok());
    }

    #[test]
    fn a_listing_stays_inside_whatever_the_service_answers() {
        let grant = grant("asm/");
        let options =
            |prefix: &str| ListOptions { prefix: prefix.to_owned(), ..Default::default() };
        assert!(grant.admit_listing("bucket", &options("asm/a")).is_ok());
        assert!(grant.admit_listing("bucket", &options("as")).is_err());
        let object =
            |key: &str| artifact_s3::ListedObject { key: key.to_owned(), ..Default::default() };
        let mut listing = Listing {
            objects: vec![object("asm/a"), object("secret")],
            common_prefixes: vec!["asm/x/".to_owned(), "y/".to_owned()],
            continuation: None,
        };
        grant.confine(&mut listing);
        assert_eq!(listing.objects.len(), 1);
        assert_eq!(listing.common_prefixes, ["asm/x/"]);
    }

    #[test]
    fn a_prefix_that_no_key_can_follow_is_refused() {
        for prefix in ["../", "a/./", "a\0", &"x".repeat(1024)] {
            assert!(Grant::new(Bucket::parse("bucket").unwrap(), prefix.to_owned()).is_err());
        }
    }
}
