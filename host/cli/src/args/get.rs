use std::path::PathBuf;

use artifact_store::{ByteRange, GetOptions};
use clap::{Args, ValueHint};

use super::value;

/// What `artifacts get` understands.
#[derive(Args, Debug)]
pub struct GetArgs {
    /// Key of the artifact
    pub key: String,
    /// File to write; `-` is standard output. It appears whole or not at all
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub read: ReadArgs,
}

/// What `artifacts head` understands.
#[derive(Args, Debug)]
pub struct HeadArgs {
    /// Key of the artifact
    pub key: String,
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Which bytes of which version are read, and when.
#[derive(Args, Debug)]
pub struct ReadArgs {
    /// Only these bytes: 0-99, 100- (from there), or -50 (the last 50)
    #[arg(long, value_name = "RANGE", value_parser = value::range, allow_hyphen_values = true)]
    pub range: Option<ByteRange>,
    /// This version instead of the current one
    #[arg(long, value_name = "ID")]
    pub version_id: Option<String>,
    /// Only if the artifact has this etag
    #[arg(long, value_name = "ETAG", value_parser = value::etag)]
    pub if_match: Option<String>,
    /// Only if the artifact has another etag
    #[arg(long, value_name = "ETAG", value_parser = value::etag)]
    pub if_none_match: Option<String>,
    /// Only if modified since (2026-11-22, 2026-11-22T10:00:00Z, or seconds since 1970)
    #[arg(long, value_name = "DATE", value_parser = value::date)]
    pub if_modified_since: Option<u64>,
    /// Only if not modified since
    #[arg(long, value_name = "DATE", value_parser = value::date)]
    pub if_unmodified_since: Option<u64>,
}

impl ReadArgs {
    /// The options of the call.
    pub fn options(&self) -> GetOptions {
        GetOptions {
            range: self.range,
            version_id: self.version_id.clone(),
            if_match: self.if_match.clone(),
            if_none_match: self.if_none_match.clone(),
            if_modified_since: self.if_modified_since,
            if_unmodified_since: self.if_unmodified_since,
        }
    }
}
