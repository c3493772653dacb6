//! Pages of keys.

use artifact_s3::{GetOptions, ListOptions, S3ErrorKind};
use libtest_mimic::Failed;

use super::{CaseResult, Context, context::refused};

async fn put_all(c: &Context, names: &[&str]) -> CaseResult {
    for name in names {
        c.put(name, (*name).to_owned()).await?;
    }
    Ok(())
}

/// All names and common prefixes, page by page; each page is as full as it may be.
async fn pages(c: &Context, options: ListOptions) -> Result<(Vec<String>, Vec<String>), Failed> {
    let limit = options.limit.map_or(1000, |limit| limit as usize);
    let (mut names, mut prefixes, mut next) = (Vec::new(), Vec::new(), options.clone());
    for _ in 0..100 {
        let page = c.list(next.clone()).await?;
        let entries = page.objects.len() + page.common_prefixes.len();
        assert!(entries <= limit, "{entries} entries, and {limit} asked for");
        names.extend(c.names_of(&page)?);
        for prefix in &page.common_prefixes {
            prefixes.push(c.without_prefix(prefix)?);
        }
        match page.continuation {
            None => return Ok((names, prefixes)),
            Some(token) => next.continuation = Some(token),
        }
    }
    Err("the listing does not end".into())
}

/// Nothing there is an empty page.
pub async fn empty(c: Context) -> CaseResult {
    assert_eq!(c.list(ListOptions::default()).await?, artifact_s3::Listing::default());
    Ok(())
}

/// In the order of the keys' bytes.
pub async fn order(c: Context) -> CaseResult {
    let mut names = ["b", "a", "B", "a-1", "a/1", "a0", "10", "9", "_", "~", "aa"];
    put_all(&c, &names).await?;
    names.sort_unstable();
    assert_eq!(c.names().await?, names);
    Ok(())
}

/// Also where UTF-16 would sort them otherwise.
pub async fn order_of_unicode(c: Context) -> CaseResult {
    let names = ["z", "é", "ключ", "\u{ff61}", "\u{1f600}"];
    put_all(&c, &names).await?;
    assert_eq!(c.names().await?, names);
    Ok(())
}

/// Each entry tells what a head would.
pub async fn entries_describe(c: Context) -> CaseResult {
    c.put("k", "12345").await?;
    let head = c.head("k", &GetOptions::default()).await?;
    let page = c.list(ListOptions::default()).await?;
    let [entry] = &page.objects[..] else {
        return Err(format!("{} entries", page.objects.len()).into());
    };
    assert_eq!((entry.size, &entry.etag), (5, &head.etag));
    Ok(())
}

/// With the date that a head tells.
pub async fn entries_are_dated(c: Context) -> CaseResult {
    c.put("k", "12345").await?;
    let modified = c.head("k", &GetOptions::default()).await?.last_modified;
    let page = c.list(ListOptions::default()).await?;
    let listed = page.objects.first().ok_or("nothing is listed")?.last_modified;
    assert_eq!(listed.ok_or("no date in the listing")?, modified.ok_or("no date in the head")?);
    Ok(())
}

/// Only keys that begin so, wherever that ends.
pub async fn prefix(c: Context) -> CaseResult {
    put_all(&c, &["ab", "abc", "ab/c", "b", "Ab"]).await?;
    let options = ListOptions { prefix: "ab".to_owned(), ..Default::default() };
    assert_eq!(pages(&c, options).await?.0, ["ab", "ab/c", "abc"]);
    let options = ListOptions { prefix: "nope".to_owned(), ..Default::default() };
    assert_eq!(c.list(options).await?, artifact_s3::Listing::default());
    Ok(())
}

/// Keys beyond the delimiter are gathered under what they have in common.
pub async fn delimiter(c: Context) -> CaseResult {
    put_all(&c, &["a", "dir/1", "dir/2", "dir/sub/3", "dir2/4", "z"]).await?;
    let slash = |prefix: &str| ListOptions {
        prefix: prefix.to_owned(),
        delimiter: Some("/".to_owned()),
        ..Default::default()
    };
    let (names, prefixes) = pages(&c, slash("")).await?;
    assert_eq!(names, ["a", "z"]);
    assert_eq!(prefixes, ["dir/", "dir2/"]);
    let (names, prefixes) = pages(&c, slash("dir/")).await?;
    assert_eq!(names, ["dir/1", "dir/2"]);
    assert_eq!(prefixes, ["dir/sub/"]);
    Ok(())
}

/// Any text can be the delimiter.
pub async fn delimiter_of_several_characters(c: Context) -> CaseResult {
    put_all(&c, &["a--1", "a--2", "a-3", "b"]).await?;
    let options = ListOptions { delimiter: Some("--".to_owned()), ..Default::default() };
    let (names, prefixes) = pages(&c, options).await?;
    assert_eq!((names, prefixes), (vec!["a-3".to_owned(), "b".to_owned()], vec!["a--".to_owned()]));
    Ok(())
}

/// Page after page, nothing twice and nothing left out.
pub async fn paging(c: Context) -> CaseResult {
    let names: Vec<String> = (0..23).map(|n| format!("key {n:02}+&")).collect();
    put_all(&c, &names.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    for limit in [1, 5, 23, 24] {
        let options = ListOptions { limit: Some(limit), ..Default::default() };
        assert_eq!(pages(&c, options).await?.0, names, "pages of {limit}");
    }
    Ok(())
}

/// A full last page is the last.
pub async fn a_full_page_may_be_the_last(c: Context) -> CaseResult {
    put_all(&c, &["a", "b"]).await?;
    let page = c.list(ListOptions { limit: Some(2), ..Default::default() }).await?;
    assert_eq!(page.objects.len(), 2);
    assert_eq!(page.continuation, None);
    Ok(())
}

/// Common prefixes count as entries, and each comes once.
pub async fn paging_over_common_prefixes(c: Context) -> CaseResult {
    put_all(&c, &["a/1", "a/2", "b", "c/1", "c/2", "c/3", "d"]).await?;
    for limit in [1, 2, 3] {
        let options = ListOptions {
            delimiter: Some("/".to_owned()),
            limit: Some(limit),
            ..Default::default()
        };
        let (names, prefixes) = pages(&c, options).await?;
        assert_eq!(names, ["b", "d"], "pages of {limit}");
        assert_eq!(prefixes, ["a/", "c/"], "pages of {limit}");
    }
    Ok(())
}

/// The key itself is not in the page; it need not exist.
pub async fn start_after(c: Context) -> CaseResult {
    put_all(&c, &["a", "b", "b0", "c"]).await?;
    for (after, expected) in [("b", &["b0", "c"][..]), ("a~", &["b", "b0", "c"]), ("zzz", &[])] {
        let options = ListOptions { start_after: Some(after.to_owned()), ..Default::default() };
        assert_eq!(pages(&c, options).await?.0, expected, "after {after}");
    }
    Ok(())
}

/// A token that nobody gave out is an error, not the first page.
pub async fn a_bad_continuation_is_refused(c: Context) -> CaseResult {
    c.put("a", "x").await?;
    let options =
        ListOptions { continuation: Some("no-such-token".to_owned()), ..Default::default() };
    let kind = refused(c.list(options).await)?;
    assert!(matches!(kind, S3ErrorKind::Service | S3ErrorKind::InvalidRequest), "{kind}");
    Ok(())
}
