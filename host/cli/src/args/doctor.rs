use clap::Args;

use super::Timeout;

/// What `artifacts doctor` understands.
#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// Abort the unfinished uploads below the prefix; also those that others send just now
    #[arg(long)]
    pub abort_unfinished: bool,
    /// Abort only those that were begun longer ago, such as 1h
    #[arg(long, value_name = "DURATION", requires = "abort_unfinished")]
    pub older_than: Option<Timeout>,
}
