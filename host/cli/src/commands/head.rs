use super::Store;
use crate::{
    args::HeadArgs,
    failure::Failure,
    output::{Output, description, description_json},
};

/// Prints what is known of an artifact.
pub async fn run(args: &HeadArgs, store: &Store<'_>, output: &Output) -> Result<(), Failure> {
    let store = store.start().await?;
    let info = store.head_with(&args.key, &args.read.options()).await?;
    if output.json {
        return output.json(&description_json(&args.key, &info));
    }
    let lines = description(&args.key, &info);
    let line = |(name, value): &(String, String)| {
        format!("{}: {}\n", output.shown(name), output.shown(value))
    };
    output.data(&lines.iter().map(line).collect::<String>())
}
