use artifact_s3::{
    Body, ChecksumAlgorithm, DeleteOptions, PutOptions, S3Client, S3ErrorKind, WriteCondition,
};
use bytes::Bytes;
use futures::stream;

use crate::{
    content::Content,
    model::State,
    report::Violation,
    worker::{Ended, Worker, is_broken},
};

impl Worker {
    /// Puts new bytes, now and then on a condition that may or may not hold.
    pub(crate) async fn put(&mut self, at: usize) -> Result<(), Violation> {
        let content = self.content();
        let (condition, holds) = self.condition(at);
        let (body, kind) = match self.body(content).await {
            Ok(body) => body,
            Err(error) => return Err(self.keys[at].violated(format!("no body: {error}"))),
        };
        let checksum = match self.random.u8(..10) {
            0 => Some(ChecksumAlgorithm::Crc64Nvme),
            1 => Some(ChecksumAlgorithm::Crc32c),
            2 => Some(ChecksumAlgorithm::Crc32),
            3 => Some(ChecksumAlgorithm::Sha256),
            _ => None,
        };
        let options = PutOptions { condition, checksum, ..PutOptions::default() };
        let (s3, bucket) = (self.s3.clone(), self.world.bucket.clone());
        let key = self.keys[at].name.clone();
        let ended = self.ended(s3.put_object(&bucket, &key, body, &options)).await;
        self.count(if content.length() > 5 << 20 { "put large" } else { "put" }, &ended);
        let key = &mut self.keys[at];
        let PutOptions { condition, checksum, .. } = options;
        key.log(format!(
            "put {content:?}, {condition:?}, {checksum:?}, as {kind}: {}",
            ended.told()
        ));
        match ended {
            Ended::Ok(_) if !holds => Err(key.violated("a put went over its condition")),
            Ended::Ok(info) if info.size != content.length() as u64 => {
                Err(key.violated(format!("a put says that it stored {} bytes", info.size)))
            }
            Ended::Ok(info) => {
                key.is(State::Holds(content), info.etag);
                Ok(())
            }
            Ended::Err(error) => {
                let refused = matches!(
                    (&condition, error.kind()),
                    (WriteCondition::IfMatch(_), S3ErrorKind::NoSuchKey)
                        | (
                            WriteCondition::IfMatch(_) | WriteCondition::IfAbsent,
                            S3ErrorKind::PreconditionFailed
                        )
                );
                if !refused && !is_broken(&error) {
                    return Err(key.violated(format!("an unexpected error: {error:?}")));
                }
                if refused && holds && error.attempts() == 1 {
                    return Err(key.violated("a put was refused though its condition holds"));
                }
                if holds {
                    key.may_be(State::Holds(content));
                }
                Ok(())
            }
            Ended::Dropped => {
                if holds {
                    key.may_be(State::Holds(content));
                }
                Ok(())
            }
        }
    }

    pub(crate) async fn delete(&mut self, at: usize) -> Result<(), Violation> {
        let conditional = self.random.bool();
        let key = &self.keys[at];
        let options =
            DeleteOptions { if_match: key.etag.clone().filter(|_| conditional), version_id: None };
        let (s3, bucket, name) = (self.s3.clone(), self.world.bucket.clone(), key.name.clone());
        let ended = self.ended(s3.delete_object(&bucket, &name, &options)).await;
        self.count("delete", &ended);
        let key = &mut self.keys[at];
        key.log(format!("delete, if match {:?}: {}", options.if_match, ended.told()));
        match ended {
            Ended::Ok(()) => key.is(State::Absent, None),
            // A first try may have deleted it, and its answer be lost.
            Ended::Err(error)
                if options.if_match.is_some()
                    && error.kind() == S3ErrorKind::PreconditionFailed
                    && error.attempts() > 1 =>
            {
                key.may_be(State::Absent);
            }
            Ended::Err(error) if !is_broken(&error) => {
                return Err(key.violated(format!("an unexpected error: {error:?}")));
            }
            Ended::Err(_) | Ended::Dropped => key.may_be(State::Absent),
        }
        Ok(())
    }

    /// Copies another key's object onto this one.
    pub(crate) async fn copy(&mut self, at: usize) -> Result<(), Violation> {
        let source = self.random.usize(..self.keys.len());
        let Some(content) = self.keys[source].present().filter(|_| source != at) else {
            return Ok(());
        };
        let (s3, bucket) = (self.s3.clone(), self.world.bucket.clone());
        let (from, to) = (self.keys[source].name.clone(), self.keys[at].name.clone());
        let options = PutOptions::default();
        let ended = self.ended(s3.copy_object(&bucket, &from, &to, &options)).await;
        self.count("copy", &ended);
        self.keys[source].log(format!("copied to {to}"));
        let key = &mut self.keys[at];
        key.log(format!("copy of {from}, {content:?}: {}", ended.told()));
        match ended {
            Ended::Ok(info) => key.is(State::Holds(content), info.etag),
            Ended::Err(error) if !is_broken(&error) => {
                return Err(key.violated(format!("an unexpected error: {error:?}")));
            }
            Ended::Err(_) | Ended::Dropped => key.may_be(State::Holds(content)),
        }
        Ok(())
    }

    /// A condition, and whether the key fulfils it.
    fn condition(&mut self, at: usize) -> (WriteCondition, bool) {
        let key = &self.keys[at];
        match (self.random.u8(..8), &key.etag) {
            (0, _) => (WriteCondition::IfAbsent, key.present().is_none()),
            (1, Some(etag)) => (WriteCondition::IfMatch(etag.clone()), true),
            (2, _) => (WriteCondition::IfMatch("0".repeat(32)), false),
            _ => (WriteCondition::Unconditional, true),
        }
    }

    /// The bytes, in one of the forms that bodies have.
    async fn body(&mut self, content: Content) -> std::io::Result<(Body, &'static str)> {
        let bytes = content.bytes();
        let length = bytes.len() as u64;
        Ok(match self.random.u8(..10) {
            0 => (Body::from_stream(pieces(bytes), Some(length)), "a stream"),
            1 => (Body::from_stream(pieces(bytes), None), "a stream of unknown length"),
            2 => {
                let path = self.world.folder.path().join(format!("task-{}", self.number));
                tokio::fs::write(&path, bytes).await?;
                (Body::from_file(path).await?, "a file")
            }
            _ => (Body::from(bytes), "bytes"),
        })
    }
}

fn pieces(bytes: Bytes) -> impl futures::Stream<Item = std::io::Result<Bytes>> + Send {
    stream::unfold(bytes, |mut rest| async move {
        let piece = rest.split_to(rest.len().min(100_000));
        (!piece.is_empty()).then_some((Ok(piece), rest))
    })
}
