//! Durations and dates as people write them, in seconds: the little of RFC 3339 that
//! settings and refusals need.

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A number and its unit: `30d`, `12h`, `90m`, `45s`.
pub(crate) fn parse_duration(text: &str) -> Option<u64> {
    let number = text.strip_suffix(['d', 'h', 'm', 's'])?;
    let unit = match text.as_bytes().last()? {
        b'd' => DAY,
        b'h' => HOUR,
        b'm' => MINUTE,
        _ => 1,
    };
    digits(number)?.checked_mul(unit)
}

/// A date, which is its first second, or a date and time: `2030-01-31`,
/// `2030-01-31T12:00:00Z`. In UTC, from 1970 on, to the second.
pub(crate) fn parse_date(text: &str) -> Option<u64> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, parse_time(time)?),
        None => (text, 0),
    };
    let [year, month, day] = fields(date, '-', [4, 2, 2])?;
    if year < 1970 || !(1..=12).contains(&month) || day < 1 || day > days_of(year, month) {
        return None;
    }
    let years: u64 = (1970..year).map(days_of_year).sum();
    let months: u64 = (1..month).map(|month| days_of(year, month)).sum();
    Some((years + months + day - 1) * DAY + time)
}

fn parse_time(text: &str) -> Option<u64> {
    let [hour, minute, second] = fields(text.strip_suffix('Z')?, ':', [2, 2, 2])?;
    (hour < 24 && minute < 60 && second < 60).then(|| hour * HOUR + minute * MINUTE + second)
}

/// The date and time as [`parse_date`] takes them.
pub(crate) fn format_date(seconds: u64) -> String {
    let (mut year, mut day) = (1970, seconds / DAY);
    // Every 400 years the calendar repeats itself.
    year += day / DAYS_OF_400_YEARS * 400;
    day %= DAYS_OF_400_YEARS;
    while day >= days_of_year(year) {
        day -= days_of_year(year);
        year += 1;
    }
    let mut month = 1;
    while day >= days_of(year, month) {
        day -= days_of(year, month);
        month += 1;
    }
    let time = seconds % DAY;
    let two = |number: u64| [if number < 10 { "0" } else { "" }, &number.to_string()].concat();
    let date = [&year.to_string(), "-", &two(month), "-", &two(day + 1)].concat();
    let (hour, minute, second) = (time / HOUR, time % HOUR / MINUTE, time % MINUTE);
    [&date, "T", &two(hour), ":", &two(minute), ":", &two(second), "Z"].concat()
}

const DAYS_OF_400_YEARS: u64 = 400 * 365 + 97;

fn days_of_year(year: u64) -> u64 {
    365 + u64::from(is_leap(year))
}

fn days_of(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Three numbers of just so many digits.
fn fields(text: &str, separator: char, lengths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let field = |length| {
        let part = parts.next()?;
        if part.len() == length { digits(part) } else { None }
    };
    let [first, second, third] = lengths.map(field);
    let fields = [first?, second?, third?];
    parts.next().is_none().then_some(fields)
}

/// A number without a sign.
fn digits(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, seconds) in [
            ("45s", 45),
            ("90m", 5400),
            ("12h", 43_200),
            ("30d", 2_592_000),
            ("0s", 0),
            ("007d", 604_800),
        ] {
            assert_eq!(parse_duration(text), Some(seconds), "{text}");
        }
        for text in [
            "",
            "d",
            "30",
            "30 d",
            " 30d",
            "30d ",
            "+30d",
            "-1d",
            "1.5d",
            "30D",
            "30w",
            "1d12h",
            "30é",
            "213503982334602d",
            "99999999999999999999s",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    /// Seconds from GNU date: `date -u -d 2000-02-29T23:59:59Z +%s`.
    const DATES: [(&str, u64); 9] = [
        ("1970-01-01T00:00:00Z", 0),
        ("1972-02-29T12:34:56Z", 68_214_896),
        ("1999-12-31T23:59:59Z", 946_684_799),
        ("2000-02-29T23:59:59Z", 951_868_799),
        ("2000-03-01T00:00:00Z", 951_868_800),
        ("2024-12-31T00:00:00Z", 1_735_603_200),
        ("2100-02-28T23:59:59Z", 4_107_542_399),
        ("2100-03-01T00:00:00Z", 4_107_542_400),
        ("9999-12-31T23:59:59Z", 253_402_300_799),
    ];

    #[test]
    fn dates_are_read_and_written_alike() {
        for (text, seconds) in DATES {
            assert_eq!(parse_date(text), Some(seconds), "{text}");
            assert_eq!(format_date(seconds), text);
        }
        assert_eq!(parse_date("2000-03-01"), Some(951_868_800));
        // Later than any setting can say, as the sum of two: still a date, and soon.
        assert!(format_date(u64::MAX).starts_with("584554051223-"));
    }

    #[test]
    fn what_is_no_date_in_utc_is_refused() {
        for text in [
            "",
            "2030",
            "2030-01",
            "2030-1-31",
            "30-01-31",
            "2030-00-01",
            "2030-13-01",
            "2030-01-00",
            "2030-01-32",
            "2030-02-29",
            "2100-02-29",
            "2030-04-31",
            "1969-12-31",
            "2030-01-31T",
            "2030-01-31T12:00:00",
            "2030-01-31T12:00Z",
            "2030-01-31T24:00:00Z",
            "2030-01-31T12:60:00Z",
            "2030-01-31T23:59:60Z",
            "2030-01-31T12:00:00+01:00",
            "2030-01-31T12:00:00.5Z",
            "2030-01-31 12:00:00Z",
            "2030-01-31Z",
            "2030-01-31-01",
            "+030-01-31",
            "２030-01-31",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}
