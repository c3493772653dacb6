use futures::{Stream, StreamExt, TryStreamExt, stream};

use crate::{Bucket, ListOptions, ListedObject, Listing, S3Client, S3Error, S3ErrorKind};

/// Every object of a listing, over any number of pages.
///
/// - [`ListOptions::limit`] bounds a page, not the whole;
/// - one page is in memory, and the next is asked for once that is used up;
/// - what a delimiter gathers is not part of it: see [`list_pages`];
/// - a service whose pages lead in a circle is an error, and no endless stream;
/// - the stream ends with its first error.
///
/// # Example: how large is everything under a prefix?
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::pin::pin;
///
/// use artifact_s3::{Bucket, ListOptions, MemoryS3, ObjectKey, S3Client, list_all};
/// use futures::TryStreamExt;
///
/// let s3 = MemoryS3::new();
/// let bucket = Bucket::parse("artifacts")?;
/// for key in ["asm/1", "asm/2", "other"] {
///     s3.put_object(&bucket, &ObjectKey::parse(key)?, "diff".into(), &Default::default()).await?;
/// }
///
/// let options = ListOptions { prefix: "asm/".to_owned(), ..Default::default() };
/// let mut objects = pin!(list_all(&s3, &bucket, options));
/// let mut size = 0;
/// while let Some(object) = objects.try_next().await? {
///     size += object.size;
/// }
/// assert_eq!(size, 8);
/// # Ok(())
/// # }
/// ```
pub fn list_all<'a>(
    client: &'a dyn S3Client,
    bucket: &'a Bucket,
    options: ListOptions,
) -> impl Stream<Item = Result<ListedObject, S3Error>> + Send + 'a {
    list_pages(client, bucket, options)
        .map_ok(|page| stream::iter(page.objects).map(Ok))
        .try_flatten()
}

/// Every page of a listing, with what its delimiter gathered.
///
/// As [`list_all`], page by page; a page may be empty.
pub fn list_pages<'a>(
    client: &'a dyn S3Client,
    bucket: &'a Bucket,
    options: ListOptions,
) -> impl Stream<Item = Result<Listing, S3Error>> + Send + 'a {
    let pages = Pages { client, bucket, next: Some(options), tokens: Tokens::default() };
    stream::try_unfold(pages, |mut pages| async move {
        let Some(mut options) = pages.next.take() else {
            return Ok(None);
        };
        let page = pages.client.list_objects(pages.bucket, &options).await?;
        if let Some(token) = &page.continuation {
            pages.tokens.see(token)?;
            options.continuation = Some(token.clone());
            pages.next = Some(options);
        }
        Ok(Some((page, pages)))
    })
}

struct Pages<'a> {
    client: &'a dyn S3Client,
    bucket: &'a Bucket,
    /// None after the last page.
    next: Option<ListOptions>,
    tokens: Tokens,
}

/// Finds a circle of continuation tokens, of any length, by keeping one of them
/// ([Brent's algorithm](https://maths-people.anu.edu.au/~brent/pub/pub051.html)).
#[derive(Default)]
struct Tokens {
    kept: Option<String>,
    seen: u64,
}

impl Tokens {
    fn see(&mut self, token: &str) -> Result<(), S3Error> {
        if self.kept.as_deref() == Some(token) {
            return Err(S3Error::new(
                S3ErrorKind::Service,
                format!(
                    "the listing leads in a circle: the service gave the same continuation token \
                     again within {} pages",
                    self.seen + 1
                ),
            ));
        }
        self.seen += 1;
        if self.seen.is_power_of_two() {
            self.kept = Some(token.to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_of_any_length_is_found_and_a_long_listing_is_none() {
        for (lead_in, length) in [(0, 1), (0, 2), (3, 1), (5, 7), (100, 33)] {
            let mut tokens = Tokens::default();
            let path = (0..lead_in).chain((lead_in..lead_in + length).cycle());
            let at = path.map(|n| n.to_string()).position(|token| tokens.see(&token).is_err());
            assert!(at.unwrap() <= 4 * (lead_in + length), "{lead_in} {length}: {at:?}");
        }
        let mut tokens = Tokens::default();
        assert!((0..10_000).all(|n| tokens.see(&n.to_string()).is_ok()));
    }
}
