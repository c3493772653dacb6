use std::fmt::Display;

use artifact_store::s3::Multipart;
use serde_json::json;

use crate::{
    args::Size,
    config_file::ConfigFile,
    connect,
    environment::Environment,
    failure::Failure,
    output::{Output, printable},
    settings::{Origin, Setting, Settings},
};

/// One line: name, value, and where it comes from.
struct Row {
    name: &'static str,
    value: Option<String>,
    from: String,
}

/// Shows every setting in force and where it comes from.
pub async fn run(settings: &Settings, env: &Environment, output: &Output) -> Result<(), Failure> {
    let client = connect::client(settings, env).await;
    let rows = rows(settings, env, client.as_ref().ok()).await;
    if output.json {
        let settings: serde_json::Map<_, _> = rows
            .into_iter()
            .map(|row| (row.name.to_owned(), json!({ "value": row.value, "from": row.from })))
            .collect();
        output.json(&settings.into())?;
    } else {
        let shown = |row: &Row| row.value.clone().map_or("-".to_owned(), |text| printable(&text));
        let width = rows.iter().map(|row| shown(row).chars().count()).max().unwrap_or(0);
        let line = |row: &Row| {
            format!("{:<17}  {:<width$}  {}\n", row.name, shown(row), printable(&row.from))
        };
        output.data(&rows.iter().map(line).collect::<String>())?;
    }
    // What is in force was shown; that it cannot work is told as well.
    client.map(|_| ())
}

async fn rows(
    settings: &Settings,
    env: &Environment,
    client: Option<&artifact_store::s3::HttpS3>,
) -> Vec<Row> {
    let mut rows = vec![
        config_file(settings, env),
        row("bucket", settings.bucket.as_ref(), || (None, "not set".to_owned())),
        row("prefix", settings.prefix.as_ref(), || (Some(String::new()), default())),
        Row {
            // A password may stand in it, though it does not belong there.
            value: settings.endpoint.as_ref().map_or_else(
                || client.map(artifact_store::s3::HttpS3::endpoint),
                |endpoint| Some(without_password(&endpoint.value)),
            ),
            ..row("endpoint", settings.endpoint.as_ref(), || (None, default()))
        },
        row("region", settings.region.as_ref(), || match client {
            None => (None, "not set".to_owned()),
            Some(client) if settings.endpoint.is_some() && client.region() == "us-east-1" => {
                (Some(client.region().to_owned()), default())
            }
            Some(client) => (Some(client.region().to_owned()), "AWS profile".to_owned()),
        }),
        row("addressing", settings.addressing.as_ref(), || {
            let shown = client.map(|client| match client.addressing() {
                artifact_store::s3::Addressing::PathStyle => "path-style".to_owned(),
                artifact_store::s3::Addressing::VirtualHost => "virtual-host".to_owned(),
            });
            (shown, default())
        }),
        row("anonymous", settings.anonymous.as_ref(), || (Some("false".to_owned()), default())),
        row("profile", settings.profile.as_ref(), || (Some("default".to_owned()), default())),
        row("timeout", settings.timeout.as_ref(), || (Some("1h".to_owned()), default())),
        row("part-size", settings.part_size.as_ref(), || {
            (Some(Size(Multipart::default().part_size).to_string()), default())
        }),
        row("parallel", settings.parallel.as_ref(), || {
            (Some(Multipart::default().parallel.to_string()), default())
        }),
        row("upload-checksum", settings.upload_checksum.as_ref(), || {
            (Some("crc64nvme on AWS, else when-asked".to_owned()), default())
        }),
        Row {
            value: Some(settings.component.as_ref().map_or_else(
                || "built in".to_owned(),
                |component| component.value.display().to_string(),
            )),
            name: "component",
            from: settings
                .component
                .as_ref()
                .map_or_else(default, |component| component.origin.to_string()),
        },
    ];
    rows.push(Row {
        value: settings.cache_dir(env).map(|dir| dir.display().to_string()),
        ..row("cache", settings.no_cache.as_ref(), || (None, default()))
    });
    rows.push(row("chain", settings.chain.as_ref(), || (Some(String::new()), default())));
    if let Some(client) = client {
        rows.push(match client.credentials_source().await {
            Ok(source) => Row {
                name: "credentials",
                value: Some(source.to_string()),
                from: if settings.is_anonymous() { "anonymous" } else { "AWS" }.to_owned(),
            },
            Err(error) => {
                Row { name: "credentials", value: None, from: error.message().to_owned() }
            }
        });
    }
    rows.extend(secrets(env));
    rows
}

fn config_file(settings: &Settings, env: &Environment) -> Row {
    let Some(config) = &settings.config else {
        let places: Vec<String> =
            ConfigFile::places(env).iter().map(|path| path.display().to_string()).collect();
        let from = format!("none found: {}", places.join(", "));
        return Row { name: "config", value: None, from };
    };
    let from = match &config.origin {
        Origin::Default => "found".to_owned(),
        origin => origin.to_string(),
    };
    Row { name: "config", value: Some(config.value.display().to_string()), from }
}

fn row<T: Display>(
    name: &'static str,
    setting: Option<&Setting<T>>,
    otherwise: impl FnOnce() -> (Option<String>, String),
) -> Row {
    let (value, from) = match setting {
        Some(setting) => (Some(setting.value.to_string()), setting.origin.to_string()),
        None => otherwise(),
    };
    Row { name, value, from }
}

/// That they are set is shown, and nothing of what they are.
fn secrets(env: &Environment) -> Vec<Row> {
    [
        ("access-key-id", "AWS_ACCESS_KEY_ID"),
        ("secret-access-key", "AWS_SECRET_ACCESS_KEY"),
        ("session-token", "AWS_SESSION_TOKEN"),
    ]
    .into_iter()
    .filter(|(_, variable)| env.get(variable).is_some())
    .map(|(name, variable)| Row {
        name,
        value: Some("(hidden)".to_owned()),
        from: variable.to_owned(),
    })
    .collect()
}

fn without_password(endpoint: &str) -> String {
    match endpoint.rsplit_once('@') {
        Some((_, host)) => format!("(hidden)@{host}"),
        None => endpoint.to_owned(),
    }
}

fn default() -> String {
    "default".to_owned()
}
