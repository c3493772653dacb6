use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    path::PathBuf,
};

use etcetera::BaseStrategy;

/// What the program finds around it: the only place that reads it, so that
/// everything behind takes it as an argument.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// The user's configuration folder (`~/.config`), where there is one.
    pub config_dir: Option<PathBuf>,
    /// The user's folder for what can be made again (`~/.cache`), where there is one.
    pub cache_dir: Option<PathBuf>,
    pub stdin_is_terminal: bool,
    pub stdout_is_terminal: bool,
    pub stderr_is_terminal: bool,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        // What is not Unicode can be no setting of ours, and none of S3's.
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let base = etcetera::choose_base_strategy().ok();
        Self {
            variables,
            config_dir: base.as_ref().map(BaseStrategy::config_dir),
            cache_dir: base.as_ref().map(BaseStrategy::cache_dir),
            stdin_is_terminal: io::stdin().is_terminal(),
            stdout_is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
        }
    }

    /// A variable that is set to something: an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All variables.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self { variables: variables.map(owned).into(), ..Self::default() }
    }
}
