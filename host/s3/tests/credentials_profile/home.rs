use std::{fs, path::PathBuf};

use artifact_s3::{DeleteOptions, HttpS3, S3Client, S3Error, S3ErrorKind};
use tempfile::TempDir;

use crate::support::{self, Act, Server, answer, bucket, key, ok, quick};

/// What no error may show.
pub(crate) const HIDDEN: &str = "hunter2";

pub(crate) const LATE: &str = "2099-01-01T00:00:00Z";

/// A home folder with `~/.aws`, and the services around it.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
    pub(crate) s3: Server,
    pub(crate) sts: Server,
    pub(crate) sso: Server,
    pub(crate) variables: Vec<(String, String)>,
}

impl Home {
    pub(crate) async fn new(config: &str) -> Self {
        let home = Self {
            folder: tempfile::tempdir().unwrap(),
            s3: Server::start([ok()]).await,
            // More than any test has.
            sts: Server::start(["R1", "R2", "R3"].map(assumed)).await,
            sso: Server::start([]).await,
            variables: Vec::new(),
        };
        home.write(".aws/config", config);
        home
    }

    pub(crate) fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) async fn client(&self) -> HttpS3 {
        let home = self.folder.path().to_str().unwrap().to_owned();
        let own = [
            ("HOME", home.clone()),
            ("USERPROFILE", home),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_ENDPOINT_URL_STS", self.sts.endpoint()),
            ("AWS_ENDPOINT_URL_SSO", self.sso.endpoint()),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value));
        let variables = own.into_iter().chain(self.variables.clone());
        let builder = HttpS3::builder().endpoint(self.s3.endpoint()).retry(quick());
        builder.environment(variables).build().await.unwrap()
    }

    /// Makes a call, and says who signed it, and where that key came from.
    pub(crate) async fn call(&self) -> Result<(String, String), S3Error> {
        let s3 = self.client().await;
        let called = s3.delete_object(&bucket(), &key("k"), &DeleteOptions::default()).await;
        if let Err(error) = &called {
            assert!(!format!("{error} {error:?}").contains(HIDDEN), "{error:?}");
        }
        called?;
        let source = s3.credentials_source().await.unwrap().to_string();
        assert!(!source.contains(HIDDEN), "{source}");
        Ok((signer(&self.s3.only()), source))
    }

    pub(crate) async fn refusal(&self) -> String {
        let error = self.call().await.unwrap_err();
        assert_eq!(error.kind(), S3ErrorKind::AccessDenied, "{error}");
        assert!(self.s3.requests().is_empty());
        error.message().to_owned()
    }
}

pub(crate) fn signer(seen: &support::Seen) -> String {
    let authorization = seen.header("authorization").unwrap();
    let (_, rest) = authorization.split_once("Credential=").unwrap();
    rest.split('/').next().unwrap().to_owned()
}

pub(crate) fn assumed(id: &str) -> Act {
    answer("200 OK", &[], &assumed_until(id, LATE))
}

pub(crate) fn assumed_until(id: &str, end: &str) -> String {
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <AssumedRoleUser><Arn>a</Arn><AssumedRoleId>b</AssumedRoleId></AssumedRoleUser>\
         <Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{HIDDEN}</SecretAccessKey>\
         <SessionToken>t-{id}</SessionToken><Expiration>{end}</Expiration></Credentials>\
         </AssumeRoleResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\
         </AssumeRoleResponse>"
    )
}

/// The calls at STS: who signed, which role, and what else the form says.
pub(crate) fn asked(sts: &Server) -> Vec<String> {
    let one = |seen: &support::Seen| {
        let form = url::form_urlencoded::parse(seen.body());
        let known = ["Action", "Version"];
        let rest: Vec<String> = form
            .filter(|(name, _)| !known.contains(&&**name))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let who = seen.header("authorization").map_or("nobody".to_owned(), |_| signer(seen));
        format!("{who}: {}", rest.join(" "))
    };
    sts.requests().iter().map(one).collect()
}
