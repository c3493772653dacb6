use std::path::PathBuf;

use clap::{Args, ValueHint};

/// What `artifacts policy new` understands.
#[derive(Args, Debug)]
pub struct NewArgs {
    /// Folder to make; its name is the policy's
    #[arg(value_name = "NAME", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
}
