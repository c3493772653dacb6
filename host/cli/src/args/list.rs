use clap::Args;

/// What `artifacts list` understands.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Only keys that begin so
    #[arg(default_value = "", hide_default_value = true, value_name = "PREFIX")]
    // Not `prefix`: that is the store's.
    pub under: String,
    /// Also show size, date and etag
    #[arg(short, long)]
    pub long: bool,
    /// Gather keys that hold this after the prefix, as `/` gathers folders
    #[arg(long, value_name = "TEXT")]
    pub delimiter: Option<String>,
    /// Only keys after this one
    #[arg(long, value_name = "KEY")]
    pub start_after: Option<String>,
    /// At most so many lines
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
}
