use std::{fmt, str::FromStr};

use crate::ParseError;

/// An id of 128 random bits, written as a prefix and 32 hex digits.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// A new id, which no other is equal to.
            #[must_use]
            pub fn random() -> Self {
                Self(rand::random())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{:032x}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                text.strip_prefix($prefix).and_then(parse_hex).map(Self).ok_or_else(|| {
                    ParseError::new(concat!("`", $prefix, "` and 32 lower-case hex digits"), text)
                })
            }
        }
    };
}

id! {
    /// The id of a session: `ses_` and 32 hex digits.
    ///
    /// ```
    /// use artifact_session::SessionId;
    ///
    /// let id: SessionId = "ses_0123456789abcdef0123456789abcdef".parse()?;
    /// assert_eq!(id.to_string(), "ses_0123456789abcdef0123456789abcdef");
    /// assert!("run_0123456789abcdef0123456789abcdef".parse::<SessionId>().is_err());
    /// # Ok::<(), artifact_session::ParseError>(())
    /// ```
    SessionId, "ses_"
}
id! {
    /// The id of a run: `run_` and 32 hex digits.
    RunId, "run_"
}
id! {
    /// The id of an event: `evt_` and 32 hex digits.
    EventId, "evt_"
}

/// Exactly one text for each number: 32 digits, lower case.
fn parse_hex(text: &str) -> Option<u128> {
    let lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (text.len() == 32 && text.bytes().all(lower_hex))
        .then(|| u128::from_str_radix(text, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_from_their_text() {
        let (session, run, event) = (SessionId::random(), RunId::random(), EventId::random());
        assert_eq!(session.to_string().parse(), Ok(session));
        assert_eq!(run.to_string().parse(), Ok(run));
        assert_eq!(event.to_string().parse(), Ok(event));
        assert_eq!(format!("{session:?}").len(), 4 + 32);
    }

    #[test]
    fn small_ids_keep_their_zeros() {
        assert_eq!(RunId(1).to_string(), format!("run_{}1", "0".repeat(31)));
        assert_eq!(RunId(1).to_string().parse(), Ok(RunId(1)));
    }

    #[test]
    fn other_texts_are_refused() {
        let zeros = "0".repeat(31);
        for text in ["", "ses_", &format!("evt_{zeros}0"), &format!("ses_{zeros}A")] {
            assert!(text.parse::<SessionId>().is_err(), "{text}");
        }
        for digits in [&zeros, &format!("{zeros}00"), &format!("+{zeros}"), &format!("{zeros}g")] {
            assert!(format!("ses_{digits}").parse::<SessionId>().is_err(), "{digits}");
        }
        assert_eq!(
            "ses_1".parse::<SessionId>().unwrap_err().to_string(),
            "expected `ses_` and 32 lower-case hex digits, not \"ses_1\""
        );
    }
}
