use std::{process::Stdio, time::Duration};

use tokio::{io::AsyncReadExt, process::Command};

use super::{AccessKey, Trouble, key_json::KeyJson};
use crate::http::environment::Environment;

/// Longest time that the program may take: it may ask a service, and a person.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Most that the program may write.
const MAX_OUTPUT: u64 = 64 * 1024;

/// The key that a program writes to its standard output.
///
/// - The program runs with the variables that the client was given and nothing else, and
///   without a shell; words are as in one, quotes included.
/// - It has no standard input. What it writes to its standard error is not kept: nobody
///   knows what is in there.
/// - Of the command only the program's name is shown: its arguments may be secrets.
///
/// Source: [process credential provider][page].
///
/// [page]: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
pub(super) async fn access_key(
    command: &str,
    environment: &Environment,
) -> Result<AccessKey, Trouble> {
    let words = words(command)
        .ok_or_else(|| Trouble::new("credential_process has a quote that is not closed"))?;
    let Some((program, arguments)) = words.split_first() else {
        return Err(Trouble::new("credential_process names no program"));
    };
    let by_hand = "run it by hand to see what it says";
    let mut child = Command::new(environment.expand_home(program))
        .args(arguments)
        .env_clear()
        .envs(environment.iter())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            Trouble::new(format!("the credential_process {program:?} cannot be run: {error}"))
        })?;
    let mut output = Vec::new();
    let running = async {
        if let Some(stdout) = child.stdout.take() {
            stdout.take(MAX_OUTPUT + 1).read_to_end(&mut output).await?;
        }
        if output.len() as u64 > MAX_OUTPUT {
            child.start_kill()?;
        }
        child.wait().await
    };
    let status = tokio::time::timeout(TIMEOUT, running)
        .await
        .map_err(|_| {
            let message = format!("the credential_process {program:?} ran longer than {TIMEOUT:?}");
            Trouble::new(format!("{message}; {by_hand}"))
        })?
        .map_err(|error| {
            Trouble::new(format!("the credential_process {program:?} failed: {error}"))
        })?;
    let what = format!("the output of the credential_process {program:?}");
    if output.len() as u64 > MAX_OUTPUT {
        return Err(Trouble::new(format!("{what} is longer than {MAX_OUTPUT} bytes")));
    }
    if !status.success() {
        return Err(Trouble::new(format!(
            "the credential_process {program:?} ended with {status}; {by_hand}"
        )));
    }
    let json = KeyJson::parse(&output, &what)?;
    if json.version != Some(1) {
        return Err(Trouble::new(format!("{what} is not of \"Version\": 1")));
    }
    json.into_key(&what)
}

/// The words of a command line; none where a quote is not closed.
fn words(command: &str) -> Option<Vec<String>> {
    // Backslashes part the folders of a path there, and quote nothing.
    if cfg!(windows) { shlex::split(&command.replace('\\', "\\\\")) } else { shlex::split(command) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_as_in_a_shell() {
        let command = r#""/opt/my tools/key" --as 'a b' --x="1 2""#;
        assert_eq!(words(command).unwrap(), ["/opt/my tools/key", "--as", "a b", "--x=1 2"]);
        assert_eq!(words("a 'b"), None);
        assert_eq!(words(" ").unwrap(), [""; 0]);
    }
}
