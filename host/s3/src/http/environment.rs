use std::{collections::HashMap, fmt, path::PathBuf};

/// The environment variables that a client was given, as they were at that time.
///
/// A variable that is set to nothing counts as not set, as AWS's tools have it.
/// `Debug` shows names only: values are secrets.
#[derive(Clone, Default)]
pub(super) struct Environment(HashMap<String, String>);

impl Environment {
    /// The variables of this process; those that are not UTF-8 are left out.
    pub(super) fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// `path` with a leading `~/` replaced by the home folder, where there is one.
    pub(super) fn expand_home(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), self.home_dir()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        }
    }

    fn home_dir(&self) -> Option<PathBuf> {
        let home = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        self.0.get(home).map(PathBuf::from)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self(variables.filter(|(_, value): &(String, String)| !value.trim().is_empty()).collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<&String> = self.0.keys().collect();
        names.sort();
        f.debug_tuple("Environment").field(&names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        let environment: Environment = [("A", ""), ("B", "x")].into_iter().collect();
        assert_eq!(environment.get("A"), None);
        assert_eq!(environment.get("B"), Some("x"));
    }

    #[test]
    fn debug_shows_no_values() {
        let environment: Environment = [("AWS_SECRET_ACCESS_KEY", "hunter2")].into_iter().collect();
        let shown = format!("{environment:?}");
        assert!(shown.contains("AWS_SECRET_ACCESS_KEY") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_tilde_is_the_given_home_and_not_the_process_s() {
        let environment: Environment =
            [("HOME", "/home/x"), ("USERPROFILE", "/home/x")].into_iter().collect();
        assert_eq!(environment.expand_home("~/.aws/config"), PathBuf::from("/home/x/.aws/config"));
        assert_eq!(environment.expand_home("/etc/aws"), PathBuf::from("/etc/aws"));
    }
}
