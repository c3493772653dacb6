use std::{collections::BTreeMap, fmt};

use serde::Deserialize;

/// What a policy or filter itself reads. A value can be a key, so `Debug` shows the
/// names only.
#[derive(Clone, Default, Deserialize)]
pub(super) struct OwnSettings(BTreeMap<String, String>);

impl OwnSettings {
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }

    pub(super) fn extend(&mut self, settings: impl IntoIterator<Item = (String, String)>) {
        self.0.extend(settings);
    }
}

impl fmt::Debug for OwnSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_shown() {
        let mut settings = OwnSettings::default();
        settings.extend([("key".to_owned(), "hunter2".to_owned())]);
        assert_eq!(format!("{settings:?}"), r#"{"key"}"#);
    }
}
