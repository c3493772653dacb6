use artifact_store::{ChecksumAlgorithm, ContentHeaders, Encryption, PutOptions, WriteCondition};
use clap::{Args, ValueEnum, ValueHint};

use super::value;

/// What `artifacts put` understands.
#[derive(Args, Debug)]
pub struct PutArgs {
    /// Key to store under
    pub key: String,
    /// File to store; `-`, or nothing in a pipe, is standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: Option<std::path::PathBuf>,

    /// Content-Type; guessed from the file's or the key's name if not given, none if empty
    #[arg(long, value_name = "TYPE")]
    pub content_type: Option<String>,
    /// Content-Encoding
    #[arg(long, value_name = "VALUE")]
    pub content_encoding: Option<String>,
    /// Content-Disposition
    #[arg(long, value_name = "VALUE")]
    pub content_disposition: Option<String>,
    /// Content-Language
    #[arg(long, value_name = "VALUE")]
    pub content_language: Option<String>,
    /// Cache-Control
    #[arg(long, value_name = "VALUE")]
    pub cache_control: Option<String>,
    /// Expires: when a cache takes it for stale, such as "Wed, 21 Oct 2026 07:28:00 GMT"
    #[arg(long, value_name = "HTTP-DATE")]
    pub expires: Option<String>,
    /// Metadata to keep with the artifact; can be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = value::pair)]
    pub meta: Vec<(String, String)>,
    /// Tag of the artifact; can be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = value::pair)]
    pub tag: Vec<(String, String)>,
    /// Only if there is no artifact with this key
    #[arg(long, conflicts_with = "if_match")]
    pub if_absent: bool,
    /// Only over the artifact with this etag
    #[arg(long, value_name = "ETAG", value_parser = value::etag)]
    pub if_match: Option<String>,
    /// Checksum that the service checks and keeps
    #[arg(long, value_name = "ALGORITHM")]
    pub checksum: Option<Checksum>,
    /// Storage class, such as STANDARD_IA
    #[arg(long, value_name = "CLASS")]
    pub storage_class: Option<String>,
    /// Server-side encryption
    #[arg(long, value_name = "KIND")]
    pub sse: Option<Sse>,
    /// Id of the KMS key
    #[arg(long, value_name = "ID", requires = "sse")]
    pub kms_key: Option<String>,
    /// Canned ACL, such as private
    #[arg(long, value_name = "NAME")]
    pub acl: Option<String>,
}

/// The checksums that S3 keeps.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Checksum {
    Crc32,
    Crc32c,
    Crc64nvme,
    Sha256,
}

/// Who keeps the key of the encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sse {
    /// S3 (AES256)
    S3,
    /// KMS
    Kms,
}

impl PutArgs {
    /// The options of the call, with the content type guessed where none is given.
    pub fn options(&self) -> PutOptions {
        PutOptions {
            content: ContentHeaders {
                content_type: self.content_type(),
                content_encoding: self.content_encoding.clone(),
                content_disposition: self.content_disposition.clone(),
                content_language: self.content_language.clone(),
                cache_control: self.cache_control.clone(),
                expires: self.expires.clone(),
            },
            metadata: self.meta.clone(),
            tags: self.tag.clone(),
            condition: match &self.if_match {
                Some(etag) => WriteCondition::IfMatch(etag.clone()),
                None if self.if_absent => WriteCondition::IfAbsent,
                None => WriteCondition::Unconditional,
            },
            checksum: self.checksum.map(|checksum| match checksum {
                Checksum::Crc32 => ChecksumAlgorithm::Crc32,
                Checksum::Crc32c => ChecksumAlgorithm::Crc32c,
                Checksum::Crc64nvme => ChecksumAlgorithm::Crc64Nvme,
                Checksum::Sha256 => ChecksumAlgorithm::Sha256,
            }),
            storage_class: self.storage_class.clone(),
            encryption: self.sse.map(|sse| match sse {
                Sse::S3 => Encryption::S3Managed,
                Sse::Kms => Encryption::Kms(self.kms_key.clone()),
            }),
            acl: self.acl.clone(),
        }
    }

    /// Whether the artifact comes from standard input by name (`-`).
    pub fn is_stdin(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.as_os_str() == "-")
    }

    fn content_type(&self) -> Option<String> {
        if let Some(given) = &self.content_type {
            return (!given.is_empty()).then(|| given.clone());
        }
        // The key names the artifact where the file's name says nothing.
        let file = self.file.as_deref().filter(|_| !self.is_stdin());
        let guess = |path| mime_guess::from_path(path).first_raw().map(str::to_owned);
        file.and_then(guess).or_else(|| guess(self.key.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        put: PutArgs,
    }

    fn options(line: &[&str]) -> PutOptions {
        Line::try_parse_from(["put"].iter().chain(line)).unwrap().put.options()
    }

    fn content_type(line: &[&str]) -> Option<String> {
        options(line).content.content_type
    }

    #[test]
    fn the_content_type_is_guessed_from_the_file_then_from_the_key() {
        assert_eq!(content_type(&["k", "page.html"]).as_deref(), Some("text/html"));
        assert_eq!(content_type(&["k.json", "noext"]).as_deref(), Some("application/json"));
        assert_eq!(content_type(&["k.png", "-"]).as_deref(), Some("image/png"));
        assert_eq!(content_type(&["k", "-"]), None);
        assert_eq!(content_type(&["k.png", "--content-type", "x/y"]).as_deref(), Some("x/y"));
        assert_eq!(content_type(&["k.png", "--content-type", ""]), None);
    }

    #[test]
    fn every_flag_reaches_the_options() {
        let options = options(&[
            "k",
            "--meta",
            "a=b=c",
            "--tag",
            "t=",
            "--if-match",
            "\"e\"",
            "--checksum",
            "crc64nvme",
            "--storage-class",
            "IA",
            "--sse",
            "kms",
            "--kms-key",
            "id",
            "--acl",
            "private",
            "--cache-control",
            "no-store",
            "--expires",
            "Wed, 21 Oct 2026 07:28:00 GMT",
            "--content-encoding",
            "gzip",
            "--content-language",
            "de",
            "--content-disposition",
            "inline",
        ]);
        assert_eq!(options.metadata, [("a".to_owned(), "b=c".to_owned())]);
        assert_eq!(options.tags, [("t".to_owned(), String::new())]);
        assert_eq!(options.condition, WriteCondition::IfMatch("e".to_owned()));
        assert_eq!(options.checksum, Some(ChecksumAlgorithm::Crc64Nvme));
        assert_eq!(options.storage_class.as_deref(), Some("IA"));
        assert_eq!(options.encryption, Some(Encryption::Kms(Some("id".to_owned()))));
        assert_eq!(options.acl.as_deref(), Some("private"));
        let headers: Vec<_> = options.content.iter().collect();
        assert_eq!(
            headers,
            [
                ("content-encoding", "gzip"),
                ("content-disposition", "inline"),
                ("content-language", "de"),
                ("cache-control", "no-store"),
                ("expires", "Wed, 21 Oct 2026 07:28:00 GMT"),
            ]
        );
    }
}
