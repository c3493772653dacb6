use super::answers;
use crate::{GetOptions, ObjectInfo, S3Error, WriteCondition};

/// Whether an object may be read on these conditions.
///
/// Where an etag and a date are given for the same question, the etag decides
/// ([RFC 9110, section 13.2.2][order]; S3 documents the same).
///
/// [order]: https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2
pub(super) fn check_read(info: &ObjectInfo, options: &GetOptions) -> Result<(), S3Error> {
    let modified = info.last_modified.unwrap_or_default();
    if let Some(etag) = &options.if_match {
        if !matches(etag, info) {
            return Err(answers::precondition_failed());
        }
    } else if options.if_unmodified_since.is_some_and(|since| modified > since) {
        return Err(answers::precondition_failed());
    }
    if let Some(etag) = &options.if_none_match {
        if matches(etag, info) {
            return Err(answers::not_modified());
        }
    } else if options.if_modified_since.is_some_and(|since| modified <= since) {
        return Err(answers::not_modified());
    }
    Ok(())
}

/// Whether a write may go over what is there now.
pub(super) fn check_write(
    current: Option<&ObjectInfo>,
    condition: &WriteCondition,
) -> Result<(), S3Error> {
    match (condition, current) {
        (WriteCondition::Unconditional, _) | (WriteCondition::IfAbsent, None) => Ok(()),
        (WriteCondition::IfAbsent, Some(_)) => Err(answers::precondition_failed()),
        (WriteCondition::IfMatch(_), None) => Err(answers::no_such_key()),
        (WriteCondition::IfMatch(etag), Some(info)) => require_match(etag, info),
    }
}

/// Whether the object has this etag.
pub(super) fn require_match(etag: &str, info: &ObjectInfo) -> Result<(), S3Error> {
    if matches(etag, info) { Ok(()) } else { Err(answers::precondition_failed()) }
}

/// With or without quotes; `*` is any object.
fn matches(etag: &str, info: &ObjectInfo) -> bool {
    let bare = etag.trim_matches('"');
    etag == "*" || info.etag.as_deref() == Some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::S3ErrorKind::{self, NoSuchKey, NotModified, PreconditionFailed};

    fn info() -> ObjectInfo {
        ObjectInfo { etag: Some("abc".to_owned()), last_modified: Some(1000), ..Default::default() }
    }

    fn read(options: &GetOptions) -> Option<S3ErrorKind> {
        check_read(&info(), options).err().map(|e| e.kind())
    }

    #[test]
    fn etags_match_with_and_without_quotes_and_by_star() {
        for (given, refused) in
            [("abc", None), ("\"abc\"", None), ("*", None), ("abd", Some(PreconditionFailed))]
        {
            let options = GetOptions { if_match: Some(given.to_owned()), ..Default::default() };
            assert_eq!(read(&options), refused, "{given}");
        }
        for (given, refused) in
            [("abc", Some(NotModified)), ("\"abc\"", Some(NotModified)), ("*", Some(NotModified))]
        {
            let options =
                GetOptions { if_none_match: Some(given.to_owned()), ..Default::default() };
            assert_eq!(read(&options), refused, "{given}");
        }
        assert_eq!(
            read(&GetOptions { if_none_match: Some("x".to_owned()), ..Default::default() }),
            None
        );
    }

    #[test]
    fn dates_count_to_the_second() {
        let modified =
            |since| read(&GetOptions { if_modified_since: Some(since), ..Default::default() });
        assert_eq!((modified(999), modified(1000)), (None, Some(NotModified)));
        let unmodified =
            |since| read(&GetOptions { if_unmodified_since: Some(since), ..Default::default() });
        assert_eq!((unmodified(999), unmodified(1000)), (Some(PreconditionFailed), None));
    }

    #[test]
    fn an_etag_decides_over_a_date() {
        let options = GetOptions {
            if_match: Some("abc".to_owned()),
            if_unmodified_since: Some(1),
            ..Default::default()
        };
        assert_eq!(read(&options), None);
        let options = GetOptions {
            if_none_match: Some("abc".to_owned()),
            if_modified_since: Some(1),
            ..Default::default()
        };
        assert_eq!(read(&options), Some(NotModified));
    }

    #[test]
    fn write_conditions_look_at_what_is_there() {
        let write = |current: Option<&ObjectInfo>, condition: WriteCondition| {
            check_write(current, &condition).err().map(|e| e.kind())
        };
        let (info, matching) = (info(), WriteCondition::IfMatch("\"abc\"".to_owned()));
        let other = WriteCondition::IfMatch("abd".to_owned());
        assert_eq!(write(None, WriteCondition::IfAbsent), None);
        assert_eq!(write(Some(&info), WriteCondition::IfAbsent), Some(PreconditionFailed));
        assert_eq!(write(Some(&info), matching.clone()), None);
        assert_eq!(write(Some(&info), other), Some(PreconditionFailed));
        assert_eq!(write(None, matching), Some(NoSuchKey));
    }
}
