use crate::{
    answers,
    bindings::agent::artifacts::types::{GetOptions, S3Error, WriteCondition},
};

/// Whether an object with this etag may be read on these conditions.
pub(crate) fn check_read(etag: &str, options: &GetOptions) -> Result<(), S3Error> {
    if options.if_modified_since.is_some() || options.if_unmodified_since.is_some() {
        return Err(answers::refuse(
            "there is no clock in the sandbox, so objects have no dates: leave if-modified-since \
             and if-unmodified-since out",
        ));
    }
    if options.if_match.as_ref().is_some_and(|given| !matches(given, etag)) {
        return Err(answers::precondition_failed());
    }
    if options.if_none_match.as_ref().is_some_and(|given| matches(given, etag)) {
        return Err(answers::not_modified());
    }
    Ok(())
}

/// Whether a write may go over what is there now, if anything is: the object with this etag.
pub(crate) fn check_write(
    current: Option<&str>,
    condition: &WriteCondition,
) -> Result<(), S3Error> {
    match (condition, current) {
        (WriteCondition::Unconditional, _) | (WriteCondition::IfAbsent, None) => Ok(()),
        (WriteCondition::IfAbsent, Some(_)) => Err(answers::precondition_failed()),
        (WriteCondition::IfMatch(_), None) => Err(answers::no_such_key()),
        (WriteCondition::IfMatch(given), Some(etag)) => require_match(given, etag),
    }
}

/// Whether the object has this etag.
pub(crate) fn require_match(given: &str, etag: &str) -> Result<(), S3Error> {
    if matches(given, etag) { Ok(()) } else { Err(answers::precondition_failed()) }
}

/// With or without quotes; `*` is any object.
fn matches(given: &str, etag: &str) -> bool {
    given == "*" || given.trim_matches('"') == etag
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::tests::NO_GET_OPTIONS;

    fn status(result: Result<(), S3Error>) -> Option<u16> {
        result.err().and_then(|error| error.status)
    }

    #[test]
    fn etags_match_with_and_without_quotes_and_by_star() {
        for (given, refused) in [("abc", false), ("\"abc\"", false), ("*", false), ("abd", true)] {
            let matching = GetOptions { if_match: Some(given.to_owned()), ..NO_GET_OPTIONS };
            assert_eq!(status(check_read("abc", &matching)), refused.then_some(412), "{given}");
            let other = GetOptions { if_none_match: Some(given.to_owned()), ..NO_GET_OPTIONS };
            assert_eq!(status(check_read("abc", &other)), (!refused).then_some(304), "{given}");
        }
    }

    #[test]
    fn a_condition_on_a_date_is_refused_and_not_ignored() {
        for options in [
            GetOptions { if_modified_since: Some(1), ..NO_GET_OPTIONS },
            GetOptions { if_unmodified_since: Some(1), ..NO_GET_OPTIONS },
        ] {
            assert!(check_read("abc", &options).unwrap_err().message.contains("no clock"));
        }
    }

    #[test]
    fn write_conditions_look_at_what_is_there() {
        let matching = WriteCondition::IfMatch("\"abc\"".to_owned());
        let other = WriteCondition::IfMatch("abd".to_owned());
        assert_eq!(status(check_write(None, &WriteCondition::IfAbsent)), None);
        assert_eq!(status(check_write(Some("abc"), &WriteCondition::IfAbsent)), Some(412));
        assert_eq!(status(check_write(Some("abc"), &matching)), None);
        assert_eq!(status(check_write(Some("abc"), &other)), Some(412));
        assert_eq!(status(check_write(None, &matching)), Some(404));
    }
}
