use std::sync::Arc;

use artifact_s3::{Body, Bucket, ObjectInfo, ObjectKey, PutOptions, S3Error, S3ErrorKind};
use bytes::Bytes;
use futures::{FutureExt, StreamExt};

use super::{answer, handle::Handle, host::Host};
use crate::bindings::agent::artifacts::types;

/// A put: the bytes go into a `content.writer`, chunk by chunk as they come; when it is
/// whole the body is handed to `put-object`.
impl Host {
    pub(super) async fn put(
        self: &Arc<Self>,
        bucket: &Bucket,
        key: &ObjectKey,
        body: Body,
        options: &PutOptions,
    ) -> Result<ObjectInfo, S3Error> {
        options.check()?;
        let length = body.length();
        let mut writer = self.begin(length).await?;
        let mut stream = body.into_stream();
        let mut sent = 0;
        while let Some(next) = stream.next().await {
            let mut bytes = next.map_err(|error| {
                let message = format!("the body failed: {error}");
                S3Error::new(S3ErrorKind::BodyFailed, message).caused_by(error)
            })?;
            sent += bytes.len() as u64;
            if let Some(length) = length.filter(|length| sent > *length) {
                return Err(wrong_length(length, "went on"));
            }
            while !bytes.is_empty() {
                let chunk = bytes.split_to(self.chunk().min(bytes.len()));
                writer = self.write(writer, chunk).await?;
            }
        }
        if let Some(length) = length.filter(|length| sent < *length) {
            return Err(wrong_length(length, &format!("ended after {sent}")));
        }
        let info = self.store(writer, bucket, key, options).await?;
        let info = answer::info(info).map_err(|what| self.nonsense(&what))?;
        if info.size != sent {
            let what = format!("gave a receipt for {} bytes, and {sent} were sent", info.size);
            return Err(self.nonsense(&what));
        }
        Ok(info)
    }

    async fn begin(self: &Arc<Self>, length: Option<u64>) -> Result<Handle, S3Error> {
        let room = self.room_for_handle().await?;
        let host = Arc::clone(self);
        self.run(move |instance| {
            async move {
                let call = instance.enter()?;
                let made = call.content.writer().call_constructor(call.store, length).await;
                let writer = instance.leave(made)?;
                Ok(Handle::new(host, instance, writer, room))
            }
            .boxed()
        })
        .await
    }

    async fn write(self: &Arc<Self>, writer: Handle, chunk: Bytes) -> Result<Handle, S3Error> {
        self.run(move |instance| {
            async move {
                let lent = writer.lend(instance)?;
                let call = instance.enter()?;
                let written = call.content.writer().call_write(call.store, lent, &chunk).await;
                instance.leave(written)?.map_err(answer::content_error)?;
                Ok(writer)
            }
            .boxed()
        })
        .await
    }

    async fn store(
        self: &Arc<Self>,
        writer: Handle,
        bucket: &Bucket,
        key: &ObjectKey,
        options: &PutOptions,
    ) -> Result<types::ObjectInfo, S3Error> {
        let (bucket, key) = (bucket.to_string(), key.to_string());
        let options = types::PutOptions::from(options.clone());
        self.run(move |instance| {
            async move {
                let writer = writer.give_back(instance)?;
                let call = instance.enter()?;
                let finished = call.content.writer().call_finish(call.store, writer).await;
                let body = instance.leave(finished)?.map_err(answer::content_error)?;
                let call = instance.enter()?;
                let put = call.s3.call_put_object(call.store, &bucket, &key, body, &options).await;
                let receipt = instance.leave(put)?.map_err(answer::error)?;
                instance.read_receipt(receipt).await
            }
            .boxed()
        })
        .await
    }
}

fn wrong_length(length: u64, found: &str) -> S3Error {
    S3Error::new(
        S3ErrorKind::BodyFailed,
        format!("the body was said to have {length} bytes, and {found}; nothing was stored"),
    )
}
