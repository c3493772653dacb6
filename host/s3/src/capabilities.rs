use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    Bucket, ChecksumAlgorithm, DeleteOptions, GetOptions, PutOptions, S3Error, S3ErrorKind,
    WriteCondition,
};

/// What a service may do, or not: what [`HttpS3::probe`](crate::HttpS3::probe) looks at.
///
/// In the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Feature {
    /// Name, connection, TLS and HTTP.
    Endpoint,
    /// Somebody to sign for.
    Credentials,
    /// That the service's clock and ours agree.
    Clock,
    /// `PutObject`.
    Put,
    /// `GetObject`.
    Get,
    /// `HeadObject`.
    Head,
    /// `ListObjectsV2`.
    List,
    /// `DeleteObject`.
    Delete,
    /// `CopyObject`.
    Copy,
    /// Listings in pages: `max-keys` and the continuation token.
    ListPages,
    /// Keys with blanks, `+`, `%`, `?`, `#` and letters beyond ASCII.
    OddKeys,
    /// `Range`.
    Range,
    /// `If-None-Match: *` on a put.
    IfAbsent,
    /// `If-Match` on a put.
    IfMatch,
    /// `If-None-Match: *` and `If-Match` on the target of a copy.
    ConditionalCopy,
    /// `If-Match` and `If-None-Match` on a get.
    ConditionalGet,
    /// `If-Match` on a delete.
    ConditionalDelete,
    /// `x-amz-checksum-crc32`.
    Crc32,
    /// `x-amz-checksum-crc32c`.
    Crc32c,
    /// `x-amz-checksum-crc64nvme`.
    Crc64Nvme,
    /// `x-amz-checksum-sha256`.
    Sha256,
    /// Multipart uploads: create, part, complete, list, abort.
    Multipart,
    /// `If-None-Match: *` on the call that completes a multipart upload.
    ConditionalMultipart,
    /// `versionId`.
    Versions,
}

impl Feature {
    /// Whether no artifact store can do without it.
    #[must_use]
    pub fn is_required(self) -> bool {
        matches!(
            self,
            Self::Endpoint
                | Self::Credentials
                | Self::Put
                | Self::Get
                | Self::Head
                | Self::List
                | Self::Delete
        )
    }

    /// Its name, such as `if-absent`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Credentials => "credentials",
            Self::Clock => "clock",
            Self::Put => "put",
            Self::Get => "get",
            Self::Head => "head",
            Self::List => "list",
            Self::Delete => "delete",
            Self::Copy => "copy",
            Self::ListPages => "list-pages",
            Self::OddKeys => "odd-keys",
            Self::Range => "range",
            Self::IfAbsent => "if-absent",
            Self::IfMatch => "if-match",
            Self::ConditionalCopy => "conditional-copy",
            Self::ConditionalGet => "conditional-get",
            Self::ConditionalDelete => "conditional-delete",
            Self::Crc32 => "crc32",
            Self::Crc32c => "crc32c",
            Self::Crc64Nvme => "crc64-nvme",
            Self::Sha256 => "sha256",
            Self::Multipart => "multipart",
            Self::ConditionalMultipart => "conditional-multipart",
            Self::Versions => "versions",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<ChecksumAlgorithm> for Feature {
    fn from(algorithm: ChecksumAlgorithm) -> Self {
        match algorithm {
            ChecksumAlgorithm::Crc32 => Self::Crc32,
            ChecksumAlgorithm::Crc32c => Self::Crc32c,
            ChecksumAlgorithm::Crc64Nvme => Self::Crc64Nvme,
            ChecksumAlgorithm::Sha256 => Self::Sha256,
        }
    }
}

/// What a service does with a [`Feature`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// It does as it is asked.
    Ok,
    /// It says that it did, and did not: the one that does harm.
    Ignored,
    /// It says that it does not know this.
    Refused,
    /// The trial failed in another way, and says nothing of the feature.
    Failed,
    /// It was not tried.
    #[default]
    Unknown,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        })
    }
}

/// What was found out of a bucket at a service, to be kept and handed to
/// [`HttpS3Builder::capabilities`](crate::HttpS3Builder::capabilities).
///
/// A client that has it refuses, before sending, what the service would silently
/// ignore. What is not known, or refused by the service itself, is sent.
///
/// ```
/// use artifact_s3::{Capabilities, Feature, Finding};
///
/// let found = Capabilities::new("http://127.0.0.1:9000", "artifacts", 1_700_000_000)
///     .with(Feature::IfAbsent, Finding::Ignored);
/// assert_eq!(found.finding(Feature::IfAbsent), Finding::Ignored);
/// assert_eq!(found.finding(Feature::Range), Finding::Unknown);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    endpoint: String,
    bucket: String,
    found_at: u64,
    findings: BTreeMap<Feature, Finding>,
}

impl Capabilities {
    /// Knowledge of nothing yet. The endpoint is as
    /// [`HttpS3::endpoint`](crate::HttpS3::endpoint) gives it; the time in seconds since
    /// the Unix epoch.
    pub fn new(endpoint: impl Into<String>, bucket: impl Into<String>, found_at: u64) -> Self {
        Self {
            endpoint: endpoint.into(),
            bucket: bucket.into(),
            found_at,
            findings: BTreeMap::new(),
        }
    }

    /// The same, with this finding.
    #[must_use]
    pub fn with(mut self, feature: Feature, finding: Finding) -> Self {
        self.findings.insert(feature, finding);
        self
    }

    /// The service.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The bucket.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// When it was found out, in seconds since the Unix epoch.
    #[must_use]
    pub fn found_at(&self) -> u64 {
        self.found_at
    }

    /// What the service does with this; unknown, if it was not found out.
    #[must_use]
    pub fn finding(&self, feature: Feature) -> Finding {
        self.findings.get(&feature).copied().unwrap_or_default()
    }

    fn refuse_if_ignored(&self, feature: Feature, asked: &str, harm: &str) -> Result<(), S3Error> {
        if self.finding(feature) != Finding::Ignored {
            return Ok(());
        }
        let Self { endpoint, bucket, .. } = self;
        let when = i64::try_from(self.found_at)
            .ok()
            .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
            .map_or_else(String::new, |when| format!(", as a probe on {when} found out"));
        Err(S3Error::new(
            S3ErrorKind::InvalidRequest,
            format!(
                "{endpoint} ignores {asked} in bucket {bucket:?}{when}: {harm}; nothing was sent. \
                 Do without it, or use a service that honours it; if this one does by now, probe \
                 it again"
            ),
        ))
    }
}

/// What a client was told of the services and buckets that it talks to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known(Vec<Capabilities>);

impl Known {
    pub(crate) fn add(&mut self, capabilities: Capabilities) {
        self.0.push(capabilities);
    }

    /// Leaves out what is about another service.
    pub(crate) fn at(mut self, endpoint: &str) -> Self {
        self.0.retain(|known| known.endpoint == endpoint);
        self
    }

    /// Refuses what the service would ignore in this bucket.
    fn refuse(
        &self,
        bucket: &Bucket,
        asked: &[(bool, Feature, &str, &str)],
    ) -> Result<(), S3Error> {
        // The last that was told stands over those before it.
        let Some(known) = self.0.iter().rev().find(|known| known.bucket == bucket.as_str()) else {
            return Ok(());
        };
        asked.iter().filter(|(is_asked, ..)| *is_asked).try_for_each(|(_, feature, asked, harm)| {
            known.refuse_if_ignored(*feature, asked, harm)
        })
    }

    /// `checksum` is what the put carries: that of the options, or of the client.
    pub(crate) fn check_put(
        &self,
        bucket: &Bucket,
        options: &PutOptions,
        checksum: Option<ChecksumAlgorithm>,
    ) -> Result<(), S3Error> {
        let if_absent = options.condition == WriteCondition::IfAbsent;
        let if_match = matches!(options.condition, WriteCondition::IfMatch(_));
        self.refuse(
            bucket,
            &[
                (if_absent, Feature::IfAbsent, "If-None-Match", OVERWRITTEN),
                (if_match, Feature::IfMatch, "If-Match", OVERWRITTEN),
            ],
        )?;
        self.check_checksum(bucket, checksum)
    }

    /// The condition of a put that goes in parts stands on its last call.
    pub(crate) fn check_multipart(
        &self,
        bucket: &Bucket,
        condition: &WriteCondition,
    ) -> Result<(), S3Error> {
        let conditional = *condition != WriteCondition::Unconditional;
        let asked = "conditions on multipart uploads";
        self.refuse(bucket, &[(conditional, Feature::ConditionalMultipart, asked, OVERWRITTEN)])
    }

    pub(crate) fn check_copy(&self, bucket: &Bucket, options: &PutOptions) -> Result<(), S3Error> {
        let conditional = options.condition != WriteCondition::Unconditional;
        let asked = "conditions on copies";
        self.refuse(bucket, &[(conditional, Feature::ConditionalCopy, asked, OVERWRITTEN)])?;
        self.check_checksum(bucket, options.checksum)
    }

    fn check_checksum(
        &self,
        bucket: &Bucket,
        checksum: Option<ChecksumAlgorithm>,
    ) -> Result<(), S3Error> {
        let Some(algorithm) = checksum else { return Ok(()) };
        let harm = "the bytes would be stored unchecked";
        self.refuse(bucket, &[(true, algorithm.into(), algorithm.header(), harm)])
    }

    pub(crate) fn check_get(&self, bucket: &Bucket, options: &GetOptions) -> Result<(), S3Error> {
        let GetOptions { if_match, if_none_match, if_modified_since, if_unmodified_since, .. } =
            options;
        let conditional = if_match.is_some()
            || if_none_match.is_some()
            || if_modified_since.is_some()
            || if_unmodified_since.is_some();
        let versioned = options.version_id.is_some();
        self.refuse(
            bucket,
            &[
                (versioned, Feature::Versions, "versionId", "the current version would be read"),
                (
                    conditional,
                    Feature::ConditionalGet,
                    "conditions on reads",
                    "the object would be read whether the condition holds or not",
                ),
            ],
        )
    }

    pub(crate) fn check_delete(
        &self,
        bucket: &Bucket,
        options: &DeleteOptions,
    ) -> Result<(), S3Error> {
        let versioned = options.version_id.is_some();
        let conditional = options.if_match.is_some();
        let harm = "the object would be deleted whether the condition holds or not";
        self.refuse(
            bucket,
            &[
                (versioned, Feature::Versions, "versionId", "the current version would be deleted"),
                (conditional, Feature::ConditionalDelete, "If-Match on deletes", harm),
            ],
        )
    }
}

/// What an ignored condition on a write comes to.
const OVERWRITTEN: &str = "it would write over what is there, and report success";

#[cfg(test)]
mod tests {
    use super::*;

    fn known(feature: Feature) -> (Known, Bucket) {
        let mut known = Known::default();
        let found = Capabilities::new("http://h", "bkt", 1_700_000_000);
        known.add(found.with(feature, Finding::Ignored));
        (known.at("http://h"), Bucket::parse("bkt").unwrap())
    }

    #[test]
    fn what_is_ignored_is_refused_and_all_else_is_sent() {
        let (known, bucket) = known(Feature::IfAbsent);
        let if_absent = PutOptions { condition: WriteCondition::IfAbsent, ..Default::default() };
        let error = known.check_put(&bucket, &if_absent, None).unwrap_err();
        assert_eq!(error.kind(), S3ErrorKind::InvalidRequest);
        assert!(error.message().contains("2023-11-14T22:13:20Z"), "{error}");
        assert!(known.check_put(&bucket, &PutOptions::default(), None).is_ok());
        let if_match = WriteCondition::IfMatch("e".into());
        let if_match = PutOptions { condition: if_match, ..if_absent };
        assert!(known.check_put(&bucket, &if_match, None).is_ok());
    }

    #[test]
    fn each_option_has_its_feature() {
        let conditional = PutOptions { condition: WriteCondition::IfAbsent, ..Default::default() };
        let (copies, bucket) = known(Feature::ConditionalCopy);
        assert!(copies.check_copy(&bucket, &conditional).is_err());
        assert!(copies.check_put(&bucket, &conditional, None).is_ok());
        let (parts, bucket) = known(Feature::ConditionalMultipart);
        assert!(parts.check_multipart(&bucket, &conditional.condition).is_err());
        for algorithm in [
            ChecksumAlgorithm::Crc32,
            ChecksumAlgorithm::Crc32c,
            ChecksumAlgorithm::Crc64Nvme,
            ChecksumAlgorithm::Sha256,
        ] {
            let (checksums, bucket) = known(algorithm.into());
            let options = PutOptions::default();
            let error = checksums.check_put(&bucket, &options, Some(algorithm)).unwrap_err();
            assert!(error.message().contains(algorithm.header()), "{error}");
        }
        let (versions, bucket) = known(Feature::Versions);
        let delete = DeleteOptions { version_id: Some("v".into()), ..Default::default() };
        assert!(versions.check_delete(&bucket, &delete).is_err());
        let (deletes, bucket) = known(Feature::ConditionalDelete);
        assert!(deletes.check_delete(&bucket, &delete).is_ok());
        let delete = DeleteOptions { if_match: Some("e".into()), ..Default::default() };
        assert!(deletes.check_delete(&bucket, &delete).is_err());
        let (gets, bucket) = known(Feature::ConditionalGet);
        let get = GetOptions { if_match: Some("e".into()), ..Default::default() };
        assert!(gets.check_get(&bucket, &get).is_err());
        assert!(gets.check_get(&bucket, &GetOptions::default()).is_ok());
    }

    #[test]
    fn what_is_known_of_another_bucket_or_service_does_not_count() {
        let (known, _) = known(Feature::IfAbsent);
        let if_absent = PutOptions { condition: WriteCondition::IfAbsent, ..Default::default() };
        assert!(known.check_put(&Bucket::parse("other").unwrap(), &if_absent, None).is_ok());
        let elsewhere = known.at("http://other");
        assert!(elsewhere.check_put(&Bucket::parse("bkt").unwrap(), &if_absent, None).is_ok());
    }
}
