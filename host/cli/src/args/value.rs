//! Values that the command line, the environment and the file write alike.

use std::{fmt, str::FromStr, time::Duration};

use artifact_store::{ByteRange, ChecksumAlgorithm, s3};
use bytesize::ByteSize;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

/// How long one call may take: `30s`, `5m`, `1h 30m`, or seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeout(pub Duration);

impl FromStr for Timeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let duration = match text.parse() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => text
                .parse::<SignedDuration>()
                .ok()
                .and_then(|duration| Duration::try_from(duration).ok())
                .ok_or("write it as 30s, 5m or 1h")?,
        };
        if duration.is_zero() {
            return Err("it must be longer than nothing".to_owned());
        }
        Ok(Self(duration))
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SignedDuration::try_from(self.0) {
            Ok(duration) => write!(f, "{duration:#}"),
            Err(_) => write!(f, "{}s", self.0.as_secs()),
        }
    }
}

/// How many bytes: `16MiB`, `1GiB`, or a number of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let size: ByteSize = text.parse().map_err(|_| "write it as 16MiB or 1GiB")?;
        Ok(Self(size.as_u64()))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ByteSize(self.0).fmt(f)
    }
}

/// Which uploads carry a checksum: an algorithm for all of them, or `when-asked`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadChecksum(pub s3::UploadChecksum);

const CHECKSUMS: [(&str, s3::UploadChecksum); 5] = [
    ("crc64nvme", s3::UploadChecksum::Always(ChecksumAlgorithm::Crc64Nvme)),
    ("crc32c", s3::UploadChecksum::Always(ChecksumAlgorithm::Crc32c)),
    ("crc32", s3::UploadChecksum::Always(ChecksumAlgorithm::Crc32)),
    ("sha256", s3::UploadChecksum::Always(ChecksumAlgorithm::Sha256)),
    ("when-asked", s3::UploadChecksum::WhenAsked),
];

impl FromStr for UploadChecksum {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = CHECKSUMS.iter().find(|(name, _)| *name == text);
        found.map(|(_, checksum)| Self(*checksum)).ok_or_else(|| {
            format!("it must be one of {}", CHECKSUMS.map(|(name, _)| name).join(", "))
        })
    }
}

impl fmt::Display for UploadChecksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = CHECKSUMS.iter().find(|(_, checksum)| *checksum == self.0);
        f.write_str(found.map_or("", |(name, _)| name))
    }
}

/// `name=value`; the value may hold further `=`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

/// An etag, with or without its quotes.
#[expect(clippy::unnecessary_wraps, reason = "clap takes parsers that can fail")]
pub fn etag(text: &str) -> Result<String, String> {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    Ok(inner.unwrap_or(text).to_owned())
}

/// A range as HTTP writes it, with or without `bytes=`.
pub fn range(text: &str) -> Result<ByteRange, String> {
    const FORM: &str = "write it as 0-99, 100- or -50";
    let number = |digits: &str| {
        if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
    };
    let range = text.strip_prefix("bytes=").unwrap_or(text);
    let (first, last) = range.split_once('-').ok_or(FORM)?;
    let range = match (first, last) {
        ("", last) => ByteRange::Last(number(last).ok_or(FORM)?),
        (first, "") => ByteRange::From(number(first).ok_or(FORM)?),
        (first, last) => ByteRange::Closed(number(first).ok_or(FORM)?, number(last).ok_or(FORM)?),
    };
    match range {
        ByteRange::Closed(first, last) if first > last => {
            Err("it ends before it begins".to_owned())
        }
        ByteRange::Last(0) => Err("the last 0 bytes are nothing".to_owned()),
        range => Ok(range),
    }
}

/// A moment, in seconds since the Unix epoch.
pub fn date(text: &str) -> Result<u64, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let moment = text.parse::<Timestamp>().ok().or_else(|| {
        let date: Date = text.parse().ok()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    });
    moment
        .and_then(|moment| u64::try_from(moment.as_second()).ok())
        .ok_or_else(|| "write it as 2026-11-22T10:00:00Z, 2026-11-22, or seconds since 1970".into())
}

/// A moment as RFC 3339, in UTC.
pub fn rfc3339(seconds: u64) -> String {
    let moment = i64::try_from(seconds).ok().and_then(|s| Timestamp::from_second(s).ok());
    moment.map_or_else(|| format!("{seconds}s since 1970"), |moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_writes_them() {
        assert_eq!(range("0-99"), Ok(ByteRange::Closed(0, 99)));
        assert_eq!(range("bytes=100-"), Ok(ByteRange::From(100)));
        assert_eq!(range("-50"), Ok(ByteRange::Last(50)));
        for wrong in ["", "-", "5", "a-b", "9-1", "-0", "1-2,4-5", "+1-2", "1--2", " 1-2"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn dates_are_moments_days_or_seconds() {
        assert_eq!(date("1970-01-02T00:00:00Z"), Ok(86_400));
        assert_eq!(date("1970-01-02T01:00:00+01:00"), Ok(86_400));
        assert_eq!(date("1970-01-02"), Ok(86_400));
        assert_eq!(date("86400"), Ok(86_400));
        for wrong in ["", "yesterday", "1969-01-01", "-5", "2026-13-01"] {
            assert!(date(wrong).is_err(), "{wrong}");
        }
        assert_eq!(rfc3339(86_400), "1970-01-02T00:00:00Z");
    }

    #[test]
    fn timeouts_are_durations_or_seconds() {
        let seconds = |text: &str| text.parse::<Timeout>().map(|timeout| timeout.0.as_secs());
        assert_eq!(seconds("30s"), Ok(30));
        assert_eq!(seconds("1m 30s"), Ok(90));
        assert_eq!(seconds("45"), Ok(45));
        for wrong in ["", "0", "0s", "-5s", "soon", "1 month"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Timeout(Duration::from_secs(90)).to_string(), "1m 30s");
    }

    #[test]
    fn sizes_are_bytes_with_a_unit_or_without() {
        let bytes = |text: &str| text.parse::<Size>().map(|size| size.0);
        assert_eq!(bytes("16MiB"), Ok(16 << 20));
        assert_eq!(bytes("5 GiB"), Ok(5 << 30));
        assert_eq!(bytes("1024"), Ok(1024));
        for wrong in ["", "-1", "MiB", "much", "1 MiB each"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_checksum_is_an_algorithm_or_when_asked() {
        for (name, _) in CHECKSUMS {
            assert_eq!(name.parse::<UploadChecksum>().unwrap().to_string(), name);
        }
        assert!("md5".parse::<UploadChecksum>().unwrap_err().contains("crc64nvme, crc32c"));
    }

    #[test]
    fn pairs_and_etags() {
        assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(pair("a").is_err() && pair("=b").is_err());
        assert_eq!(etag("\"e\""), Ok("e".to_owned()));
        assert_eq!(etag("e"), Ok("e".to_owned()));
    }
}
