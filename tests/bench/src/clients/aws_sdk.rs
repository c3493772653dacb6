//! The AWS SDK. Checksums only where S3 wants them, as its documentation says for other
//! services, and payloads are not hashed; streams go up in parts, as its examples do it.

use anyhow::Context;
use aws_sdk_s3::{
    Client,
    config::{
        BehaviorVersion, Credentials, Region, RequestChecksumCalculation,
        ResponseChecksumValidation,
    },
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, TryStreamExt, stream};

use super::{PARALLEL, PART, REGION, Service, Source, Target, chunks, drain};

#[derive(Clone)]
pub(crate) struct AwsSdkClient {
    client: Client,
    bucket: String,
}

pub(super) fn connect(service: &Service) -> AwsSdkClient {
    let credentials = Credentials::builder()
        .access_key_id(&service.access_key_id)
        .secret_access_key(&service.secret_access_key)
        .provider_name("bench")
        .build();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(&service.endpoint)
        .region(Region::new(REGION))
        .credentials_provider(credentials)
        .force_path_style(true)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .build();
    AwsSdkClient { client: Client::from_conf(config), bucket: service.bucket.clone() }
}

impl AwsSdkClient {
    pub(super) async fn put(&self, key: &str, source: Source) -> anyhow::Result<()> {
        let body = match source {
            Source::Memory(bytes) => ByteStream::from(bytes),
            Source::File(path) => ByteStream::from_path(path).await?,
            Source::Stream(length) => return self.put_parts(key, length).await,
        };
        let put = self.client.put_object().bucket(&self.bucket).key(key).body(body);
        put.customize().disable_payload_signing().send().await?;
        Ok(())
    }

    async fn put_parts(&self, key: &str, length: u64) -> anyhow::Result<()> {
        let (client, bucket) = (&self.client, &self.bucket);
        let upload = client.create_multipart_upload().bucket(bucket).key(key).send().await?;
        let id = upload.upload_id().context("an upload without an id")?;
        let parts = in_parts(chunks(length)).enumerate().map(|(index, bytes)| async move {
            let number = i32::try_from(index + 1)?;
            let part = client.upload_part().bucket(bucket).key(key).upload_id(id);
            let part = part.part_number(number).body(ByteStream::from(bytes?));
            let sent = part.customize().disable_payload_signing().send().await?;
            let etag = sent.e_tag().unwrap_or_default();
            anyhow::Ok(CompletedPart::builder().part_number(number).e_tag(etag).build())
        });
        let parts = parts.buffered(PARALLEL).try_collect().await?;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete = client.complete_multipart_upload().bucket(bucket).key(key).upload_id(id);
        complete.multipart_upload(parts).send().await?;
        Ok(())
    }

    pub(super) async fn get(&self, key: &str, target: Target) -> anyhow::Result<u64> {
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        let mut body = get.send().await?.body;
        match target {
            Target::Memory => Ok(body.collect().await?.into_bytes().len() as u64),
            _ => {
                drain(
                    stream::poll_fn(move |cx| std::pin::Pin::new(&mut body).poll_next(cx)),
                    &target,
                )
                .await
            }
        }
    }

    pub(super) async fn head(&self, key: &str) -> anyhow::Result<()> {
        self.client.head_object().bucket(&self.bucket).key(key).send().await?;
        Ok(())
    }

    pub(super) async fn delete(&self, key: &str) -> anyhow::Result<()> {
        self.client.delete_object().bucket(&self.bucket).key(key).send().await?;
        Ok(())
    }
}

/// A stream in pieces of the size of a part.
fn in_parts<E>(
    chunks: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> impl Stream<Item = Result<Bytes, E>> {
    stream::try_unfold(chunks, |mut chunks| async move {
        let mut part = BytesMut::with_capacity(PART);
        while part.len() < PART
            && let Some(chunk) = chunks.try_next().await?
        {
            part.extend_from_slice(&chunk);
        }
        Ok((!part.is_empty()).then(|| (part.freeze(), chunks)))
    })
}
