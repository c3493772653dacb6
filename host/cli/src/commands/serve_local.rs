use artifact_s3_server::{LocalServer, SecretKey};
use serde_json::json;

use crate::{
    args::{GlobalArgs, ServeLocalArgs},
    environment::Environment,
    failure::Failure,
    interrupt::interrupted,
    output::{Output, printable},
    settings::Settings,
};

const DEFAULT_BUCKET: &str = "artifacts";

/// Serves a folder as S3 on loopback until Ctrl-C.
pub async fn run(
    args: &ServeLocalArgs,
    global: &GlobalArgs,
    env: &Environment,
    output: &Output,
) -> Result<(), Failure> {
    let settings = Settings::resolve(global, env)?;
    let bucket = settings.bucket.as_ref().map_or(DEFAULT_BUCKET, |bucket| bucket.value.as_str());
    let mut server = LocalServer::builder()
        .folder(&args.dir, [bucket])
        .port(args.port)
        .on_exchange(|exchange| tracing::info!("{exchange}"));
    if let Some((access_key, secret_key)) = keys(args, env)? {
        server = server.credentials(access_key, SecretKey::new(secret_key));
    }
    let server = server
        .start()
        .await
        .map_err(|error| Failure::config(error.to_string()).caused_by(error))?;
    tell(&server, bucket, output)?;
    output.say(&printable(&format!("serving {}; Ctrl-C ends it", args.dir.display())));
    interrupted()
        .await
        .map_err(|error| Failure::config("cannot listen for signals").caused_by(error))?;
    server.stop().await;
    Ok(())
}

fn keys(args: &ServeLocalArgs, env: &Environment) -> Result<Option<(String, String)>, Failure> {
    let find = |flag: &Option<String>, variable| {
        flag.clone().or_else(|| env.get(variable).map(str::to_owned))
    };
    match (
        find(&args.access_key, "ARTIFACTS_LOCAL_ACCESS_KEY"),
        find(&args.secret_key, "ARTIFACTS_LOCAL_SECRET_KEY"),
    ) {
        (Some(access_key), Some(secret_key)) => Ok(Some((access_key, secret_key))),
        (None, None) => Ok(None),
        _ => Err(Failure::usage(
            "set both ARTIFACTS_LOCAL_ACCESS_KEY and ARTIFACTS_LOCAL_SECRET_KEY, or neither",
        )),
    }
}

/// What another program needs to reach the server, as lines for a shell.
fn tell(server: &LocalServer, bucket: &str, output: &Output) -> Result<(), Failure> {
    let endpoint = server.endpoint();
    let variables = [
        // Read by this program, and by the AWS command line and SDKs as well.
        ("AWS_ENDPOINT_URL_S3", endpoint.as_str()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", server.access_key()),
        ("AWS_SECRET_ACCESS_KEY", server.secret_key().expose()),
        ("ARTIFACTS_BUCKET", bucket),
    ];
    if output.json {
        let variables: serde_json::Map<_, _> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        return output.json(&variables.into());
    }
    let line = |(name, value): &(&str, &str)| format!("export {name}={}\n", quoted(value));
    output.data(&variables.iter().map(line).collect::<String>())
}

/// The value as a shell reads it.
fn quoted(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.:/".contains(&b);
    if !value.is_empty() && value.bytes().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_reaches_the_shell_as_it_is() {
        assert_eq!(quoted("http://127.0.0.1:80"), "http://127.0.0.1:80");
        assert_eq!(quoted("a b'c$d"), r"'a b'\''c$d'");
        assert_eq!(quoted(""), "''");
    }
}
