//! A round trip through a real S3 service, as the environment describes it.
//!
//! ```sh
//! export AWS_ENDPOINT_URL_S3=http://127.0.0.1:9000   # leave it out for AWS
//! export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… AWS_REGION=us-east-1
//! cargo run -p artifact-store --example quick_start -- my-bucket
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use artifact_store::{ArtifactStore, ErrorKind, s3::HttpS3};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bucket = std::env::args().nth(1).ok_or("name the bucket as the argument")?;
    let store = ArtifactStore::builder()
        .bucket(bucket)
        .prefix("quick-start/")
        .client(HttpS3::from_env().await?)
        .start()
        .await?;

    let info = store.put("patch-abc123", "--- a/file\n+++ b/file\n").await?;
    println!("stored {} bytes, etag {}", info.size, info.etag.unwrap_or_default());

    let patch = store.get("patch-abc123").await?.bytes().await?;
    println!("read {} bytes", patch.len());

    store.delete("patch-abc123").await?;
    match store.get("patch-abc123").await {
        Err(error) if error.kind() == ErrorKind::NotFound => println!("{error}"),
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("what was deleted is still there".into()),
    }
    Ok(())
}
