use std::{hint::black_box, net::SocketAddr, time::Duration};

use artifact_s3::{
    Bucket, ContentHeaders, Credentials, DeleteOptions, GetOptions, HttpS3, ObjectKey, PutOptions,
    S3Client,
};
use artifact_store::{ArtifactStore, Limits, Policy, PolicyGrant, Sandbox};
use bytes::Bytes;

use crate::{Outcome, sink::OBJECT};

const BUCKET: &str = "artifacts";
const KEY: &str = "asm/patch-abc123";

/// Makes a call so many times, one after the other, over one connection.
pub(crate) fn make(call: &str, times: u64, service: SocketAddr) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let s3 = HttpS3::builder()
            .endpoint(format!("http://{service}"))
            .credentials(Credentials::key("AKIAIOSFODNN7EXAMPLE", "a-secret"))
            .build()
            .await?;
        let body = Bytes::from_static(OBJECT);
        match call.split_once(' ') {
            None => {
                let (bucket, key) = (Bucket::parse(BUCKET)?, ObjectKey::parse(KEY)?);
                for _ in 0..times {
                    once(call, &s3, &bucket, &key, &body).await?;
                }
            }
            Some((way, call)) => {
                let store = store(way, s3).await?;
                for _ in 0..times {
                    through(call, &store, &body).await?;
                }
            }
        }
        Ok(())
    })
}

/// A store with the bundled component, and a policy before it if there is to be one, which
/// has a fresh instance for each call.
async fn store(way: &str, s3: HttpS3) -> Outcome<ArtifactStore> {
    // Valgrind has not the address space for a thousand instances.
    let limits = Limits { concurrent_calls: 2, ..Limits::default() };
    let mut store =
        ArtifactStore::builder().bucket(BUCKET).client(s3).sandbox(Sandbox::new(limits)?);
    if way == "policy" {
        let tenant = Policy::from_bytes(artifact_guests::policies::TENANT)
            .name("tenant")
            .setting("tenant", "asm")
            .grant(PolicyGrant::all().keys_under("asm/"));
        store = store.policy(tenant);
    }
    Ok(store.start().await?)
}

async fn through(call: &str, store: &ArtifactStore, body: &Bytes) -> Outcome<()> {
    match call {
        "put" => {
            black_box(store.put(KEY, body.clone()).await?);
        }
        "get" => {
            black_box(store.get(KEY).await?.bytes().await?);
        }
        other => return Err(format!("no call is named {other:?}").into()),
    }
    Ok(())
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
