use artifact_store::{ListOptions, ListedObject, Listing};
use serde_json::json;

use super::Store;
use crate::{
    args::{ListArgs, rfc3339},
    failure::Failure,
    output::Output,
};

/// Prints the keys of all pages, each page as it comes.
pub async fn run(args: &ListArgs, store: &Store<'_>, output: &Output) -> Result<(), Failure> {
    let store = store.start().await?;
    let mut options = ListOptions {
        prefix: args.under.clone(),
        delimiter: args.delimiter.clone(),
        start_after: args.start_after.clone(),
        ..ListOptions::default()
    };
    let mut left = args.limit.unwrap_or(u64::MAX);
    let mut columns = Columns::default();
    loop {
        options.limit = u32::try_from(left).ok().filter(|&left| left < ListOptions::MAX_LIMIT);
        let mut page = store.list_with(&options).await?;
        options.continuation = page.continuation.take();
        let mut entries = entries(page);
        // A store that gives more than it was asked for is cut short.
        entries.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= entries.len() as u64;

        columns.widen(&entries);
        let text: String = entries
            .iter()
            .map(|entry| match entry {
                _ if output.json => format!("{}\n", entry.as_json()),
                _ if args.long => columns.line(entry, output),
                _ => format!("{}\n", output.shown(entry.name())),
            })
            .collect();
        output.data(&text)?;
        if left == 0 || options.continuation.is_none() {
            return Ok(());
        }
    }
}

/// A line of the listing.
enum Entry {
    Object(ListedObject),
    /// What keys that hold the delimiter have in common.
    Prefix(String),
}

/// Objects and common prefixes, in the one order that they have as keys.
fn entries(page: Listing) -> Vec<Entry> {
    let prefixes = page.common_prefixes.into_iter().map(Entry::Prefix);
    let mut entries: Vec<Entry> =
        page.objects.into_iter().map(Entry::Object).chain(prefixes).collect();
    entries.sort_by(|a, b| a.name().cmp(b.name()));
    entries
}

impl Entry {
    fn name(&self) -> &str {
        match self {
            Self::Object(object) => &object.key,
            Self::Prefix(prefix) => prefix,
        }
    }

    fn size(&self) -> String {
        self.object().map_or_else(nothing, |object| object.size.to_string())
    }

    fn date(&self) -> String {
        self.object().and_then(|object| object.last_modified).map_or_else(nothing, rfc3339)
    }

    fn etag(&self) -> String {
        self.object().and_then(|object| object.etag.clone()).unwrap_or_else(nothing)
    }

    fn object(&self) -> Option<&ListedObject> {
        match self {
            Self::Object(object) => Some(object),
            Self::Prefix(_) => None,
        }
    }

    fn as_json(&self) -> serde_json::Value {
        match self {
            Self::Object(object) => json!({
                "key": object.key,
                "size": object.size,
                "etag": object.etag,
                "last_modified": object.last_modified.map(rfc3339),
                "storage_class": object.storage_class,
            }),
            Self::Prefix(prefix) => json!({ "prefix": prefix }),
        }
    }
}

fn nothing() -> String {
    "-".to_owned()
}

/// How wide the columns of `-l` are: as wide as a page needs, and never narrower
/// than on the page before.
#[derive(Default)]
struct Columns {
    size: usize,
    date: usize,
    etag: usize,
}

impl Columns {
    fn widen(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.size = self.size.max(entry.size().len());
            self.date = self.date.max(entry.date().len());
            self.etag = self.etag.max(entry.etag().chars().count());
        }
    }

    fn line(&self, entry: &Entry, output: &Output) -> String {
        let (size, date) = (entry.size(), entry.date());
        let (etag, name) = (output.shown(&entry.etag()), output.shown(entry.name()));
        format!("{size:>0$}  {date:<1$}  {etag:<2$}  {name}\n", self.size, self.date, self.etag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_and_objects_are_in_one_order() {
        let object = |key: &str| ListedObject { key: key.to_owned(), ..ListedObject::default() };
        let page = Listing {
            objects: vec![object("a"), object("c")],
            common_prefixes: vec!["b/".to_owned()],
            continuation: None,
        };
        let names: Vec<_> = entries(page).iter().map(|entry| entry.name().to_owned()).collect();
        assert_eq!(names, ["a", "b/", "c"]);
    }
}
