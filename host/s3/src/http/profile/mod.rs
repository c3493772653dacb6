//! AWS's two configuration files.

mod file;
pub(super) use file::Section;

use std::path::Path;

use tokio::io::AsyncReadExt;

pub(super) use self::file::{Kind, ProfileFile};
use super::environment::Environment;

/// Largest configuration file, far above what people write by hand or tools generate
/// for hundreds of accounts.
const MAX_FILE: u64 = 1024 * 1024;

/// The region that the profile in force names, if any.
///
/// Of the two files `~/.aws/config` goes first here. A file that cannot be read names
/// no region; nor does one line that cannot.
pub(super) async fn region(environment: &Environment) -> Option<String> {
    let files = ProfileFiles::load(environment).await;
    let name = files.in_force.as_str();
    [&files.config, &files.credentials].into_iter().find_map(|file| {
        let region = file.content.profiles.get(name)?.get("region")?;
        Some(region.split_whitespace().next()?.to_owned())
    })
}

/// What the two files say.
#[derive(Clone, Debug)]
pub(super) struct ProfileFiles {
    /// `AWS_PROFILE`, or `default`.
    pub(super) in_force: String,
    /// Whether `AWS_PROFILE` names it.
    pub(super) is_named: bool,
    config: File,
    credentials: File,
}

#[derive(Clone, Debug)]
struct File {
    /// As the environment names it.
    path: String,
    is_there: bool,
    content: ProfileFile,
}

impl ProfileFiles {
    /// Reads `~/.aws/config` (or `AWS_CONFIG_FILE`) and `~/.aws/credentials` (or
    /// `AWS_SHARED_CREDENTIALS_FILE`).
    pub(super) async fn load(environment: &Environment) -> Self {
        let file = async |variable, default: &str, kind| {
            let path = environment.get(variable).unwrap_or(default).to_owned();
            File::load(&environment.expand_home(&path), path, kind).await
        };
        let named = environment.get("AWS_PROFILE");
        Self {
            in_force: named.unwrap_or("default").to_owned(),
            is_named: named.is_some(),
            config: file("AWS_CONFIG_FILE", "~/.aws/config", Kind::Config).await,
            credentials: file(
                "AWS_SHARED_CREDENTIALS_FILE",
                "~/.aws/credentials",
                Kind::Credentials,
            )
            .await,
        }
    }

    /// The settings of a profile; where both files have one, the credentials file counts.
    pub(super) fn profile(&self, name: &str) -> Option<Section> {
        let mut profile = self.config.content.profiles.get(name).cloned();
        if let Some(credentials) = self.credentials.content.profiles.get(name) {
            profile.get_or_insert_default().extend(credentials.clone());
        }
        profile
    }

    pub(super) fn sso_session(&self, name: &str) -> Option<&Section> {
        self.config.content.sso_sessions.get(name)
    }

    /// The first thing that is wrong with the files.
    pub(super) fn problem(&self) -> Option<String> {
        [&self.config, &self.credentials].into_iter().find_map(|file| {
            let problem = file.content.problem.as_ref()?;
            Some(format!("{} cannot be used: {problem}", file.path))
        })
    }

    /// Where a profile was looked for.
    pub(super) fn paths(&self) -> String {
        let path = |file: &File| {
            format!("{}{}", file.path, if file.is_there { "" } else { " (which is not there)" })
        };
        format!("{} or {}", path(&self.credentials), path(&self.config))
    }
}

impl File {
    async fn load(from: &Path, path: String, kind: Kind) -> Self {
        use std::io::ErrorKind::{NotADirectory, NotFound};
        match read(from, MAX_FILE).await {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                Self { path, is_there: true, content: ProfileFile::parse(&text, kind) }
            }
            // The latter where HOME is /dev/null.
            Err(error) if matches!(error.kind(), NotFound | NotADirectory) => {
                Self { path, is_there: false, content: ProfileFile::default() }
            }
            Err(error) => {
                let content =
                    ProfileFile { problem: Some(error.to_string()), ..ProfileFile::default() };
                Self { path, is_there: true, content }
            }
        }
    }
}

/// A file of at most so many bytes.
pub(super) async fn read(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = tokio::fs::File::open(path).await?;
    file.take(limit + 1).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 > limit {
        return Err(std::io::Error::other(format!("it is longer than {limit} bytes")));
    }
    Ok(bytes)
}
