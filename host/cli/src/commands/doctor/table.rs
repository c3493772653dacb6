use artifact_store::s3::{Check, Finding};

use crate::output::printable;

/// The width that every terminal has.
const WIDTH: usize = 80;

/// What was tried, what came of it, and a sentence that goes on below itself.
pub fn of(checks: &[Check]) -> String {
    let (tried, untried): (Vec<_>, Vec<_>) =
        checks.iter().partition(|check| check.finding != Finding::Unknown);
    let checks: Vec<&Check> = tried.into_iter().chain(untried.into_iter().take(1)).collect();
    let name = checks.iter().map(|check| check.feature.as_str().len()).max().unwrap_or(0);
    let finding = checks.iter().map(|check| check.finding.to_string().len()).max().unwrap_or(0);
    let indent = name + finding + 4;
    checks.iter().fold(String::new(), |table, check| {
        let colour = match check.finding {
            Finding::Ok => "\x1b[32m",
            Finding::Ignored => "\x1b[1;33m",
            Finding::Refused | Finding::Unknown => "\x1b[2m",
            Finding::Failed => "\x1b[1;31m",
        };
        let message = wrapped(&printable(&check.message), WIDTH - indent, indent);
        let found = check.finding;
        // The others that were not tried would say the same.
        let feature = match found {
            Finding::Unknown => "all others",
            _ => check.feature.as_str(),
        };
        table + &format!("{feature:<name$}  {colour}{found:<finding$}\x1b[0m  {message}\n")
    })
}

/// The text in lines of so many characters, the second and all after it indented. A
/// word that is longer than a line has one to itself.
fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut wrapped = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            wrapped.push('\n');
            wrapped.extend(std::iter::repeat_n(' ', indent));
            column = 0;
        } else if column > 0 {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += length;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sentence_goes_on_below_itself() {
        assert_eq!(wrapped("one two three", 7, 2), "one two\n  three");
        assert_eq!(wrapped("incomprehensible it is", 5, 1), "incomprehensible\n it is");
        assert_eq!(wrapped("", 5, 1), "");
    }
}
