use std::fmt;

use rand::{RngExt, distr::Alphanumeric};

/// A secret key that neither `Debug` nor a log shows.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(String);

impl SecretKey {
    /// A key of this text.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// As long as AWS's, from the system's random source.
    pub(crate) fn random() -> Self {
        Self(random_text(40))
    }

    /// The text, to give to a client.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// An access key that tells at sight that it belongs to a local server.
pub(crate) fn random_access_key() -> String {
    format!("LOCAL{}", random_text(15).to_ascii_uppercase())
}

fn random_text(length: usize) -> String {
    rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_random_and_not_shown() {
        let (one, two) = (SecretKey::random(), SecretKey::random());
        assert_ne!(one, two);
        assert_eq!(one.expose().len(), 40);
        assert!(!format!("{one:?}").contains(one.expose()));
    }
}
