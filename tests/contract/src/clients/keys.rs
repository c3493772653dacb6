//! Keys that some layer on the way likes to alter, each by itself.

use artifact_s3::{DeleteOptions, GetOptions, ListOptions, ObjectKey, PutOptions, S3ErrorKind};

use super::{CaseResult, Context, context::refused};

/// Stored, read, listed, copied, deleted: under exactly this name.
pub async fn kept_exactly(c: Context, name: &'static str) -> CaseResult {
    kept(&c, c.key(name)?).await
}

/// A key of the greatest length, of one segment.
pub async fn longest_segment(c: Context) -> CaseResult {
    let fill = ObjectKey::MAX_BYTES - c.prefix.len();
    kept(&c, c.key(&"k".repeat(fill))?).await
}

/// A key of the greatest length, of many segments.
pub async fn longest_of_many_segments(c: Context) -> CaseResult {
    let fill = ObjectKey::MAX_BYTES - c.prefix.len();
    let name: String = "segment/".chars().cycle().take(fill - 1).collect();
    kept(&c, c.key(&format!("{name}x"))?).await
}

/// A key of the greatest length in bytes, two to a character.
pub async fn longest_of_two_byte_characters(c: Context) -> CaseResult {
    let fill = (ObjectKey::MAX_BYTES - c.prefix.len()) / 2;
    kept(&c, c.key(&"ж".repeat(fill))?).await
}

/// A key that begins with a slash is another than the one without.
pub async fn leading_slash(c: Context) -> CaseResult {
    kept(&c, ObjectKey::parse(format!("/{}k", c.prefix))?).await
}

/// Keys that some layers take for one another are different objects.
pub async fn lookalikes_are_different_objects(c: Context) -> CaseResult {
    let mut names = vec![
        "a+b", "a b", "a%20b", "a%2Bb", "A+b", "a/b", "a%2Fb", "a%2fb", "é", "e\u{301}", "K",
        "\u{212a}", "k",
    ];
    for name in &names {
        c.put(name, *name).await?;
    }
    for name in &names {
        assert_eq!(c.read(name).await?, name, "{name:?}");
    }
    names.sort_unstable();
    let mut listed = c.names().await?;
    // Their order is looked at elsewhere.
    listed.sort_unstable();
    assert_eq!(listed, names);
    Ok(())
}

/// The Big List of Naughty Strings, but for what has cases of its own: what some servers
/// do not keep, or cannot.
pub async fn naughty_strings(c: Context) -> CaseResult {
    let special = |name: &str| {
        name.contains(['\\', '\u{fffe}', '\u{ffff}'])
            || name.contains("//")
            || name.starts_with('/')
            || name.ends_with('/')
            || name.split('/').any(|segment| segment.len() > 255)
    };
    let mut kept_names = 0;
    for name in naughty_strings::BLNS {
        if !special(name) && ObjectKey::parse(*name).is_ok() {
            let key = c.key(&format!("naughty/{name}"))?;
            kept(&c, key).await.map_err(|error| format!("{name:?}: {error:?}"))?;
            kept_names += 1;
        }
    }
    assert!(kept_names > 300, "{kept_names}");
    Ok(())
}

async fn kept(c: &Context, key: ObjectKey) -> CaseResult {
    let Context { s3, bucket, .. } = c;
    let bytes = format!("the bytes of {key}");
    s3.put_object(bucket, &key, bytes.clone().into(), &PutOptions::default()).await?;
    let object = s3.get_object(bucket, &key, &GetOptions::default()).await?;
    assert_eq!(object.body.bytes().await?, bytes);
    let head = s3.head_object(bucket, &key, &GetOptions::default()).await?;
    assert_eq!(head.size, bytes.len() as u64);

    let options = ListOptions { prefix: key.as_str().to_owned(), ..Default::default() };
    let page = s3.list_objects(bucket, &options).await?;
    let listed: Vec<&str> = page.objects.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(listed, [key.as_str()]);

    let copy = c.key("copy")?;
    s3.copy_object(bucket, &key, &copy, &PutOptions::default()).await?;
    assert_eq!(c.read("copy").await?, bytes);

    s3.delete_object(bucket, &key, &DeleteOptions::default()).await?;
    let gone = s3.head_object(bucket, &key, &GetOptions::default()).await;
    assert_eq!(refused(gone)?, S3ErrorKind::NoSuchKey);
    Ok(())
}
