use std::{collections::BTreeMap, ops::Bound};

use md5::{Digest, Md5};

use crate::{
    answers,
    bindings::agent::artifacts::types::{ListOptions, Listing, S3Error},
    blob::hex,
    object::StoredObject,
};

const MAX_LIMIT: u32 = 1000;

/// One page of the objects, in the order of their keys' bytes: that of `String`.
pub(crate) fn page(
    objects: &BTreeMap<String, StoredObject>,
    options: &ListOptions,
) -> Result<Listing, S3Error> {
    let start = match (&options.continuation, &options.start_after) {
        (Some(token), _) => Position::from_token(token)?,
        (None, Some(key)) => Position::AfterKey(key.clone()),
        (None, None) => Position::AfterKey(String::new()),
    };
    let limit = options.limit.unwrap_or(MAX_LIMIT).min(MAX_LIMIT) as usize;
    let mut page = Listing { objects: Vec::new(), common_prefixes: Vec::new(), continuation: None };
    let mut last = start.clone();
    for (key, object) in objects.range::<str, _>((start.bound(&options.prefix), Bound::Unbounded)) {
        let Some(rest) = key.strip_prefix(options.prefix.as_str()) else {
            break;
        };
        if last.covers(key) {
            continue;
        }
        if page.objects.len() + page.common_prefixes.len() == limit {
            page.continuation = Some(last.to_token());
            break;
        }
        last = if let Some(prefix) = common(&options.prefix, rest, options.delimiter.as_deref()) {
            page.common_prefixes.push(prefix.clone());
            Position::AfterPrefix(prefix)
        } else {
            page.objects.push(object.listed(key));
            Position::AfterKey(key.clone())
        };
    }
    Ok(page)
}

/// The prefix up to and with the first delimiter after `prefix`.
fn common(prefix: &str, rest: &str, delimiter: Option<&str>) -> Option<String> {
    let delimiter = delimiter?;
    let at = rest.find(delimiter)?;
    Some(format!("{prefix}{}", &rest[..at + delimiter.len()]))
}

/// Where a listing goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Position {
    AfterKey(String),
    AfterPrefix(String),
}

impl Position {
    fn text(&self) -> &str {
        match self {
            Self::AfterKey(text) | Self::AfterPrefix(text) => text,
        }
    }

    /// No key before this one is in the page.
    fn bound<'a>(&'a self, prefix: &'a str) -> Bound<&'a str> {
        Bound::Included(self.text().max(prefix))
    }

    /// Whether this key was given out already, by itself or under its prefix.
    fn covers(&self, key: &str) -> bool {
        match self {
            Self::AfterKey(last) => key <= last.as_str(),
            Self::AfterPrefix(prefix) => key.starts_with(prefix.as_str()),
        }
    }

    /// Begins with a digest, so that no other text passes.
    fn to_token(&self) -> String {
        let kind = match self {
            Self::AfterKey(_) => 'k',
            Self::AfterPrefix(_) => 'p',
        };
        let place = format!("{kind}{}", self.text());
        format!("{}{place}", digest(&place))
    }

    fn from_token(token: &str) -> Result<Self, S3Error> {
        let parse = || {
            let (claimed, place) = token.split_at_checked(DIGITS)?;
            let text = place.get(1..)?.to_owned();
            match (claimed == digest(place), place.as_bytes().first()?) {
                (true, b'k') => Some(Self::AfterKey(text)),
                (true, b'p') => Some(Self::AfterPrefix(text)),
                _ => None,
            }
        };
        parse().ok_or_else(|| {
            answers::invalid_argument("The continuation token provided is incorrect")
        })
    }
}

const DIGITS: usize = 16;

fn digest(place: &str) -> String {
    let mut digits = hex(&Md5::digest(place));
    digits.truncate(DIGITS);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::tests::{NO_LIST_OPTIONS, memory, put};

    fn list(keys: &[&str], options: &ListOptions) -> Listing {
        let mut memory = memory();
        for key in keys {
            put(&mut memory, key, b"").unwrap();
        }
        memory.list("bucket", options).unwrap()
    }

    fn keys(page: &Listing) -> Vec<&str> {
        page.objects.iter().map(|object| object.key.as_str()).collect()
    }

    #[test]
    fn the_order_is_that_of_the_bytes_and_not_of_utf16() {
        let page = list(&["b", "a/", "a", "B", "\u{1f600}", "\u{ff61}"], &NO_LIST_OPTIONS);
        assert_eq!(keys(&page), ["B", "a", "a/", "b", "\u{ff61}", "\u{1f600}"]);
    }

    #[test]
    fn pages_joined_are_the_whole() {
        for limit in 1..=4 {
            let mut options = ListOptions {
                delimiter: Some("/".to_owned()),
                limit: Some(limit),
                ..NO_LIST_OPTIONS
            };
            let mut found = Vec::new();
            loop {
                let page = list(&["a/1", "a/2", "b", "c/1", "c/2", "é"], &options);
                found.extend(keys(&page).into_iter().map(str::to_owned));
                found.extend(page.common_prefixes);
                options.continuation = page.continuation;
                if options.continuation.is_none() {
                    break;
                }
            }
            found.sort_unstable();
            assert_eq!(found, ["a/", "b", "c/", "é"], "pages of {limit}");
        }
    }

    #[test]
    fn start_after_inside_a_common_prefix_still_shows_the_rest_of_it() {
        let after = |key: &str| ListOptions {
            delimiter: Some("/".to_owned()),
            start_after: Some(key.to_owned()),
            ..NO_LIST_OPTIONS
        };
        assert_eq!(list(&["a/1", "a/2", "b"], &after("a/1")).common_prefixes, ["a/"]);
        assert!(list(&["a/1", "a/2", "b"], &after("a/2")).common_prefixes.is_empty());
    }

    #[test]
    fn a_token_of_someone_elses_making_is_an_error() {
        let one = ListOptions { limit: Some(1), ..NO_LIST_OPTIONS };
        let good = list(&["a", "b"], &one).continuation.unwrap();
        for bad in
            ["x", "", "AAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAk", &good[1..], &format!("{good}A")]
        {
            let options = ListOptions { continuation: Some(bad.to_owned()), ..NO_LIST_OPTIONS };
            let error = memory_error(&options);
            assert_eq!(error.code.as_deref(), Some("InvalidArgument"), "{bad}");
        }
    }

    fn memory_error(options: &ListOptions) -> S3Error {
        let mut memory = memory();
        let _ = put(&mut memory, "a", b"");
        page(&BTreeMap::new(), options).unwrap_err()
    }
}
