//! Every setting in force, and where it comes from.

use std::{path::PathBuf, str::FromStr};

use crate::{
    args::{GlobalArgs, Size, Timeout, UploadChecksum},
    config_file::ConfigFile,
    environment::Environment,
    failure::Failure,
    findings::Findings,
};

mod addressing;
pub use addressing::Addressing;
mod origin;
pub use origin::{Origin, Setting};
mod chain;
pub use chain::{Chain, FilterEntry, Granted, PolicyEntry};
mod lookup;
use lookup::{Lookup, Name};

const BUCKET: Name = Name::new("--bucket", "ARTIFACTS_BUCKET");
const PREFIX: Name = Name::new("--prefix", "ARTIFACTS_PREFIX");
const ENDPOINT: Name = Name::new("--endpoint", "ARTIFACTS_ENDPOINT");
const REGION: Name = Name::new("--region", "ARTIFACTS_REGION");
const ANONYMOUS: Name = Name::new("--anonymous", "ARTIFACTS_ANONYMOUS");
const PROFILE: Name = Name::new("--profile", "ARTIFACTS_PROFILE");
const TIMEOUT: Name = Name::new("--timeout", "ARTIFACTS_TIMEOUT");
const PART_SIZE: Name = Name::new("--part-size", "ARTIFACTS_PART_SIZE");
const PARALLEL: Name = Name::new("--parallel", "ARTIFACTS_PARALLEL");
const UPLOAD_CHECKSUM: Name = Name::new("--upload-checksum", "ARTIFACTS_UPLOAD_CHECKSUM");
const COMPONENT: Name = Name::new("--component", "ARTIFACTS_COMPONENT");
const NO_CACHE: Name = Name::new("--no-cache", "ARTIFACTS_NO_CACHE");
const CONFIG_VARIABLE: &str = "ARTIFACTS_CONFIG";

/// What is in force: flags over environment over file over what AWS's own
/// variables say over defaults. None stands for the library's default.
#[derive(Debug)]
pub struct Settings {
    pub config: Option<Setting<PathBuf>>,
    pub bucket: Option<Setting<String>>,
    pub prefix: Option<Setting<String>>,
    pub endpoint: Option<Setting<String>>,
    pub region: Option<Setting<String>>,
    pub addressing: Option<Setting<Addressing>>,
    pub anonymous: Option<Setting<bool>>,
    pub profile: Option<Setting<String>>,
    pub timeout: Option<Setting<Timeout>>,
    pub part_size: Option<Setting<Size>>,
    pub parallel: Option<Setting<usize>>,
    pub upload_checksum: Option<Setting<UploadChecksum>>,
    pub component: Option<Setting<PathBuf>>,
    pub no_cache: Option<Setting<bool>>,
    /// What stands in front of the store. Only the file can grant anything; a flag can
    /// say which of its policies.
    pub chain: Option<Setting<Chain>>,
}

impl Settings {
    /// Puts together what the command line, the environment and the file say.
    pub fn resolve(args: &GlobalArgs, env: &Environment) -> Result<Self, Failure> {
        let named = args.config.clone().or_else(|| env.get(CONFIG_VARIABLE).map(PathBuf::from));
        let file = ConfigFile::find(named, env)?;
        let look = Lookup { env, file: file.as_ref() };

        let text = |text: &str| Ok::<_, String>(text.to_owned());
        let component = look.up(
            COMPONENT,
            args.component.clone(),
            |keys| keys.component.as_ref(),
            |path| Ok::<_, String>(PathBuf::from(path)),
        )?;
        let chain = Chain::resolve(&args.policy, file.as_ref())?;
        Ok(Self {
            chain,
            bucket: look.up(BUCKET, args.bucket.clone(), |keys| keys.bucket.as_ref(), text)?,
            prefix: look.up(PREFIX, args.prefix.clone(), |keys| keys.prefix.as_ref(), text)?,
            endpoint: look
                .up(ENDPOINT, args.endpoint.clone(), |keys| keys.endpoint.as_ref(), text)?
                .or_else(|| look.aws(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])),
            region: look
                .up(REGION, args.region.clone(), |keys| keys.region.as_ref(), text)?
                .or_else(|| look.aws(&["AWS_REGION", "AWS_DEFAULT_REGION"])),
            addressing: look.up(
                Addressing::name(args),
                Addressing::of_flags(args),
                |keys| keys.addressing.as_ref(),
                Addressing::from_str,
            )?,
            anonymous: look.switch(ANONYMOUS, args.anonymous, |keys| keys.anonymous.as_ref())?,
            no_cache: look.switch(NO_CACHE, args.no_cache, |keys| keys.no_cache.as_ref())?,
            profile: look
                .up(PROFILE, args.profile.clone(), |keys| keys.profile.as_ref(), text)?
                .or_else(|| look.aws(&["AWS_PROFILE"])),
            timeout: look.up(
                TIMEOUT,
                args.timeout,
                |keys| keys.timeout.as_ref(),
                Timeout::from_str,
            )?,
            part_size: look.up(
                PART_SIZE,
                args.part_size,
                |keys| keys.part_size.as_ref(),
                Size::from_str,
            )?,
            parallel: look.number(PARALLEL, args.parallel, |keys| keys.parallel.as_ref())?,
            upload_checksum: look.up(
                UPLOAD_CHECKSUM,
                args.upload_checksum,
                |keys| keys.upload_checksum.as_ref(),
                UploadChecksum::from_str,
            )?,
            component: component.map(|setting| match (&setting.origin, &file) {
                (Origin::File { .. }, Some(file)) => setting.map(|path| file.resolve(path)),
                _ => setting,
            }),
            config: file.map(|file| Setting {
                origin: match (&args.config, env.get(CONFIG_VARIABLE)) {
                    (Some(_), _) => Origin::Flag("--config"),
                    (None, Some(_)) => Origin::Variable(CONFIG_VARIABLE),
                    (None, None) => Origin::Default,
                },
                value: file.path,
            }),
        })
    }

    /// The bucket, without which no store can be started.
    pub fn bucket(&self) -> Result<&str, Failure> {
        self.bucket.as_ref().map(|bucket| bucket.value.as_str()).ok_or_else(|| {
            Failure::usage(
                "no bucket is named: give --bucket NAME, set ARTIFACTS_BUCKET, or write \
                 `bucket = \"NAME\"` into artifacts.toml",
            )
        })
    }

    /// Where compiled components are kept, unless that is not wanted.
    pub fn cache_dir(&self, env: &Environment) -> Option<PathBuf> {
        self.cached("components", env)
    }

    /// What was found out of services, unless that is not wanted.
    pub fn findings(&self, env: &Environment) -> Option<Findings> {
        self.cached("services", env).map(Findings::new)
    }

    fn cached(&self, what: &str, env: &Environment) -> Option<PathBuf> {
        let wanted = !self.no_cache.as_ref().is_some_and(|no_cache| no_cache.value);
        env.cache_dir.as_ref().filter(|_| wanted).map(|dir| dir.join("artifacts").join(what))
    }

    pub fn is_anonymous(&self) -> bool {
        self.anonymous.as_ref().is_some_and(|anonymous| anonymous.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("artifacts.toml");
        std::fs::write(&path, text).unwrap();
        (dir, path)
    }

    #[test]
    fn flags_stand_over_the_environment_over_the_file_over_aws() {
        let (_dir, path) = file("bucket = \"file\"\nprefix = \"file\"\nregion = \"file\"\n");
        let env = Environment::from([
            ("ARTIFACTS_BUCKET", "env"),
            ("ARTIFACTS_PREFIX", "env"),
            ("ARTIFACTS_ENDPOINT", ""),
            ("AWS_REGION", "aws"),
            ("AWS_ENDPOINT_URL", "http://aws"),
        ]);
        let args = GlobalArgs {
            bucket: Some("flag".into()),
            config: Some(path.clone()),
            ..GlobalArgs::default()
        };
        let settings = Settings::resolve(&args, &env).unwrap();
        let bucket = settings.bucket.unwrap();
        assert_eq!((bucket.value.as_str(), bucket.origin), ("flag", Origin::Flag("--bucket")));
        let prefix = settings.prefix.unwrap();
        assert_eq!(
            (prefix.value.as_str(), prefix.origin),
            ("env", Origin::Variable("ARTIFACTS_PREFIX"))
        );
        let region = settings.region.unwrap();
        assert_eq!(
            (region.value.as_str(), region.origin),
            ("file", Origin::File { path, line: 3 })
        );
        let endpoint = settings.endpoint.unwrap();
        assert_eq!(
            (endpoint.value.as_str(), endpoint.origin),
            ("http://aws", Origin::Variable("AWS_ENDPOINT_URL"))
        );
    }

    #[test]
    fn a_component_named_in_a_file_lies_beside_the_file() {
        let (dir, path) = file("component = \"mine.wasm\"\n");
        let args = GlobalArgs { config: Some(path), ..GlobalArgs::default() };
        let settings = Settings::resolve(&args, &Environment::default()).unwrap();
        assert_eq!(settings.component.unwrap().value, dir.path().join("mine.wasm"));
    }

    #[test]
    fn policies_come_from_the_file_in_order() {
        let (dir, path) = file(
            "[[policy]]\nbundled = \"key-rules\"\nsettings = { deny = \"*.exe\" }\n\n\
             [[policy]]\nfile = \"theirs.wasm\"\noperations = [\"get\"]\n",
        );
        let args = GlobalArgs { config: Some(path.clone()), ..GlobalArgs::default() };
        let policies = Settings::resolve(&args, &Environment::default()).unwrap().chain.unwrap();
        assert_eq!(policies.origin, Origin::File { path, line: 1 });
        let theirs = dir.path().join("theirs.wasm");
        assert_eq!(policies.value.to_string(), format!("key-rules, {}", theirs.display()));
    }

    #[test]
    fn a_policy_that_is_not_whole_is_told_with_its_place() {
        for (text, what) in [
            ("[[policy]]\nname = \"x\"\n", "artifacts.toml:1: name the policy"),
            ("\n[[policy]]\nfile = \"x.wasm\"\n", "artifacts.toml:2: say what the policy may do"),
            ("[[policy]]\nbundled = \"tenant\"\n", "artifacts.toml:1: the policy `tenant` needs"),
            ("[[policy]]\nbundled = \"nope\"\n", "artifacts.toml:2: bundled: unknown variant"),
            ("[[policy]]\noperation = []\n", "artifacts.toml:2: operation: unknown field"),
        ] {
            let (_dir, path) = file(text);
            let args = GlobalArgs { config: Some(path), ..GlobalArgs::default() };
            let failure = Settings::resolve(&args, &Environment::default()).unwrap_err();
            assert!(failure.to_string().contains(what), "{failure}");
        }
    }

    #[test]
    fn a_value_that_makes_no_sense_is_told_with_its_place() {
        for (name, value) in [
            ("ARTIFACTS_TIMEOUT", "soon"),
            ("ARTIFACTS_PART_SIZE", "large"),
            ("ARTIFACTS_PARALLEL", "many"),
            ("ARTIFACTS_UPLOAD_CHECKSUM", "md5"),
            ("ARTIFACTS_ADDRESSING", "dns"),
            ("ARTIFACTS_ANONYMOUS", "maybe"),
        ] {
            let env = Environment::from([(name, value)]);
            let failure = Settings::resolve(&GlobalArgs::default(), &env).unwrap_err();
            assert!(failure.to_string().starts_with(&format!("{name}={value:?}: ")), "{failure}");
        }
        let (_dir, path) = file("\ntimeout = \"soon\"\n");
        let args = GlobalArgs { config: Some(path), ..GlobalArgs::default() };
        let failure = Settings::resolve(&args, &Environment::default()).unwrap_err();
        assert!(failure.to_string().contains("artifacts.toml:2: timeout: "), "{failure}");
    }
}
