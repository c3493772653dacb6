use std::{fmt, future::Future, pin::Pin, sync::Arc};

use artifact_s3::ChecksumAlgorithm;

use super::{
    CaseResult, Context, bodies, buckets, conditions, copies, descriptions, keys, large_bodies,
    listings, objects, ranges,
};

/// What a server must be able to do for a case, beyond what any does.
///
/// A case that needs what a server lacks is ignored there, with the reason that the
/// server gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Keeps a slash at the beginning of a key.
    LeadingSlash,
    /// Keeps slashes that follow each other.
    DoubleSlashes,
    /// Keeps bytes under a key that ends in a slash.
    TrailingSlash,
    /// Keeps backslashes.
    Backslashes,
    /// Takes segments of more than 255 bytes.
    LongSegments,
    /// Takes keys of 1,024 bytes.
    LongKeys,
    /// Takes an object under a key that begins with that of another and a slash.
    KeysUnderKeys,
    /// Keeps metadata that looks like an encoded word of RFC 2047, and is none.
    EncodedWords,
    /// Takes tags.
    Tags,
    /// Keeps other storage classes than `STANDARD`.
    StorageClasses,
    /// Tells when an object was written, and honours conditions on it.
    Dates,
    /// Honours conditions on reads.
    ReadConditions,
    /// Honours conditions of writes at the same time.
    AtomicConditions,
    /// Honours If-Match on deletes.
    DeleteConditions,
    /// Honours conditions on the destination of a copy.
    CopyConditions,
    /// Lists in the order of the keys' bytes, slashes among them.
    ByteOrder,
    /// Lists etags.
    ListedEtags,
    /// Lists with a delimiter of more than one character.
    LongDelimiters,
    /// Takes bodies in parts, and tells which uploads are unfinished.
    Parts,
    /// Refuses a continuation token that it never gave out.
    BadContinuations,
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
        f.debug_struct("Case")
            .field("name", &self.name)
            .field("needs", &self.needs)
            .finish_non_exhaustive()
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
#[expect(clippy::too_many_lines, reason = "a table")]
pub fn cases() -> Vec<Case> {
    use Capability as C;

    let mut cases = table! {
        objects: {
            round_trip,
            date [C::Dates],
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
            longest_segment [C::LongKeys, C::LongSegments],
            longest_of_many_segments [C::LongKeys],
            longest_of_two_byte_characters [C::LongKeys, C::LongSegments],
            leading_slash [C::LeadingSlash],
            lookalikes_are_different_objects,
            naughty_strings [C::LongKeys, C::KeysUnderKeys],
        }
        descriptions: {
            content_headers,
            metadata,
            an_overwrite_forgets_metadata,
            metadata_that_looks_encoded [C::EncodedWords],
            tags [C::Tags],
            storage_class [C::StorageClasses],
            encryption_is_not_ignored,
        }
        ranges: {
            closed,
            one_byte,
            closed_past_the_end,
            from,
            last,
            last_of_more_than_all,
            past_the_end,
            of_an_empty_object,
            parts_side_by_side,
        }
        conditions: {
            read_if_match [C::ReadConditions],
            read_if_none_match [C::ReadConditions],
            read_if_modified_since [C::ReadConditions, C::Dates],
            read_if_unmodified_since [C::ReadConditions, C::Dates],
            write_if_absent,
            write_if_absent_has_one_winner [C::AtomicConditions],
            write_if_match,
            write_if_match_of_nothing,
            delete_if_match [C::DeleteConditions],
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
            order [C::ByteOrder, C::KeysUnderKeys],
            order_of_unicode,
            entries_describe [C::ListedEtags],
            entries_are_dated [C::Dates],
            prefix [C::KeysUnderKeys],
            delimiter,
            delimiter_of_several_characters [C::LongDelimiters],
            paging,
            a_full_page_may_be_the_last,
            paging_over_common_prefixes,
            start_after,
            a_bad_continuation_is_refused [C::BadContinuations],
        }
        buckets: {
            get,
            put,
            put_of_a_large_body,
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
        large_bodies: {
            of_each_kind,
            around_the_sizes_of_parts,
            description,
            conditions,
            failing,
            dropped [C::Parts],
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
    for (name, algorithm) in CHECKSUMS {
        let name = format!("large_bodies::checksum::{name}");
        cases.push(Case::new(name, &[], move |c| large_bodies::checksum(c, algorithm)));
    }
    cases
}

/// Keys that some layer on the way likes to alter, under a prefix that ends in `/`.
const NAUGHTY_KEYS: &[(&str, &str, &[Capability])] = &[
    ("double_slash", "a//b", &[Capability::DoubleSlashes]),
    ("only_slashes", "//", &[Capability::DoubleSlashes, Capability::TrailingSlash]),
    ("trailing_slash", "a/", &[Capability::TrailingSlash]),
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
    ("unwise", "{}|^`", &[]),
    ("backslash", "a\\b", &[Capability::Backslashes]),
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
