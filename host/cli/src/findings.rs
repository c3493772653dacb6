//! What `artifacts doctor` found out of a service, kept for later commands.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use artifact_store::s3::Capabilities;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Most bytes of a file that are read; one of ours has less than one thousand.
const MAX_BYTES: u64 = 64 * 1024;

/// A folder with one file for each service and bucket.
///
/// Findings only ever make the program refuse something: a file that cannot be used is
/// told, and counts as none.
pub struct Findings {
    dir: PathBuf,
}

impl Findings {
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// What is known of this service and bucket.
    pub fn of(&self, endpoint: &str, bucket: &str) -> Option<Capabilities> {
        let path = self.path(endpoint, bucket);
        match read(&path) {
            Ok(found) if found.endpoint() == endpoint && found.bucket() == bucket => Some(found),
            Ok(_) => {
                unusable(&path, &"it is about another service or bucket");
                None
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                unusable(&path, &error);
                None
            }
        }
    }

    /// Keeps this, in place of what was known before.
    pub fn keep(&self, found: &Capabilities) -> io::Result<PathBuf> {
        fs::create_dir_all(&self.dir)?;
        // Under its name only when it is whole.
        let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
        file.write_all(&serde_json::to_vec_pretty(found)?)?;
        let path = self.path(found.endpoint(), found.bucket());
        file.persist(&path).map_err(|error| error.error)?;
        Ok(path)
    }

    fn path(&self, endpoint: &str, bucket: &str) -> PathBuf {
        let name = format!("{endpoint}/{bucket}");
        self.dir.join(format!("{}.json", utf8_percent_encode(&name, NON_ALPHANUMERIC)))
    }
}

fn read(path: &Path) -> io::Result<Capabilities> {
    let mut text = Vec::new();
    fs::File::open(path)?.take(MAX_BYTES).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) {
    let path = path.display();
    tracing::warn!(%path, %why, "what `artifacts doctor` found out cannot be used; run it again");
}

#[cfg(test)]
mod tests {
    use artifact_store::s3::{Feature, Finding};

    use super::*;

    #[test]
    fn what_is_kept_is_found_again_and_under_no_other_name() {
        let dir = tempfile::tempdir().unwrap();
        let findings = Findings::new(dir.path().join("a/b"));
        assert_eq!(findings.of("http://h:1", "bkt"), None);
        let found =
            Capabilities::new("http://h:1", "bkt", 7).with(Feature::IfAbsent, Finding::Ignored);
        let path = findings.keep(&found).unwrap();
        assert_eq!(findings.of("http://h:1", "bkt"), Some(found.clone()));
        assert_eq!(findings.of("http://h:1", "other"), None);
        // Moved under another's name it is not taken for the other's.
        fs::rename(path, findings.path("http://h:2", "bkt")).unwrap();
        assert_eq!(findings.of("http://h:2", "bkt"), None);
    }

    #[test]
    fn what_is_no_finding_counts_as_none() {
        let dir = tempfile::tempdir().unwrap();
        let findings = Findings::new(dir.path().to_owned());
        for text in ["", "{", "[]", "{\"endpoint\":5}", "{\"later\":true}"] {
            fs::write(findings.path("http://h", "bkt"), text).unwrap();
            assert_eq!(findings.of("http://h", "bkt"), None, "{text}");
        }
        fs::remove_file(findings.path("http://h", "bkt")).unwrap();
        fs::create_dir(findings.path("http://h", "bkt")).unwrap();
        assert_eq!(findings.of("http://h", "bkt"), None);
    }
}
