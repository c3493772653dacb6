use std::{collections::BTreeMap, ops::Bound};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use md5::{Digest, Md5};

use super::{MemoryObject, answers};
use crate::{ListOptions, Listing, S3Error};

/// One page of the objects, in the order of their keys' bytes: that of `String`.
pub(super) fn page(
    objects: &BTreeMap<String, MemoryObject>,
    options: &ListOptions,
) -> Result<Listing, S3Error> {
    let start = match (&options.continuation, &options.start_after) {
        (Some(token), _) => Position::from_token(token)?,
        (None, Some(key)) => Position::AfterKey(key.clone()),
        (None, None) => Position::AfterKey(String::new()),
    };
    let limit = options.limit.unwrap_or(ListOptions::MAX_LIMIT) as usize;
    let (mut page, mut last) = (Listing::default(), start.clone());
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
        if self.text() < prefix { Bound::Included(prefix) } else { Bound::Included(self.text()) }
    }

    /// Whether this key was given out already, by itself or under its prefix.
    fn covers(&self, key: &str) -> bool {
        match self {
            Self::AfterKey(last) => key <= last.as_str(),
            Self::AfterPrefix(prefix) => key.starts_with(prefix.as_str()),
        }
    }

    /// Opaque to the caller; begins with a digest, so that no other text passes.
    fn to_token(&self) -> String {
        let kind = match self {
            Self::AfterKey(_) => b'k',
            Self::AfterPrefix(_) => b'p',
        };
        let mut token = vec![kind];
        token.extend_from_slice(self.text().as_bytes());
        let digest = Md5::digest(&token);
        URL_SAFE_NO_PAD.encode([&digest[..8], &token].concat())
    }

    fn from_token(token: &str) -> Result<Self, S3Error> {
        Self::parse_token(token).ok_or_else(|| {
            answers::invalid_argument("The continuation token provided is incorrect")
        })
    }

    fn parse_token(token: &str) -> Option<Self> {
        let token = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (digest, token) = token.split_at_checked(8)?;
        if Md5::digest(token)[..8] != *digest {
            return None;
        }
        let (kind, text) = token.split_first()?;
        let text = String::from_utf8(text.to_vec()).ok()?;
        match kind {
            b'k' => Some(Self::AfterKey(text)),
            b'p' => Some(Self::AfterPrefix(text)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn objects(keys: &[&str]) -> BTreeMap<String, MemoryObject> {
        keys.iter().map(|&key| (key.to_owned(), MemoryObject::default())).collect()
    }

    fn keys(page: &Listing) -> Vec<&str> {
        page.objects.iter().map(|object| object.key.as_str()).collect()
    }

    fn all_pages(
        objects: &BTreeMap<String, MemoryObject>,
        mut options: ListOptions,
    ) -> (Vec<String>, Vec<String>, Vec<usize>) {
        let (mut keys, mut prefixes, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let page = page(objects, &options).unwrap();
            sizes.push(page.objects.len() + page.common_prefixes.len());
            keys.extend(page.objects.into_iter().map(|object| object.key));
            prefixes.extend(page.common_prefixes);
            options.continuation = page.continuation;
            if options.continuation.is_none() {
                return (keys, prefixes, sizes);
            }
        }
    }

    #[test]
    fn the_order_is_that_of_the_bytes_and_not_of_utf16() {
        // U+FF61 sorts before U+1F600 in UTF-8, after it in UTF-16.
        let objects = objects(&["b", "a/", "a", "B", "a!", "\u{1f600}", "\u{ff61}"]);
        let page = page(&objects, &ListOptions::default()).unwrap();
        assert_eq!(keys(&page), ["B", "a", "a!", "a/", "b", "\u{ff61}", "\u{1f600}"]);
    }

    #[test]
    fn start_after_inside_a_common_prefix_still_shows_the_rest_of_it() {
        let objects = objects(&["a/1", "a/2", "b"]);
        let list = |start_after: &str| {
            let options = ListOptions {
                delimiter: Some("/".to_owned()),
                start_after: Some(start_after.to_owned()),
                ..Default::default()
            };
            let page = page(&objects, &options).unwrap();
            (page.common_prefixes.clone(), keys(&page).len())
        };
        assert_eq!(list("a/1"), (vec!["a/".to_owned()], 1));
        assert_eq!(list("a/2"), (vec![], 1));
    }

    #[test]
    fn a_full_last_page_has_no_continuation() {
        let objects = objects(&["a", "b", "c/1", "c/2"]);
        let options =
            ListOptions { delimiter: Some("/".to_owned()), limit: Some(3), ..Default::default() };
        assert_eq!(page(&objects, &options).unwrap().continuation, None);
    }

    #[test]
    fn a_token_of_someone_elses_making_is_an_error() {
        let objects = objects(&["a", "b"]);
        let mut options = ListOptions { limit: Some(1), ..Default::default() };
        let good = page(&objects, &options).unwrap().continuation.unwrap();
        for bad in ["x", "a", "AAAAAAAAAAAAAAAA", &good[1..], &format!("{good}A")] {
            options.continuation = Some(bad.to_owned());
            let error = page(&objects, &options).unwrap_err();
            assert_eq!((error.status(), error.code()), (Some(400), Some("InvalidArgument")));
        }
    }

    proptest! {
        #[test]
        fn pages_joined_are_what_was_asked_for(
            names in proptest::collection::btree_set("[ab/é]{1,5}", 0..30),
            prefix in "[ab/]{0,2}",
            delimiter in proptest::option::of("[/b]|b/"),
            start_after in proptest::option::of("[ab/]{1,3}"),
            limit in 1_u32..5,
        ) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let options = ListOptions {
                prefix: prefix.clone(),
                delimiter: delimiter.clone(),
                start_after: start_after.clone(),
                continuation: None,
                limit: Some(limit),
            };
            let (keys, prefixes, sizes) = all_pages(&objects(&names), options);

            let (mut want_keys, mut want_prefixes) = (Vec::new(), Vec::<String>::new());
            for name in names {
                let after = start_after.as_deref().is_none_or(|start| name > start);
                let Some(rest) = name.strip_prefix(prefix.as_str()).filter(|_| after) else {
                    continue;
                };
                match delimiter.as_deref().and_then(|d| Some((rest.split_once(d)?.0, d))) {
                    None => want_keys.push(name.to_owned()),
                    Some((head, d)) => want_prefixes.push(format!("{prefix}{head}{d}")),
                }
            }
            want_prefixes.dedup();
            prop_assert_eq!(keys, want_keys);
            prop_assert_eq!(prefixes, want_prefixes);
            let (last, full) = sizes.split_last().unwrap();
            prop_assert!(full.iter().all(|&size| size == limit as usize));
            prop_assert!(*last > 0 || full.is_empty());
        }
    }
}
