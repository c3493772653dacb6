use std::{ffi::OsString, path::PathBuf};

use artifact_store::ListOptions;
use clap::{Args, Parser, Subcommand, ValueHint};

use super::{DeleteArgs, HeadArgs, PutArgs, value};
use crate::settings::Granted;

/// What `artifacts policy run` understands.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// Policy to try: a file, a bundled one, or the name of an entry in artifacts.toml
    #[arg(value_name = "FILE|NAME", value_hint = ValueHint::FilePath)]
    // Not `policy`: that is the flag of the store.
    pub file: PathBuf,
    /// Calls to make, each as for the program itself: put KEY FILE then get KEY
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CALL [then CALL]"
    )]
    pub calls: Vec<OsString>,
    /// Operations that it may call, such as get,head
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub operations: Option<Vec<Granted>>,
    /// What every key that it names must begin with
    #[arg(long, value_name = "TEXT")]
    pub keys_under: Option<String>,
    /// Setting that it reads; can be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = value::pair)]
    pub set: Vec<(String, String)>,
    /// Object that is there from the start; can be repeated
    #[arg(long, value_name = "KEY=FILE", value_parser = value::pair)]
    pub with: Vec<(String, String)>,
}

impl RunArgs {
    /// The calls, in order.
    pub fn calls(&self) -> Result<Vec<Call>, clap::Error> {
        let calls = self.calls.split(|word| word == "then");
        calls.map(|words| Call::try_parse_from(words.iter().cloned())).collect()
    }
}

/// One call of a trial.
#[derive(Debug, Parser)]
#[command(
    name = "artifacts policy run FILE",
    no_binary_name = true,
    disable_help_subcommand = true
)]
pub struct Call {
    #[command(subcommand)]
    pub operation: CallOperation,
    // A flag of the program that stands behind the calls is not the program's any more.
    #[arg(long, global = true, hide = true)]
    pub json: bool,
}

/// What is called; every option is that of the program's own command.
#[derive(Debug, Subcommand)]
pub enum CallOperation {
    /// Store a file, or standard input, under a key
    Put(PutArgs),
    /// Read an artifact
    Get(HeadArgs),
    /// Describe an artifact
    Head(HeadArgs),
    /// List keys
    List(ListCall),
    /// Delete artifacts
    Delete(DeleteArgs),
}

/// What is listed.
#[derive(Args, Debug)]
pub struct ListCall {
    /// Only keys that begin so
    #[arg(default_value = "", hide_default_value = true, value_name = "PREFIX")]
    pub under: String,
    /// Gather keys that hold this after the prefix, as `/` gathers folders
    #[arg(long, value_name = "TEXT")]
    pub delimiter: Option<String>,
    /// Only keys after this one
    #[arg(long, value_name = "KEY")]
    pub start_after: Option<String>,
}

impl ListCall {
    /// The options of the call.
    pub fn options(&self) -> ListOptions {
        ListOptions {
            prefix: self.under.clone(),
            delimiter: self.delimiter.clone(),
            start_after: self.start_after.clone(),
            ..ListOptions::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Call::command().debug_assert();
    }
}
