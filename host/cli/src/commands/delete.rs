use serde_json::json;

use super::Store;
use crate::{
    args::DeleteArgs,
    failure::{Exit, Failure},
    output::{Output, printable},
};

/// Deletes each artifact, also after one that could not be deleted.
pub async fn run(args: &DeleteArgs, store: &Store<'_>, output: &Output) -> Result<(), Failure> {
    let store = store.start().await?;
    let options = args.options();
    let mut exit = Exit::Done;
    for key in &args.keys {
        match store.delete_with(key, &options).await {
            Ok(()) if output.json => output.json(&json!({ "key": key, "deleted": true }))?,
            Ok(()) => output.say(&format!("deleted {}", printable(key))),
            Err(error) => {
                let failure = Failure::from(error);
                output.failure(&failure);
                exit = exit.worse(failure.exit());
            }
        }
    }
    if exit == Exit::Done { Ok(()) } else { Err(Failure::Told(exit)) }
}
