use std::{hint::black_box, net::SocketAddr, time::Duration};

use artifact_s3::{
    Bucket, ContentHeaders, Credentials, DeleteOptions, GetOptions, HttpS3, ObjectKey, PutOptions,
    S3Client,
};
use bytes::Bytes;

use crate::{Outcome, sink::OBJECT};

/// Makes a call so many times, one after the other, over one connection.
pub(crate) fn make(call: &str, times: u64, service: SocketAddr) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let s3 = HttpS3::builder()
            .endpoint(format!("http://{service}"))
            .credentials(Credentials::key("AKIAIOSFODNN7EXAMPLE", "a-secret"))
            .build()
            .await?;
        let (bucket, key) = (Bucket::parse("artifacts")?, ObjectKey::parse("asm/patch-abc123")?);
        let body = Bytes::from_static(OBJECT);
        for _ in 0..times {
            once(call, &s3, &bucket, &key, &body).await?;
        }
        Ok(())
    })
}

async fn once(
    call: &str,
    s3: &HttpS3,
    bucket: &Bucket,
    key: &ObjectKey,
    body: &Bytes,
) -> Outcome<()> {
    let reading = GetOptions::default();
    match call {
        "sign" => {
            let (response, valid) = (ContentHeaders::default(), Duration::from_mins(1));
            black_box(s3.presign_get(bucket, key, &reading, &response, valid).await?);
        }
        "put" => {
            let body = body.clone().into();
            black_box(s3.put_object(bucket, key, body, &PutOptions::default()).await?);
        }
        "get" => {
            let object = s3.get_object(bucket, key, &reading).await?;
            black_box(object.body.bytes().await?);
        }
        "head" => {
            black_box(s3.head_object(bucket, key, &reading).await?);
        }
        "delete" => s3.delete_object(bucket, key, &DeleteOptions::default()).await?,
        other => return Err(format!("no call is named {other:?}").into()),
    }
    Ok(())
}
