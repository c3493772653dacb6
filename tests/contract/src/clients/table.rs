use std::{fmt, future::Future, pin::Pin, sync::Arc};

use artifact_s3::ChecksumAlgorithm;

use super::{
    CaseResult, Context, bodies, buckets, conditions, copies, descriptions, keys, listings,
    objects, ranges,
};

/// What a server must be able to do for a case, beyond what any does.
///
/// A case that needs what a server lacks is ignored there, with the reason that the
/// server gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Keeps slashes that a file system would drop.
    OddSlashes,
    /// Takes segments of more than 255 bytes.
    LongSegments,
    /// Takes keys of 1,024 bytes.
    LongKeys,
    /// Keeps the storage class.
    StorageClass,
    /// Refuses a KMS key that it does not have.
    RefusesUnknownKmsKeys,
    /// Answers `InvalidRange` to a range of an object without bytes.
    EmptyRanges,
    /// Honours conditions on reads.
    ReadConditions,
    /// Honours If-None-Match on writes.
    WriteIfAbsent,
    /// Honours If-Match on writes.
    WriteIfMatch,
    /// Honours If-Match on deletes.
    DeleteIfMatch,
    /// Honours conditions on the destination of a copy.
    CopyConditions,
    /// Refuses a continuation token that it never gave out.
    BadContinuation,
    /// Says of a missing bucket that the bucket is missing, and not the key.
    NoSuchBucket,
}

/// One case of the suite.
#[derive(Clone)]
pub struct Case {
    /// Its topic and name, as `topic::name`.
    pub name: String,
    /// What the server must be able to do.
    pub needs: Vec<Capability>,
    run: Arc<dyn Fn(Context) -> Running + Send + Sync>,
}

type Running = Pin<Box<dyn Future<Output = CaseResult> + Send>>;

impl Case {
    fn new<F: Future<Output = CaseResult> + Send + 'static>(
        name: impl Into<String>,
        needs: &[Capability],
        run: impl Fn(Context) -> F + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            needs: needs.into(),
            run: Arc::new(move |context| Box::pin(run(context))),
        }
    }

    /// Runs the case.
    pub async fn run(&self, context: Context) -> CaseResult {
        (self.run)(context).await
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).field("needs", &self.needs).finish()
    }
}

/// `topic::name` and what it needs.
macro_rules! table {
    ($($topic:ident: { $($case:ident $([$($need:expr),+])?),+ $(,)? })+) => {
        vec![$($(
            Case::new(
                concat!(stringify!($topic), "::", stringify!($case)),
                &[$($($need),+)?],
                $topic::$case,
            )
        ),+),+]
    };
}

/// All cases.
#[must_use]
pub fn cases() -> Vec<Case> {
    use Capability as C;

    let mut cases = table! {
        objects: {
            round_trip,
            overwrite,
            empty_body,
            chunks_arrive_joined,
            random_bytes,
            every_byte_value,
            bytes_that_are_no_text,
            get_missing,
            head_missing,
            delete_missing,
            delete_twice,
            delete_leaves_the_neighbour,
            delete_then_get,
        }
        keys: {
            longest_segment [C::LongSegments],
            longest_of_many_segments [C::LongKeys],
            longest_of_two_byte_characters [C::LongSegments],
            leading_slash [C::OddSlashes],
            lookalikes_are_different_objects,
        }
        descriptions: {
            content_headers,
            metadata,
            an_overwrite_forgets_metadata,
            tags,
            storage_class [C::StorageClass],
            encryption_is_not_ignored [C::RefusesUnknownKmsKeys],
        }
        ranges: {
            closed,
            one_byte,
            closed_past_the_end,
            from,
            last,
            last_of_more_than_all,
            past_the_end,
            of_an_empty_object [C::EmptyRanges],
        }
        conditions: {
            read_if_match [C::ReadConditions],
            read_if_none_match [C::ReadConditions],
            read_if_modified_since [C::ReadConditions],
            read_if_unmodified_since [C::ReadConditions],
            write_if_absent [C::WriteIfAbsent],
            write_if_absent_has_one_winner [C::WriteIfAbsent],
            write_if_match [C::WriteIfMatch],
            write_if_match_of_nothing [C::WriteIfMatch],
            delete_if_match [C::DeleteIfMatch],
        }
        copies: {
            same_description,
            replaced_description,
            onto_itself,
            over_another,
            missing_source,
            if_absent [C::CopyConditions],
        }
        listings: {
            empty,
            order,
            order_of_unicode,
            entries_describe,
            prefix,
            delimiter,
            delimiter_of_several_characters,
            paging,
            a_full_page_may_be_the_last,
            paging_over_common_prefixes,
            start_after,
            a_bad_continuation_is_refused [C::BadContinuation],
        }
        buckets: {
            get [C::NoSuchBucket],
            put [C::NoSuchBucket],
            list,
        }
        bodies: {
            large_stream,
            stream_of_unknown_length,
            empty_stream_of_unknown_length,
            file,
            short_body,
            long_body,
            failing_body,
            failing_body_of_unknown_length,
            failing_overwrite,
            many_at_once,
            many_puts_to_one_key,
            abandoned_download,
            slow_upload_holds_up_nobody,
        }
    };
    for (name, key, needs) in NAUGHTY_KEYS {
        let name = format!("keys::kept_exactly::{name}");
        cases.push(Case::new(name, needs, |c| keys::kept_exactly(c, key)));
    }
    for (name, algorithm) in CHECKSUMS {
        let name = format!("descriptions::checksum::{name}");
        cases.push(Case::new(name, &[], move |c| descriptions::checksum(c, algorithm)));
    }
    cases
}

/// Keys that some layer on the way likes to alter, under a prefix that ends in `/`.
const NAUGHTY_KEYS: &[(&str, &str, &[Capability])] = &[
    ("double_slash", "a//b", &[Capability::OddSlashes]),
    ("only_slashes", "//", &[Capability::OddSlashes]),
    ("trailing_slash", "a/", &[Capability::OddSlashes]),
    ("space", "a b", &[]),
    ("outer_spaces", " a ", &[]),
    ("plus", "a+b", &[]),
    ("query", "k?acl", &[]),
    ("query_with_value", "k?versionId=null&x=y", &[]),
    ("fragment", "k#fragment", &[]),
    ("ampersand", "a&b=c", &[]),
    ("encoded_slash", "%2F", &[]),
    ("encoded_twice", "%252F", &[]),
    ("encoded_dots", "%2e%2e%2fx", &[]),
    ("lone_percent", "100%", &[]),
    ("three_dots", "...", &[]),
    ("hidden", ".hidden", &[]),
    ("reserved", "!$'()*,;:@[]", &[]),
    ("xml", "<a attr=\"1\">&amp;'</a>", &[]),
    ("unwise", "{}|\\^`", &[]),
    ("cyrillic_and_chinese", "ключ/键", &[]),
    ("emoji", "🗝\u{fe0f}", &[]),
    ("right_to_left", "مفتاح", &[]),
    ("combining", "e\u{301}", &[]),
    ("zero_width", "a\u{200b}b\u{feff}", &[]),
    ("tilde_and_underscore", "~_-.", &[]),
];

const CHECKSUMS: [(&str, ChecksumAlgorithm); 4] = [
    ("crc32", ChecksumAlgorithm::Crc32),
    ("crc32c", ChecksumAlgorithm::Crc32c),
    ("crc64nvme", ChecksumAlgorithm::Crc64Nvme),
    ("sha256", ChecksumAlgorithm::Sha256),
];
