use std::path::PathBuf;

use clap::{Args, ValueHint};

/// What `artifacts serve-local` understands.
///
/// The bucket that it makes is the global `--bucket`. The keys are not AWS's own
/// variables: they are shown, and a user's real secret must not be.
#[derive(Args, Debug)]
pub struct ServeLocalArgs {
    /// Folder to serve; each folder in it is a bucket
    #[arg(value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub port: u16,
    /// Access key that it accepts [env: ARTIFACTS_LOCAL_ACCESS_KEY] [default: random]
    #[arg(long, value_name = "ID", requires = "secret_key")]
    pub access_key: Option<String>,
    /// Secret key that it accepts [env: ARTIFACTS_LOCAL_SECRET_KEY] [default: random]
    #[arg(long, value_name = "SECRET", requires = "access_key")]
    pub secret_key: Option<String>,
}
