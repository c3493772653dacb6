//! The command line: what can be said, and nothing of what it does.

#![expect(clippy::doc_markdown, reason = "the comments are the help, which shows them as they are")]

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueHint};

mod value;
pub use value::{Size, Timeout, UploadChecksum, rfc3339};
mod put;
pub use put::PutArgs;
mod get;
pub use get::{GetArgs, HeadArgs};
mod list;
pub use list::ListArgs;
mod delete;
pub use delete::DeleteArgs;
mod doctor;
pub use doctor::DoctorArgs;
mod serve_local;
pub use serve_local::ServeLocalArgs;
mod policy;
pub use policy::{CheckArgs, GrantArgs, PolicyCommand};
mod policy_new;
pub use policy_new::NewArgs;
mod policy_run;
pub use policy_run::{Call, CallOperation, RunArgs};

/// Store artifacts in S3 through a sandboxed component
///
/// Results go to standard output, everything else to standard error.
#[derive(Debug, Parser)]
#[command(name = "artifacts", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Fails where a `--policy` was lost: of a flag that stands both before and behind
    /// the command, clap keeps those of one place only.
    pub fn check_policies(&self, args: impl Iterator<Item = OsString>) -> Result<(), clap::Error> {
        let is_policy = |arg: &OsString| {
            let arg = arg.to_string_lossy();
            arg == "--policy" || arg.starts_with("--policy=")
        };
        if args.take_while(|arg| arg != "--").filter(is_policy).count() == self.global.policy.len()
        {
            return Ok(());
        }
        Err(Self::command().error(
            clap::error::ErrorKind::TooManyValues,
            "give all --policy flags in one place: before the command, or behind it",
        ))
    }
}

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed
  2    the command line is wrong or incomplete
  3    not found
  4    a condition did not hold (precondition failed, not modified)
  130  stopped by Ctrl-C

Every setting can come from a flag, from an ARTIFACTS_… variable, or from the
file artifacts.toml (working directory, then the user's configuration folder),
in this order; `artifacts config` shows what is in force. Credentials come from
the AWS_… variables and files.";

/// What every command understands.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Store")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct GlobalArgs {
    /// Bucket that holds the artifacts [env: ARTIFACTS_BUCKET]
    #[arg(long, global = true, value_name = "NAME")]
    pub bucket: Option<String>,
    /// Put in front of every key [env: ARTIFACTS_PREFIX]
    #[arg(long, global = true, value_name = "TEXT")]
    pub prefix: Option<String>,
    /// URL of an S3-compatible service [env: ARTIFACTS_ENDPOINT]
    #[arg(long, global = true, value_name = "URL", value_hint = ValueHint::Url)]
    pub endpoint: Option<String>,
    /// Region that requests are signed for [env: ARTIFACTS_REGION]
    #[arg(long, global = true, value_name = "NAME")]
    pub region: Option<String>,
    /// The bucket stands in the path [env: ARTIFACTS_ADDRESSING=path-style]
    #[arg(long, global = true, conflicts_with = "virtual_host")]
    pub path_style: bool,
    /// The bucket stands in the host name [env: ARTIFACTS_ADDRESSING=virtual-host]
    #[arg(long, global = true)]
    pub virtual_host: bool,
    /// Send requests unsigned [env: ARTIFACTS_ANONYMOUS=true]
    #[arg(long, global = true)]
    pub anonymous: bool,
    /// Profile in the AWS files [env: ARTIFACTS_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Time for one call, such as 30s or 5m [env: ARTIFACTS_TIMEOUT]
    #[arg(long, global = true, value_name = "DURATION")]
    pub timeout: Option<Timeout>,
    /// Size of the parts in which large bodies go up, such as 16MiB [env: ARTIFACTS_PART_SIZE]
    #[arg(long, global = true, value_name = "SIZE")]
    pub part_size: Option<Size>,
    /// Parts that go up at once [env: ARTIFACTS_PARALLEL]
    #[arg(long, global = true, value_name = "N")]
    pub parallel: Option<usize>,
    /// Checksum of every upload: crc64nvme, crc32c, crc32, sha256, or when-asked for none
    /// without `put --checksum` [env: ARTIFACTS_UPLOAD_CHECKSUM]
    #[arg(long, global = true, value_name = "ALGORITHM")]
    pub upload_checksum: Option<UploadChecksum>,
    /// Store component to run instead of the built-in one [env: ARTIFACTS_COMPONENT]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub component: Option<PathBuf>,
    /// Compile components anew, and keep nothing [env: ARTIFACTS_NO_CACHE=true]
    #[arg(long, global = true)]
    pub no_cache: bool,
    /// Of the policies in artifacts.toml only this one stands in front; can be repeated
    #[arg(long, global = true, value_name = "FILE|NAME", value_hint = ValueHint::FilePath)]
    pub policy: Vec<PathBuf>,
    /// Configuration file to read instead of artifacts.toml [env: ARTIFACTS_CONFIG]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Results and errors as JSON
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
    /// No progress, no confirmations
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,
    /// Tell what is being done; twice or thrice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Store a file, or standard input, under a key
    Put(PutArgs),
    /// Write an artifact to standard output or to a file
    Get(GetArgs),
    /// Describe an artifact
    Head(HeadArgs),
    /// List keys
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Delete artifacts; a missing one counts as deleted
    #[command(visible_alias = "rm")]
    Delete(DeleteArgs),
    /// Show a round trip, step by step, with an S3 server inside this process
    Demo,
    /// Serve a folder as S3 on this machine, for experiments
    ///
    /// Makes the bucket that --bucket names, or `artifacts`, and prints the
    /// variables that other programs need. Ctrl-C ends it.
    ServeLocal(ServeLocalArgs),
    /// Write, check and try policies
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Examine the service: what works, what it ignores, what was left unfinished
    ///
    /// Stores, reads and deletes small objects of its own below the prefix. What the
    /// service ignores is remembered, and refused by later commands.
    Doctor(DoctorArgs),
    /// Show every setting in force and where it comes from
    Config,
    /// Print a completion script
    Completions {
        /// Shell to complete for
        shell: clap_complete::Shell,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
