use artifact_store::DeleteOptions;
use clap::Args;

use super::value;

/// What `artifacts delete` understands.
#[derive(Args, Debug)]
pub struct DeleteArgs {
    /// Keys of the artifacts
    #[arg(required = true, value_name = "KEY")]
    pub keys: Vec<String>,
    /// This version instead of the current one
    #[arg(long, value_name = "ID")]
    pub version_id: Option<String>,
    /// Only if the artifact has this etag
    #[arg(long, value_name = "ETAG", value_parser = value::etag)]
    pub if_match: Option<String>,
}

impl DeleteArgs {
    /// The options of the call.
    pub fn options(&self) -> DeleteOptions {
        DeleteOptions { version_id: self.version_id.clone(), if_match: self.if_match.clone() }
    }
}
